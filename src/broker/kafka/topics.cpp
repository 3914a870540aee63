#include "broker/kafka/topics.hpp"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "broker/kafka/judgement.hpp"
#include "broker/kafka/record.hpp"
#include "broker/kafka/topic_name.hpp"

namespace sluice::broker::kafka {
namespace {

refused absent(const std::string& name) {
    return {.reason = fmt::format("topic {} is not there; make it, or set create_topics = true", name),
            .code = code_word(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART),
            .stream_closed = true};
}

refused unusable(const std::string& name) {
    return {.reason = fmt::format("{} is no name for a topic: Kafka takes 1 to 249 of A-Z a-z 0-9 . _ -", name),
            .code = "bad_topic_name",
            .permanent = true};
}

/// Lets the client find the leaders before the first message has to wait for them.
void look_up(const client& by, rd_kafka_topic_t* topic, const net::deadline& until) {
    constexpr int longest_ms = 1000;
    const rd_kafka_metadata_t* found = nullptr;
    if (rd_kafka_metadata(by.get(), 0, topic, &found, std::min(until.poll_milliseconds(), longest_ms)) ==
        RD_KAFKA_RESP_ERR_NO_ERROR) {
        const metadata_handle owner{found};
    }
}

}  // namespace

const topics::place* topics::find(std::string_view name) const {
    const auto found = known_.find(name);
    return found == known_.end() ? nullptr : &found->second;
}

void topics::forget(std::string_view name) {
    if (const auto found = known_.find(name); found != known_.end()) known_.erase(found);
}

void topics::learn(const client& by, const std::set<std::string>& names, const net::deadline& until) {
    std::set<std::string> wanted;
    for (const std::string& name : names) {
        const place* const known = find(name);
        if (known != nullptr && (!known->no || known->no->permanent)) continue;
        if (is_topic_name(name)) {
            wanted.insert(name);
        } else {
            known_[name].no = unusable(name);
        }
    }
    if (wanted.empty()) return;
    auto found = describe_topics(by, wanted, until);
    if (!found.missing.empty() && options_.create_topics) found = create(by, found, until);
    for (const auto& [name, largest] : found.there) note(by, name, largest, until);
    for (const std::string& name : found.missing) known_.insert_or_assign(name, place{.no = absent(name)});
}

void topics::learn_for(const client& by, std::span<const outgoing> batch, const net::deadline& until) {
    std::set<std::string_view> streams;
    for (const outgoing& each : batch) streams.insert(each.stream);
    std::set<std::string> names;
    for (const auto stream : streams) {
        if (!stream.empty()) names.insert(topic_of(options_.prefix, stream));
    }
    learn(by, names, until);
}

std::optional<refused> topics::objection_to(const outgoing& message, const place& to) {
    if (to.no) return to.no;
    const std::size_t bytes = record_bytes(message);
    if (to.largest_message == 0 || bytes <= to.largest_message) return std::nullopt;
    return refused{.reason = fmt::format("message {} has {} bytes with key and headers; its topic takes {} "
                                         "(max.message.bytes)",
                                         message.message_id, bytes, to.largest_message),
                   .code = "message_too_big",
                   .permanent = true};
}

described_topics topics::create(const client& by, described_topics found, const net::deadline& until) {
    const auto failed = create_topics(by, options_, found.missing, until);
    for (const auto& [name, why] : failed) {
        found.missing.erase(name);
        known_.insert_or_assign(name, place{.no = why});
    }
    // The brokers hear of a new topic one after the other.
    constexpr std::chrono::milliseconds pause{20};
    while (!found.missing.empty()) {
        const auto made = describe_topics(by, found.missing, until);
        found.there.insert(made.there.begin(), made.there.end());
        found.missing = made.missing;
        if (!found.missing.empty()) std::this_thread::sleep_for(pause);
    }
    return found;
}

void topics::note(const client& by, const std::string& name, std::size_t largest, const net::deadline& until) {
    place at{.topic = topic_handle{rd_kafka_topic_new(by.get(), name.c_str(), nullptr)}, .largest_message = largest};
    if (at.topic == nullptr) throw outage{words_of(rd_kafka_last_error())};
    look_up(by, at.topic.get(), until);
    known_.insert_or_assign(name, std::move(at));
}

}  // namespace sluice::broker::kafka
