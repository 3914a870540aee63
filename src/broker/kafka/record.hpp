#pragma once

#include <cstddef>
#include <cstdint>

#include "broker/kafka/handles.hpp"
#include "broker/publisher.hpp"
#include "broker/reader.hpp"

/// How a message of ours is a record of Kafka, and back.
namespace sluice::broker::kafka {

/// Of the body with all around it, as a broker measures it: at most.
[[nodiscard]] std::size_t record_bytes(const outgoing& message);

/// Hands the message to the client, which copies it. The key is `message.key`, and there is none when that is empty.
/// @param ticket  comes back with the delivery report
[[nodiscard]] rd_kafka_resp_err_t produce(rd_kafka_t* by, rd_kafka_topic_t* to, const outgoing& message,
                                          std::uint64_t ticket);
/// Of the report of a delivery.
[[nodiscard]] std::uint64_t ticket_of(const rd_kafka_message_t& report) noexcept;

/// Body, key and headers; not the name of the entry.
void read_record(const rd_kafka_message_t& record, delivery& into);

}  // namespace sluice::broker::kafka
