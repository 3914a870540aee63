#include "broker/nats/group_consumer.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include <sluice/error.hpp>

#include "broker/nats/publication.hpp"
#include "broker/partner_name.hpp"
#include "observe/log.hpp"

namespace sluice::broker::nats {
namespace {

using namespace std::chrono_literals;

constexpr auto bell_expires = 5s;
constexpr auto bell_heartbeat = 1s;
/// Three heartbeats that did not come.
constexpr auto deaf_after = 3s;
constexpr auto longest_fetch = 2s;
/// What is in hand of nobody comes again after this time, once the server looks.
constexpr auto collecting_ack_wait = 1ms;
constexpr int idle_heartbeat_status = 100;
/// Nobody took it.
constexpr int nobody_there_status = 503;
constexpr std::size_t unknown_average_bytes = 16'384;

template <class Number>
std::optional<Number> number_in(std::string_view text) {
    Number read{};
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), read);
    if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return read;
}

std::string text_in(const json::object& config, std::string_view key) {
    const json::value* const found = config.find(key);
    return found != nullptr && found->is_string() ? found->as_string() : std::string{};
}

/// `17`, or `17~1` of a stream that was made anew once.
struct entry_name {
    std::uint64_t sequence = 0;
    std::uint64_t life = 0;

    [[nodiscard]] std::string text() const {
        return life == 0 ? std::to_string(sequence) : fmt::format("{}~{}", sequence, life);
    }
    static entry_name parse(std::string_view text) {
        const auto end = std::min(text.find('~'), text.size());
        const auto sequence = number_in<std::uint64_t>(text.substr(0, end));
        const auto life = end == text.size() ? std::uint64_t{0} : number_in<std::uint64_t>(text.substr(end + 1));
        if (!sequence || !life) throw usage_error{fmt::format("`{}` is no entry of a stream of JetStream", text)};
        return {.sequence = *sequence, .life = *life};
    }
};

}  // namespace

std::optional<delivery_mark> delivery_mark::parse(std::string_view reply) {
    if (!reply.starts_with("$JS.ACK.")) return std::nullopt;
    std::vector<std::string_view> parts;
    for (;;) {
        const auto end = std::min(reply.find('.'), reply.size());
        parts.push_back(reply.substr(0, end));
        if (end == reply.size()) break;
        reply.remove_prefix(end + 1);
    }
    // $JS.ACK.stream.consumer.deliveries.sequence.…, where newer servers have domain and account before the stream.
    constexpr std::size_t short_form = 9;
    constexpr std::size_t long_form = 11;
    constexpr std::size_t place = 5;
    if (parts.size() != short_form && parts.size() < long_form) return std::nullopt;
    const std::size_t at = parts.size() == short_form ? place : place + 2;
    const auto sequence = number_in<std::uint64_t>(parts[at]);
    if (!sequence) return std::nullopt;
    return delivery_mark{.consumer = parts[at - 2], .sequence = *sequence};
}

group_consumer::group_consumer(std::string stream, std::size_t index, const membership& member,
                               const nats_options& options, route others)
    : stream_{std::move(stream)},
      subject_{partner_name(stream_)},
      index_{index},
      member_{member},
      options_{options},
      route_{std::move(others)},
      lease_{stream_, member, options.server_time, options.replicas},
      durable_{consumer_name(member.group, stream_)} {}

void group_consumer::forget_all() {
    fetched_.clear();
    in_hand_.clear();
    pull_.reset();
}

bool group_consumer::attach(session& on, std::uint64_t generation, const net::deadline& until) {
    if (generation_ != generation) {
        is_attached_ = false;
        pull_.reset();
    }
    const auto outcome = lease_.hold(on, until);
    if (outcome != group_lease::outcome::held) {
        forget_all();
        is_attached_ = false;
        if (outcome == group_lease::outcome::standing_by) return false;
    }
    if (is_attached_) return true;
    if (!find_stream(on, until)) return false;
    ensure_consumer(on, until);
    collect_pending(on, until);
    generation_ = generation;
    is_attached_ = true;
    return true;
}

bool group_consumer::find_stream(session& on, const net::deadline& until) {
    auto names = streams_taking(on, subject_, until);
    if (names.empty() && options_.create_stream) {
        create_stream(
            on, {.subject = subject_, .replicas = options_.replicas, .duplicate_window = options_.duplicate_window},
            until);
        names = streams_taking(on, subject_, until);
    }
    if (names.empty()) {
        if (!std::exchange(told_no_stream_, true)) {
            observe::log(observe::level::warn, "broker.no_stream",
                         {{"subject", subject_},
                          {"group", member_.group},
                          {"reason", "no stream of JetStream takes this subject, so there is nothing to read"},
                          {"remedy", "make one, or set create_stream = true"}});
        }
        return false;
    }
    if (!options_.expect_stream.empty() && std::ranges::find(names, options_.expect_stream) == names.end()) {
        throw outage{fmt::format("the subject {} is in the stream {} of JetStream, not in {} (expect_stream)", subject_,
                                 names.front(), options_.expect_stream)};
    }
    kept_in_ = options_.expect_stream.empty() ? names.front() : options_.expect_stream;
    told_no_stream_ = false;
    compare_stream(on, until);
    return true;
}

/// A stream that was made anew counts from one: what is known by number is not true of it, and to go on at a number of
/// the former one would pass over messages.
void group_consumer::compare_stream(session& on, const net::deadline& until) {
    const auto info = ask_well(on, "STREAM.INFO." + kept_in_, nullptr, until);
    std::string made_at = info.string_or("created", "");
    if (made_at == made_at_) return;
    if (!std::exchange(made_at_, std::move(made_at)).empty()) {
        while (auto message = on.next()) route_(std::move(*message));
        observe::log(observe::level::warn, "broker.stream_made_anew",
                     {{"subject", subject_},
                      {"group", member_.group},
                      {"reason", fmt::format("the stream {} of JetStream is another one than before: what was not "
                                             "read of the former one is gone",
                                             kept_in_)}});
        forget_all();
        next_ = 1;
        ++life_;
    }
}

json::object group_consumer::with_usual_settings(json::object config) const {
    config.set("ack_wait", nanoseconds(member_.claim));
    config.set("max_deliver", -1);
    config.set("max_ack_pending", options_.max_ack_pending);
    config.erase("backoff");
    return config;
}

void group_consumer::ensure_consumer(session& on, const net::deadline& until) {
    const auto answer = ask(on, fmt::format("CONSUMER.INFO.{}.{}", kept_in_, durable_), nullptr, until);
    if (const auto* error = std::get_if<api_error>(&answer)) {
        if (error->error_code != error_codes::consumer_not_found) throw outage{"JetStream: " + error->text};
        return write_config(on, with_usual_settings(new_config(on, until)), until);
    }
    config_ = std::get<json::value>(answer).at("config").as_object();
    const bool is_ours = text_in(config_, "filter_subject") == subject_ &&
                         text_in(config_, "ack_policy") == "explicit" && text_in(config_, "deliver_subject").empty();
    if (!is_ours) {
        throw outage{
            fmt::format("the consumer {} of the stream {} is not one of Sluice: it must be a pull consumer with "
                        "ack_policy explicit and filter_subject {}; delete it",
                        durable_, kept_in_, subject_)};
    }
    auto wanted = with_usual_settings(config_);
    if (!(wanted == config_)) write_config(on, wanted, until);
}

json::object group_consumer::new_config(session& on, const net::deadline& until) const {
    json::object config{{"durable_name", durable_},
                        {"filter_subject", subject_},
                        {"ack_policy", "explicit"},
                        {"replay_policy", "instant"}};
    const auto begin_at = [&](std::uint64_t sequence) {
        config.set("deliver_policy", "by_start_sequence");
        config.set("opt_start_seq", sequence);
    };
    if (next_ != 0) {
        // It was deleted while we read.
        auto first = next_;
        if (!fetched_.empty()) first = std::min(first, fetched_.begin()->first);
        if (!in_hand_.empty()) first = std::min(first, in_hand_.begin()->first);
        begin_at(first);
        return config;
    }
    if (!member_.former_group.empty()) {
        const auto former =
            ask(on, fmt::format("CONSUMER.INFO.{}.{}", kept_in_, consumer_name(member_.former_group, stream_)), nullptr,
                until);
        if (const auto* info = std::get_if<json::value>(&former)) {
            begin_at(static_cast<std::uint64_t>(info->at("ack_floor").at("stream_seq").as_int()) + 1);
            return config;
        }
    }
    switch (member_.from.where()) {
        case start::kind::beginning:
            config.set("deliver_policy", "all");
            break;
        case start::kind::now:
            config.set("deliver_policy", "new");
            break;
        case start::kind::time:
            config.set("deliver_policy", "by_start_time");
            config.set("opt_start_time", member_.from.first().to_string());
            break;
    }
    return config;
}

void group_consumer::write_config(session& on, const json::object& config, const net::deadline& until) {
    const auto answer = ask_well(on, fmt::format("CONSUMER.DURABLE.CREATE.{}.{}", kept_in_, durable_),
                                 json::object{{"stream_name", kept_in_}, {"config", config}}, until);
    config_ = answer.at("config").as_object();
}

/// The server hands out what comes again before anything new, but only once the time to acknowledge it has passed: so
/// that time is made short for a moment, and nothing new is let through meanwhile.
void group_consumer::collect_pending(session& on, const net::deadline& until) {
    const auto info = ask_well(on, fmt::format("CONSUMER.INFO.{}.{}", kept_in_, durable_), nullptr, until);
    const auto pending = info.at("num_ack_pending").as_int();
    if (pending <= 0) return;
    const json::object usual = config_;
    json::object collecting = config_;
    collecting.set("ack_wait", nanoseconds(collecting_ack_wait));
    collecting.set("max_ack_pending", 1);
    write_config(on, collecting, until);
    send_pull(on, {{"expires", nanoseconds(longest_fetch)}}, static_cast<std::size_t>(pending), false);
    await_pull(on, until.or_sooner(longest_fetch));
    write_config(on, usual, until);
}

void group_consumer::send_pull(session& on, json::object request, std::size_t wanted, bool is_bell) {
    pull_ = pull{.number = ++last_pull_, .left = wanted, .is_bell = is_bell, .heard = clock_type::now()};
    request.set("batch", wanted);
    on.send(fmt::format("$JS.API.CONSUMER.MSG.NEXT.{}.{}", kept_in_, durable_),
            fmt::format("m{}-{}", index_, pull_->number), json::dump(request));
}

void group_consumer::await_pull(session& on, const net::deadline& until) {
    for (;;) {
        while (auto message = on.next()) route_(std::move(*message));
        if (!pull_) return;
        if (const auto why = on.closed()) throw outage{*why};
        if (!on.wait(until)) return;
    }
}

void group_consumer::take_status(const incoming& message, std::string_view pull_number) {
    if (!pull_ || number_in<std::uint64_t>(pull_number) != pull_->number) return;
    pull_->heard = clock_type::now();
    if (message.status != idle_heartbeat_status) pull_.reset();
}

void group_consumer::take(incoming message, std::uint64_t sequence) {
    if (pull_) {
        pull_->heard = clock_type::now();
        if (--pull_->left == 0) pull_.reset();
    }
    // Of an earlier time: it stays with the server for who holds the lease.
    if (!lease_.is_held()) return;
    next_ = std::max(next_, sequence + 1);
    if (const auto known = in_hand_.find(sequence); known != in_hand_.end()) {
        known->second = std::move(message.reply);
        return;
    }
    fetched_.insert_or_assign(sequence, std::move(message));
}

std::size_t group_consumer::fitting(std::size_t wanted) const {
    const std::size_t known = fetched_.size() + in_hand_.size();
    wanted = std::min(wanted, options_.max_ack_pending - std::min(options_.max_ack_pending, known));
    if (member_.page_bytes == 0) return wanted;
    const std::size_t average = average_bytes_ == 0 ? unknown_average_bytes : average_bytes_;
    return std::min(wanted, std::max<std::size_t>(1, member_.page_bytes / average));
}

void group_consumer::fetch(session& on, std::size_t wanted, const net::deadline& until) {
    wanted = fitting(wanted);
    if (pull_ || wanted == 0) return;
    send_pull(on, {{"no_wait", true}}, wanted, false);
    await_pull(on, until.or_sooner(longest_fetch));
}

std::vector<delivery> group_consumer::read(session& on, std::uint64_t generation, std::size_t limit,
                                           const net::deadline& until) {
    std::vector<delivery> found;
    if (!attach(on, generation, until)) return found;
    if (fetched_.size() < limit) fetch(on, limit - fetched_.size(), until);
    std::size_t bytes = 0;
    while (found.size() < limit && !fetched_.empty()) {
        auto first = fetched_.extract(fetched_.begin());
        bytes += first.mapped().data.size();
        if (member_.page_bytes != 0 && !found.empty() && bytes > member_.page_bytes) {
            fetched_.insert(std::move(first));
            break;
        }
        found.push_back(hand_out(first.key(), std::move(first.mapped())));
    }
    if (!found.empty()) average_bytes_ = std::max<std::size_t>(1, bytes / found.size());
    return found;
}

delivery group_consumer::hand_out(std::uint64_t sequence, incoming message) {
    in_hand_[sequence] = std::move(message.reply);
    delivery out{
        .entry = entry_name{sequence, life_}.text(), .stream = stream_, .body = std::move(message.data), .key = {}};
    read_published_head(message.head, out.key, out.content_type, out.head);
    return out;
}

void group_consumer::ack(session& on, std::span<const std::string> entries, const net::deadline& until) {
    std::vector<std::uint64_t> numbers;
    for (const std::string& each : entries) {
        const auto name = entry_name::parse(each);
        if (name.life == life_) numbers.push_back(name.sequence);
    }
    if (!lease_.confirm(on, until)) return forget_all();
    std::erase_if(numbers, [&](std::uint64_t each) { return !in_hand_.contains(each); });
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        const std::string& where = in_hand_.at(numbers[i]);
        // They are taken in order: when the last one is confirmed, all are.
        if (i + 1 < numbers.size()) {
            on.post(where, "+ACK");
        } else {
            confirm(on, where, until);
        }
    }
    for (const std::uint64_t each : numbers) in_hand_.erase(each);
}

void group_consumer::confirm(session& on, const std::string& where, const net::deadline& until) {
    if (on.call_with(where, "+ACK", {}, until).status != nobody_there_status) return;
    attach_again();
    throw outage{fmt::format("the consumer {} is gone, and took no acknowledgement", durable_)};
}

void group_consumer::heartbeat(session& on, const net::deadline& until) {
    if (!lease_.is_held()) return;
    if (!lease_.renew(on, until)) return forget_all();
    for (const auto& [sequence, where] : in_hand_) on.post(where, "+WPI");
    for (const auto& [sequence, message] : fetched_) on.post(message.reply, "+WPI");
}

void group_consumer::release(session& on, const net::deadline& until) {
    lease_.give_up(on, until);
    forget_all();
    is_attached_ = false;
}

void group_consumer::listen(session& on, std::uint64_t generation) {
    if (!is_reading() || generation_ != generation || pull_ || !fetched_.empty() || fitting(1) == 0) return;
    send_pull(on, {{"expires", nanoseconds(bell_expires)}, {"idle_heartbeat", nanoseconds(bell_heartbeat)}}, 1, true);
}

bool group_consumer::is_deaf() const { return pull_ && clock_type::now() - pull_->heard > deaf_after; }

}  // namespace sluice::broker::nats
