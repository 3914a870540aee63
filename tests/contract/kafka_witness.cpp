#include "contract/kafka_witness.hpp"

#include <algorithm>

#include "broker/kafka/endpoint.hpp"
#include "broker/kafka/group_places.hpp"
#include "broker/kafka/place_note.hpp"
#include "broker/kafka/properties.hpp"
#include "broker/kafka/topic_name.hpp"

namespace sluice::broker::contract {
namespace {

net::deadline answer_deadline() { return net::deadline{std::chrono::seconds{20}}; }

void note_member(const rd_kafka_MemberDescription_t* one, kafka_witness::seen_group& into) {
    const std::string name = rd_kafka_MemberDescription_client_id(one);
    into.members.insert(name);
    const auto* const share = rd_kafka_MemberDescription_assignment(one);
    const auto* const partitions = share == nullptr ? nullptr : rd_kafka_MemberAssignment_partitions(share);
    for (int i = 0; partitions != nullptr && i < partitions->cnt; ++i) {
        if (partitions->elems[i].partition == 0) into.holders[partitions->elems[i].topic] = name;
    }
}

}  // namespace

kafka_witness::kafka_witness(const kafka_options& options)
    : prefix_{options.prefix},
      client_{kafka::client::kind::producer, kafka::connection_properties(options, kafka::parse_uri(options.uri))} {}

std::string kafka_witness::topic_of(const std::string& stream) const { return kafka::topic_of(prefix_, stream); }

kafka_witness::seen_group kafka_witness::look_at(const std::string& group) {
    const std::string name = prefix_ + group;
    const char* one = name.c_str();
    const auto answer = kafka::ask(
        client_, RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS,
        [&](rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* to) {
            rd_kafka_DescribeConsumerGroups(client_.get(), &one, 1, options, to);
        },
        answer_deadline());
    std::size_t count = 0;
    const auto* const* const found = rd_kafka_DescribeConsumerGroups_result_groups(
        rd_kafka_event_DescribeConsumerGroups_result(answer.get()), &count);
    if (count == 0 || rd_kafka_ConsumerGroupDescription_error(found[0]) != nullptr) return {};
    kafka_witness::seen_group seen{.is_stable = rd_kafka_ConsumerGroupDescription_state(found[0]) ==
                                                RD_KAFKA_CONSUMER_GROUP_STATE_STABLE};
    for (std::size_t i = 0; i < rd_kafka_ConsumerGroupDescription_member_count(found[0]); ++i) {
        note_member(rd_kafka_ConsumerGroupDescription_member(found[0], i), seen);
    }
    return seen;
}

std::optional<kafka_witness::place> kafka_witness::place_of(const std::string& group, const std::string& stream) {
    const kafka::topic_partition at{.topic = topic_of(stream), .partition = 0};
    const auto all = kafka::places_of_group(client_, prefix_ + group, answer_deadline());
    const auto found = std::ranges::find(all, at, &kafka::kept_place::at);
    if (found == all.end()) return std::nullopt;
    place seen{.floor = found->offset, .end = kafka::ask_watermarks(client_, at, answer_deadline()).end};
    if (const auto note = kafka::read_note(found->metadata, found->offset)) {
        seen.settled.insert(note->done.begin(), note->done.end());
    }
    return seen;
}

}  // namespace sluice::broker::contract
