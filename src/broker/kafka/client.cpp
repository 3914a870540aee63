#include "broker/kafka/client.hpp"

#include <algorithm>
#include <array>
#include <future>
#include <system_error>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include <sluice/error.hpp>

#include "base/one_line.hpp"
#include "observe/log.hpp"

namespace sluice::broker::kafka {
namespace {

constexpr std::size_t longest_words = 240;
constexpr std::chrono::seconds longest_farewell{5};

bool may_be_secret(std::string_view property) {
    for (const auto word : {"password", "secret", "pem", "oauth", "key", "jaas"}) {
        if (property.find(word) != std::string_view::npos) return true;
    }
    return false;
}

conf_handle make_conf(const properties& with) {
    conf_handle conf{rd_kafka_conf_new()};
    std::array<char, 512> text{};
    for (const auto& [name, value] : with) {
        const auto outcome = rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), text.data(), text.size());
        if (outcome == RD_KAFKA_CONF_OK) continue;
        const std::string why = outcome == RD_KAFKA_CONF_UNKNOWN ? "librdkafka knows no such property"
                                : may_be_secret(name)            ? "librdkafka does not take its value"
                                                                 : base::one_line(text.data(), longest_words);
        throw configuration_error{fmt::format("kafka property {}: {}; see CONFIGURATION.md of librdkafka 2.0",
                                              base::one_line(name, 80), why)};
    }
    return conf;
}

/// The oldest of times when there is no such file.
std::filesystem::file_time_type written_at(const std::filesystem::path& file) {
    std::error_code no;
    const auto time = std::filesystem::last_write_time(file, no);
    return no ? std::filesystem::file_time_type::min() : time;
}

/// The library's own notes; what matters comes as an error, too.
void write_log(const rd_kafka_t* /*instance*/, int severity, const char* facility, const char* text) {
    constexpr int warning = 4;
    observe::log(severity <= warning ? observe::level::debug : observe::level::trace, "kafka.client",
                 {{"facility", base::one_line(facility, 40)}, {"text", base::one_line(text, longest_words)}});
}

/// Says what is wrong with the file or value that an instance cannot be made with.
std::string why_not_made(std::string_view text) {
    return fmt::format("kafka: librdkafka does not take the settings: {}; check the files of TLS and the mechanism",
                       base::one_line(text, longest_words));
}

void tell_of_one_left_behind(std::string_view why) {
    observe::log(observe::level::error, "kafka.left_behind",
                 {{"reason", fmt::format("an instance of the client library stays until the process ends: {}", why)},
                  {"remedy", "restart the process when this comes often"}});
}

/// Destroying joins threads, and may wait for a broker; nobody must wait for that for long.
void destroy_in_time(rd_kafka_t* instance) {
    const bool produces = rd_kafka_type(instance) == RD_KAFKA_PRODUCER;
    if (produces) rd_kafka_purge(instance, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    std::promise<void> done;
    auto ended = done.get_future();
    std::thread worker{[instance, done = std::move(done)]() mutable {
        rd_kafka_destroy_flags(instance, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
        done.set_value();
    }};
    if (ended.wait_for(longest_farewell) == std::future_status::ready) return worker.join();
    worker.detach();
    tell_of_one_left_behind("it did not end in time");
}

}  // namespace

std::string words_of(rd_kafka_resp_err_t code, std::string_view more) {
    const std::string_view usual = rd_kafka_err2str(code);
    if (more.empty() || more == usual) return base::one_line(usual, longest_words);
    return base::one_line(more, longest_words);
}

client::client(kind what, const properties& with, const std::function<void(rd_kafka_conf_t*)>& prepare) {
    auto conf = make_conf(with);
    for (const char* each : {"ssl.ca.location", "ssl.certificate.location", "ssl.key.location"}) {
        if (const auto found = with.find(each); found != with.end()) {
            files_.push_back({.file = found->second, .written = written_at(found->second)});
        }
    }
    rd_kafka_conf_set_log_cb(conf.get(), write_log);
    if (prepare) prepare(conf.get());
    std::array<char, 512> text{};
    const auto type = what == kind::producer ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER;
    instance_ = rd_kafka_new(type, conf.get(), text.data(), text.size());
    if (instance_ == nullptr) throw configuration_error{why_not_made(text.data())};
    static_cast<void>(conf.release());  // the instance owns it now
}

client::~client() {
    if (is_left_) {
        tell_of_one_left_behind("ending it now would end the process");
        return;
    }
    try {
        destroy_in_time(instance_);
    } catch (const std::exception&) {
        // There is no thread to be had: what is destroyed here may take its time.
        rd_kafka_destroy_flags(instance_, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    }
}

bool client::note_error(rd_kafka_event_t* event) {
    if (rd_kafka_event_type(event) != RD_KAFKA_EVENT_ERROR) return false;
    note_error(rd_kafka_event_error(event), rd_kafka_event_error_string(event));
    return true;
}

void client::note_error(rd_kafka_resp_err_t code, std::string_view text) {
    const bool says_nothing = code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN;
    if (says_nothing && !trouble_.empty()) return;
    trouble_ = words_of(code, text);
}

bool client::is_broken() const { return rd_kafka_fatal_error(instance_, nullptr, 0) != RD_KAFKA_RESP_ERR_NO_ERROR; }

bool client::is_outdated() const {
    const auto is_another = [](const file_read& each) { return written_at(each.file) != each.written; };
    return !trouble_.empty() && std::ranges::any_of(files_, is_another);
}

void check_properties(const properties& with) { static_cast<void>(make_conf(with)); }

event_handle ask(const client& whom, rd_kafka_admin_op_t what,
                 const std::function<void(rd_kafka_AdminOptions_t*, rd_kafka_queue_t*)>& request,
                 const net::deadline& until) {
    const queue_handle answers{rd_kafka_queue_new(whom.get())};
    const admin_options_handle options{rd_kafka_AdminOptions_new(whom.get(), what)};
    std::array<char, 256> text{};
    constexpr int least_ms = 100;
    rd_kafka_AdminOptions_set_request_timeout(options.get(), std::max(until.poll_milliseconds(), least_ms), text.data(),
                                              text.size());
    request(options.get(), answers.get());
    for (;;) {
        const auto nap = std::min<int>(until.poll_milliseconds(), static_cast<int>(longest_nap.count()));
        event_handle event{rd_kafka_queue_poll(answers.get(), nap)};
        if (event) {
            const auto code = rd_kafka_event_error(event.get());
            if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return event;
            throw outage{words_of(code, rd_kafka_event_error_string(event.get()))};
        }
        if (until.passed()) throw outage{"no answer in time"};
    }
}

}  // namespace sluice::broker::kafka
