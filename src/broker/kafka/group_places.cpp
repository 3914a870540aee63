#include "broker/kafka/group_places.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <thread>
#include <utility>

namespace sluice::broker::kafka {
namespace {

using offsets_request_handle =
    std::unique_ptr<rd_kafka_ListConsumerGroupOffsets_t, destroys<rd_kafka_ListConsumerGroupOffsets_destroy>>;

partitions_handle to_list(const std::vector<topic_partition>& of) {
    partitions_handle list{rd_kafka_topic_partition_list_new(static_cast<int>(of.size()))};
    for (const auto& each : of) rd_kafka_topic_partition_list_add(list.get(), each.topic.c_str(), each.partition);
    return list;
}

std::vector<kept_place> kept_places(const rd_kafka_topic_partition_list_t* list) {
    std::vector<kept_place> places;
    for (int i = 0; list != nullptr && i < list->cnt; ++i) {
        const auto& each = list->elems[i];
        if (each.err != RD_KAFKA_RESP_ERR_NO_ERROR || each.offset < 0) continue;
        places.push_back({.at = {.topic = each.topic, .partition = each.partition},
                          .offset = each.offset,
                          .metadata = {static_cast<const char*>(each.metadata), each.metadata_size}});
    }
    return places;
}

int wait_ms(const net::deadline& until) {
    constexpr int least = 100;
    return std::max(until.poll_milliseconds(), least);
}

/// A partition has no leader for a moment when it is made or moved: the same call again.
template <class Call>
void call_the_leader(const net::deadline& until, Call call) {
    constexpr std::chrono::milliseconds pause{50};
    for (;;) {
        const rd_kafka_resp_err_t error = call();
        if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return;
        const bool is_moving =
            error == RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION || error == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE ||
            error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || error == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION;
        if (!is_moving || until.passed()) throw outage{words_of(error)};
        std::this_thread::sleep_for(pause);
    }
}

}  // namespace

partitions_handle to_list(const std::vector<kept_place>& places) {
    partitions_handle list{rd_kafka_topic_partition_list_new(static_cast<int>(places.size()))};
    for (const kept_place& each : places) {
        auto* const at = rd_kafka_topic_partition_list_add(list.get(), each.at.topic.c_str(), each.at.partition);
        at->offset = each.offset;
        if (each.metadata.empty()) continue;
        at->metadata = rd_kafka_mem_malloc(nullptr, each.metadata.size());  // the list frees it
        at->metadata_size = each.metadata.size();
        std::memcpy(at->metadata, each.metadata.data(), each.metadata.size());
    }
    return list;
}

std::vector<kept_place> committed_places(const client& by, const std::vector<topic_partition>& of,
                                         const net::deadline& until) {
    const auto list = to_list(of);
    const auto error = rd_kafka_committed(by.get(), list.get(), wait_ms(until));
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) throw outage{words_of(error)};
    return kept_places(list.get());
}

std::vector<kept_place> places_of_group(const client& by, const std::string& group, const net::deadline& until) {
    const offsets_request_handle request{rd_kafka_ListConsumerGroupOffsets_new(group.c_str(), nullptr)};
    auto* question = request.get();
    const auto answer = ask(
        by, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS,
        [&](rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* to) {
            rd_kafka_ListConsumerGroupOffsets(by.get(), &question, 1, options, to);
        },
        until);
    std::size_t count = 0;
    const auto* const* const groups = rd_kafka_ListConsumerGroupOffsets_result_groups(
        rd_kafka_event_ListConsumerGroupOffsets_result(answer.get()), &count);
    if (count == 0) return {};
    if (const auto* error = rd_kafka_group_result_error(groups[0])) {
        throw outage{words_of(rd_kafka_error_code(error), rd_kafka_error_string(error))};
    }
    return kept_places(rd_kafka_group_result_partitions(groups[0]));
}

std::string commit_places(const client& by, const std::vector<kept_place>& places, const net::deadline& until) {
    const auto list = to_list(places);
    const queue_handle answers{rd_kafka_queue_new(by.get())};
    auto error = rd_kafka_commit_queue(by.get(), list.get(), answers.get(), nullptr, nullptr);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return words_of(error);
    const event_handle answer{rd_kafka_queue_poll(answers.get(), wait_ms(until))};
    if (answer == nullptr) return "no answer in time";
    error = rd_kafka_event_error(answer.get());
    return error == RD_KAFKA_RESP_ERR_NO_ERROR ? std::string{} : words_of(error);
}

watermarks ask_watermarks(const client& by, const topic_partition& of, const net::deadline& until) {
    watermarks marks;
    call_the_leader(until, [&] {
        return rd_kafka_query_watermark_offsets(by.get(), of.topic.c_str(), of.partition, &marks.low, &marks.end,
                                                wait_ms(until));
    });
    return marks;
}

std::int64_t first_since(const client& by, const topic_partition& of, date_time first, const net::deadline& until) {
    constexpr std::int64_t micros_per_milli = 1000;
    std::int64_t found = -1;
    call_the_leader(until, [&] {
        const auto list = to_list({of});
        list->elems[0].offset = first.micros() / micros_per_milli;
        const auto error = rd_kafka_offsets_for_times(by.get(), list.get(), wait_ms(until));
        if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return error;
        found = list->elems[0].offset;
        return list->elems[0].err;
    });
    return found >= 0 ? found : ask_watermarks(by, of, until).end;
}

}  // namespace sluice::broker::kafka
