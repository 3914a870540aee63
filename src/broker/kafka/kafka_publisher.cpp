#include "broker/kafka/kafka_publisher.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "broker/kafka/judgement.hpp"
#include "broker/kafka/record.hpp"
#include "broker/kafka/topic_name.hpp"
#include "observe/log.hpp"

namespace sluice::broker::kafka {
namespace {

constexpr std::size_t most_on_their_way = 10'000;
constexpr std::size_t most_bytes_on_their_way = std::size_t{16} << 20U;

send_limits limits_of(const kafka_options& options) {
    return {
        .messages = most_on_their_way, .bytes = most_bytes_on_their_way, .largest_message = options.max_message_bytes};
}

}  // namespace

kafka_publisher::kafka_publisher(std::shared_ptr<const cluster> at)
    : at_{std::move(at)}, window_{limits_of(at_->options)}, topics_{at_->options} {}

void kafka_publisher::open(duration message_timeout) {
    if (client_ != nullptr) return;
    client_ = std::make_unique<client>(client::kind::producer,
                                       producer_properties(at_->options, at_->location, message_timeout),
                                       [this](rd_kafka_conf_t* conf) { reports_.collect_from(conf); });
}

std::vector<verdict> kafka_publisher::publish(std::span<const outgoing> batch, const producer& /*from*/,
                                              duration timeout) {
    const net::deadline until{timeout, &haste_};
    replace_outdated();
    window_.begin(batch);
    std::string trouble = "no confirmation in time";
    try {
        open(timeout);
        learn_topics(batch, until);
        send_all(until);
    } catch (const std::exception& e) {
        trouble = e.what();
    }
    auto verdicts = window_.finish({reason(trouble)});
    if (client_ != nullptr && client_->is_broken()) replace();
    return verdicts;
}

std::string kafka_publisher::probe(duration timeout) {
    const net::deadline until{timeout, &haste_};
    replace_outdated();
    try {
        open(timeout);
        const config_resource_handle any{rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, "sluice-probe")};
        std::array<rd_kafka_ConfigResource_t*, 1> question{any.get()};
        static_cast<void>(ask(
            *client_, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS,
            [&](rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* to) {
                rd_kafka_DescribeConfigs(client_->get(), question.data(), question.size(), options, to);
            },
            until));
        return {};
    } catch (const std::exception& e) {
        if (client_ != nullptr) settle_all(reports_.read(*client_));
        return reason(e.what());
    }
}

/// The library's last words about the connection say more than that time has passed.
std::string kafka_publisher::reason(const std::string& otherwise) const {
    if (client_ == nullptr || client_->trouble().empty()) return otherwise;
    return client_->trouble();
}

void kafka_publisher::learn_topics(std::span<const outgoing> batch, const net::deadline& until) {
    try {
        topics_.learn_for(*client_, batch, until);
    } catch (const outage&) {
        settle_all(reports_.read(*client_));
        throw;
    }
}

void kafka_publisher::send_all(const net::deadline& until) {
    while (!window_.is_settled()) {
        bool is_room = true;
        while (is_room && (suspects_ == 0 || window_.on_their_way() == 0)) {
            const auto each = window_.next();
            if (!each) break;
            is_room = send(*each);
        }
        if (window_.is_settled() || until.passed() || client_->is_broken()) break;
        const auto what = window_.is_all_sent() ? delivery_reports::wait_for::all : delivery_reports::wait_for::first;
        settle_all(reports_.flush(*client_, what, until));
        settle_gone_topics(until);
    }
    settle_all(reports_.read(*client_));
}

const std::string& kafka_publisher::name_of(std::string_view stream) {
    const auto found = names_.find(stream);
    if (found != names_.end()) return found->second;
    return names_.emplace(stream, topic_of(at_->options.prefix, stream)).first->second;
}

bool kafka_publisher::send(const send_window::transmission& each) {
    const std::string& name = name_of(each.message->stream);
    const topics::place* const to = topics_.find(name);
    if (to == nullptr) {
        window_.settle(each.number, unreachable{fmt::format("topic {} has to be looked up again", name)});
        return true;
    }
    if (auto no = topics::objection_to(*each.message, *to)) {
        window_.settle(each.number, *std::move(no));
        return true;
    }
    const auto error = produce(client_->get(), to->topic.get(), *each.message, each.number);
    if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        window_.take_back(each.number);
        return false;
    }
    flights_[each.number] = {.topic = &name, .alone = suspects_ > 0 && window_.on_their_way() == 1};
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) fail(each.number, error);
    return true;
}

void kafka_publisher::settle_all(const std::vector<report>& reports) {
    for (const report& each : reports) settle(each);
}

void kafka_publisher::settle(const report& of) {
    if (of.code != RD_KAFKA_RESP_ERR_NO_ERROR) return fail(of.ticket, of.code);
    const auto found = flights_.find(of.ticket);
    if (found == flights_.end()) return;
    if (found->second.alone && suspects_ > 0) --suspects_;
    flights_.erase(found);
    client_->forget_trouble();
    window_.settle(of.ticket, confirmation(of.partition, of.offset));
}

void kafka_publisher::fail(send_window::ticket number, rd_kafka_resp_err_t code) {
    const auto found = flights_.find(number);
    if (found == flights_.end()) return;
    const flight which = found->second;
    flights_.erase(found);
    switch (judge(code)) {
        case judgement::in_doubt:
            if (which.alone && suspects_ > 0) --suspects_;
            return window_.settle(number, unreachable{reason(words_of(code))});
        case judgement::topic_gone:
            topics_.forget(*which.topic);
            without_topic_[number] = *which.topic;
            return;
        case judgement::topic_closed:
            if (which.alone && suspects_ > 0) --suspects_;
            return window_.settle(number, refusal_alone(code, words_of(code)));
        case judgement::batch_refused:
            if (!which.alone) {
                ++suspects_;
                return window_.take_back(number);
            }
            if (suspects_ > 0) --suspects_;
            return window_.settle(number, refusal_alone(code, words_of(code)));
    }
}

/// A client that knows no topic may be wrong: the broker is asked.
void kafka_publisher::settle_gone_topics(const net::deadline& until) {
    if (without_topic_.empty()) return;
    const auto failed = std::exchange(without_topic_, {});
    std::set<std::string> names;
    for (const auto& [number, topic] : failed) names.insert(topic);
    std::string trouble = "the client did not know the topic, which is there; it is sent again";
    try {
        topics_.learn(*client_, names, until);
    } catch (const outage& e) {
        trouble = e.what();
    }
    for (const auto& [number, topic] : failed) {
        const topics::place* const now = topics_.find(topic);
        if (now != nullptr && now->no) {
            window_.settle(number, *now->no);
        } else {
            window_.settle(number, unreachable{trouble});
        }
    }
}

void kafka_publisher::replace_outdated() {
    if (client_ != nullptr && client_->is_outdated()) replace();
}

void kafka_publisher::replace() {
    observe::log(observe::level::warn, "kafka.client_replaced",
                 {{"reason", client_->trouble()}, {"in_doubt", window_.on_their_way()}});
    rd_kafka_purge(client_->get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    const net::deadline soon{std::chrono::seconds{2}, &haste_};
    while (!flights_.empty() && !soon.passed()) {
        settle_all(reports_.flush(*client_, delivery_reports::wait_for::all, soon));
    }
    window_.lost_connection({reason("the client had to be replaced")});
    flights_.clear();
    without_topic_.clear();
    suspects_ = 0;
    topics_.forget_all();
    client_.reset();
}

}  // namespace sluice::broker::kafka
