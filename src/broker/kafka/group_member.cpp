#include "broker/kafka/group_member.hpp"

#include <algorithm>
#include <cstdlib>
#include <set>
#include <utility>

#include <poll.h>

#include <fmt/format.h>

#include <sluice/error.hpp>

#include "base/signal_mask.hpp"
#include "broker/kafka/record.hpp"
#include "broker/kafka/topic_admin.hpp"
#include "broker/kafka/topic_name.hpp"
#include "observe/log.hpp"

namespace sluice::broker::kafka {
namespace {

constexpr std::chrono::milliseconds longest_step{100};
constexpr std::chrono::seconds longest_last_commit{2};
constexpr std::chrono::seconds longest_leave{3};

}  // namespace

group_member::group_member(std::shared_ptr<const cluster> at, std::vector<std::string> streams, const membership& who)
    : at_{std::move(at)}, streams_{std::move(streams)}, who_{who}, last_sign_{now_micros()} {
    for (std::size_t i = 0; i < streams_.size(); ++i) {
        const std::string topic = topic_of(at_->options.prefix, streams_[i]);
        if (!is_topic_name(topic)) throw usage_error{fmt::format("{} is no name for a topic of Kafka", topic)};
        if (!stream_of_topic_.emplace(topic, i).second) {
            throw usage_error{fmt::format("two streams of one reader have the topic {}; give them other names", topic)};
        }
    }
    client_ = std::make_unique<client>(client::kind::consumer, consumer_properties(at_->options, at_->location, who_),
                                       [this](rd_kafka_conf_t* conf) {
                                           rd_kafka_conf_set_opaque(conf, this);
                                           rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
                                           rd_kafka_conf_set_error_cb(conf, on_error);
                                       });
    rd_kafka_poll_set_consumer(client_->get());
    committer_.emplace(*client_);
    const base::blocked_signals in_the_new_thread;
    thread_ = std::jthread{[this, log = observe::log_route_of_this_thread()](const std::stop_token& stop) {
        const observe::log_scope scope{log};
        run(stop);
    }};
}

group_member::~group_member() {
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
    for (auto& [at, each] : shares_) each.close_queue();
    shares_.clear();
    committer_.reset();
}

std::int64_t group_member::now_micros() const {
    const clock* const time = at_->options.time;
    if (time != nullptr) return time->now().micros();
    return std::chrono::duration_cast<duration>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void group_member::sign_of_life() { last_sign_ = now_micros(); }

void group_member::note_trouble(const std::string& what) {
    const std::lock_guard lock{mutex_};
    trouble_ = what;
}

delivery group_member::to_delivery(const rd_kafka_message_t& message, std::size_t stream) const {
    delivery made{.entry = entry_name{message.partition, message.offset}.text(),
                  .stream = streams_[stream],
                  .body = {},
                  .key = {}};
    read_record(message, made);
    return made;
}

std::vector<delivery> group_member::take(std::size_t stream, std::size_t limit) {
    sign_of_life();
    std::vector<delivery> found;
    const std::lock_guard lock{mutex_};
    wants_in_ = true;
    if (!trouble_.empty()) throw broker_error{std::exchange(trouble_, {}), error_nature::retryable};
    std::size_t bytes = 0;
    std::vector<share*> mine;
    for (auto& [at, each] : shares_) {
        if (each.stream == stream && !each.is_leaving) mine.push_back(&each);
    }
    ++first_share_;
    for (std::size_t i = 0; i < mine.size(); ++i) {
        share& from = *mine[(first_share_ + i) % mine.size()];
        const auto is_room = [&] {
            return found.size() < limit && (who_.page_bytes == 0 || found.empty() || bytes < who_.page_bytes);
        };
        while (is_room() && !from.has_lost_place) {
            const message_handle message = from.next();
            if (message == nullptr) break;
            if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
                from.has_lost_place = message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ||
                                      message->err == RD_KAFKA_RESP_ERR__NO_OFFSET ||
                                      message->err == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE;
                if (!from.has_lost_place) trouble_ = words_of(message->err, rd_kafka_message_errstr(message.get()));
                continue;
            }
            if (!from.done) from.done.emplace(message->offset);
            if (!from.done->arrived(message->offset)) continue;
            found.push_back(to_delivery(*message, stream));
            bytes += message->len;
        }
    }
    return found;
}

void group_member::settle(std::size_t stream, const entry_name& entry) {
    sign_of_life();
    const std::lock_guard lock{mutex_};
    const auto found = shares_.find({topic_of(at_->options.prefix, streams_[stream]), entry.partition});
    if (found != shares_.end() && found->second.done) found->second.done->settled(entry.offset);
}

bool group_member::has_more() {
    const std::lock_guard lock{mutex_};
    if (!trouble_.empty()) return true;
    return std::ranges::any_of(shares_, [](const auto& each) {
        return !each.second.is_leaving && !each.second.has_lost_place && each.second.has_more();
    });
}

base::wake_reason group_member::wait(base::wake_signal& signal, duration timeout) {
    const net::deadline until{timeout};
    waits_ = true;
    auto reason = base::wake_reason::file_changed;
    while (reason == base::wake_reason::file_changed) {
        messages_.drain();
        if (has_more()) break;
        reason = net::wait_for_either(signal, messages_.fd(), POLLIN, until);
    }
    sign_of_life();
    waits_ = false;
    return reason;
}

void group_member::leave() {
    const std::lock_guard lock{mutex_};
    wants_in_ = false;
    must_leave_ = true;
    for (auto& [at, each] : shares_) each.is_leaving = true;
}

// What follows runs in the member's own thread.

void group_member::run(const std::stop_token& stop) {
    constexpr std::chrono::milliseconds pause{200};
    while (!stop.stop_requested()) {
        try {
            step();
        } catch (const std::exception& e) {
            note_trouble(e.what());
            messages_.notify();
            std::this_thread::sleep_for(pause);
        }
    }
    try {
        farewell();
    } catch (const std::exception& e) {
        observe::log(observe::level::warn, "kafka.left_in_a_hurry", {{"group", who_.group}, {"reason", e.what()}});
    }
}

void group_member::step() {
    leave_when_silent();
    join();
    keep_early(message_handle{rd_kafka_consumer_poll(client_->get(), static_cast<int>(longest_step.count()))});
    was_member_ = was_member_ || is_member();
    find_lost_places();
    commit_changes();
}

void group_member::join() {
    bool wants_in = false;
    bool must_leave = false;
    {
        const std::lock_guard lock{mutex_};
        must_leave = must_leave_;
        wants_in = wants_in_ && !must_leave_ && shares_.empty();
    }
    if (must_leave) {
        if (is_in_) {
            rd_kafka_unsubscribe(client_->get());
            is_in_ = false;
        }
        const std::lock_guard lock{mutex_};
        must_leave_ = false;
    } else if (wants_in && !is_in_) {
        make_topics();
        const partitions_handle topics{rd_kafka_topic_partition_list_new(static_cast<int>(streams_.size()))};
        for (const auto& [topic, stream] : stream_of_topic_) {
            rd_kafka_topic_partition_list_add(topics.get(), topic.c_str(), RD_KAFKA_PARTITION_UA);
        }
        const auto error = rd_kafka_subscribe(client_->get(), topics.get());
        if (error != RD_KAFKA_RESP_ERR_NO_ERROR) throw outage{words_of(error)};
        is_in_ = was_in_ = true;
    }
}

void group_member::make_topics() {
    if (!at_->options.create_topics) return;
    std::set<std::string> names;
    for (const auto& [topic, stream] : stream_of_topic_) names.insert(topic);
    const auto missing = describe_topics(*client_, names, answer_deadline()).missing;
    if (missing.empty()) return;
    for (const auto& [name, why] : create_topics(*client_, at_->options, missing, answer_deadline())) {
        note_trouble(why.reason);
    }
}

void group_member::leave_when_silent() {
    if (waits_ || now_micros() - last_sign_ <= who_.claim.count()) return;
    const std::lock_guard lock{mutex_};
    const bool holds = std::ranges::any_of(shares_, [](const auto& each) { return !each.second.is_leaving; });
    if (!holds) return;
    observe::log(
        observe::level::warn, "kafka.member_silent",
        {{"group", who_.group},
         {"consumer", who_.consumer},
         {"reason", "nothing was heard of its handlers for the claim time, so other members get its partitions"}});
    wants_in_ = false;
    must_leave_ = true;
    for (auto& [at, each] : shares_) each.is_leaving = true;
}

/// A message that came in the common queue, before its partition had one of its own; or an error.
void group_member::keep_early(message_handle message) {
    if (message == nullptr) return;
    if (message->rkt == nullptr) return note_trouble(words_of(message->err, rd_kafka_message_errstr(message.get())));
    const topic_partition at{rd_kafka_topic_name(message->rkt), message->partition};
    const std::lock_guard lock{mutex_};
    const auto found = shares_.find(at);
    if (found != shares_.end()) {
        found->second.early.push_back(std::move(message));
    } else if (message->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART && !std::exchange(told_missing_, true)) {
        observe::log(observe::level::warn, "kafka.topic_missing",
                     {{"topic", at.topic}, {"group", who_.group}, {"remedy", "it is read as soon as it is made"}});
    }
}

void group_member::on_error(rd_kafka_t* /*instance*/, int code, const char* text, void* self) {
    auto* const of = static_cast<group_member*>(self);
    of->client_->note_error(static_cast<rd_kafka_resp_err_t>(code), text == nullptr ? "" : text);
    of->note_trouble(of->client_->trouble());
    of->messages_.notify();
}

std::vector<kept_place> group_member::changed_places() {
    std::vector<kept_place> places;
    const std::lock_guard lock{mutex_};
    for (const auto& [at, each] : shares_) {
        if (!each.must_commit()) continue;
        const std::int64_t floor = each.done->floor();
        const place_note note{.stream = streams_[each.stream],
                              .domain = who_.domain,
                              .next = each.done->next(),
                              .done = each.done->done_behind()};
        places.push_back({.at = at, .offset = floor, .metadata = write_note(note, floor), .behind = note.done.size()});
    }
    return places;
}

void group_member::note_kept(const std::vector<kept_place>& places) {
    const std::lock_guard lock{mutex_};
    for (const kept_place& each : places) {
        const auto found = shares_.find(each.at);
        if (found == shares_.end()) continue;
        found->second.committed_floor = each.offset;
        found->second.committed_behind = each.behind;
    }
}

void group_member::commit_changes() {
    note_kept(committer_->kept());
    if (!committer_->is_free()) return;
    if (auto places = changed_places(); !places.empty()) committer_->commit(std::move(places));
}

/// Before partitions are given back; no rebalance waits for that.
void group_member::commit_and_wait() {
    const net::deadline until{longest_last_commit};
    const auto places = changed_places();
    if (places.empty()) return;
    const std::string trouble = commit_places(*client_, places, until);
    if (trouble.empty()) return note_kept(places);
    observe::log(observe::level::info, "kafka.not_committed",
                 {{"group", who_.group}, {"reason", trouble}, {"consequence", "messages come once more"}});
}

void group_member::farewell() {
    ends_ = true;
    {
        const std::lock_guard lock{mutex_};
        for (auto& [at, each] : shares_) each.is_leaving = true;
    }
    // Before 2.3 the library ends the process with an assertion when a member that has joined, and was not told its
    // partitions yet, is destroyed (assignor "cooperative-sticky"). So it waits for them; who never reached the group
    // has nothing to wait for.
    constexpr int mended = 0x02030000;
    const bool may_abort = rd_kafka_version() < mended && was_in_;
    const auto never_reached = [&] { return !was_member_ && !client_->trouble().empty(); };
    const net::deadline first{longest_leave};
    while (may_abort && is_in_ && !was_assigned_ && !never_reached() && !first.passed()) poll_in_haste();
    // Closing alone would not tell the group when there are no partitions to give back (seen with 2.0.2): the others
    // would wait for this member until its session ends.
    rd_kafka_unsubscribe(client_->get());
    const net::deadline until{longest_leave};
    while (is_member() && !until.passed()) poll_in_haste();
    if (may_abort && !was_assigned_ && !never_reached()) return client_->leave_behind();
    close();
}

void group_member::poll_in_haste() {
    const message_handle ignored{rd_kafka_consumer_poll(client_->get(), static_cast<int>(longest_nap.count()))};
    was_member_ = was_member_ || is_member();
}

bool group_member::is_member() const {
    const std::unique_ptr<char, destroys<std::free>> name{rd_kafka_memberid(client_->get())};
    return name != nullptr && *name != '\0';
}

void group_member::close() {
    const queue_handle last{rd_kafka_queue_new(client_->get())};
    const error_handle error{rd_kafka_consumer_close_queue(client_->get(), last.get())};
    if (error != nullptr) throw outage{words_of(rd_kafka_error_code(error.get()), rd_kafka_error_string(error.get()))};
    const net::deadline until{longest_leave};
    while (rd_kafka_consumer_closed(client_->get()) == 0 && !until.passed()) {
        rd_kafka_queue_poll_callback(last.get(), static_cast<int>(longest_nap.count()));
    }
}

}  // namespace sluice::broker::kafka
