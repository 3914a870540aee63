#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/hazard.hpp"
#include "broker/rabbitmq/connection.hpp"
#include "broker/rabbitmq/link.hpp"
#include "net/deadline.hpp"

/// Exchange, routing keys and queues.
namespace sluice::broker::rabbitmq {

/// The routing key of a stream's messages: `shop.order`.
[[nodiscard]] std::string routing_key_of(std::string_view stream);
/// Why no message can go to that stream; empty when one can.
[[nodiscard]] std::string objection_to(std::string_view stream);
/// The queue of a group on a stream: `billing.shop.order`.
[[nodiscard]] std::string queue_of(std::string_view group, std::string_view stream);

/// Makes the exchange when it may, else finds out whether it is there.
/// @throws channel_closed, outage  it is not there, or is another one
void prepare_exchange(connection& on, const net::deadline& until);

struct queue_depth {
    std::uint32_t messages = 0;  ///< that nobody has in hand
    std::uint32_t consumers = 0;
};
/// @throws channel_closed  it is not there
[[nodiscard]] queue_depth look_at_queue(connection& on, const std::string& name, const net::deadline& until);
/// Makes the queue when it may, and binds it; else finds out whether it is there.
/// @throws channel_closed, outage  it is not there, or is another one
void prepare_queue(connection& on, const std::string& name, std::string_view stream, const net::deadline& until);

/// What of the exchange can lose messages, as far as the protocol tells: it names no policies and no queues.
/// @throws outage
[[nodiscard]] std::vector<hazard> hazards_of_exchange(link& over);

}  // namespace sluice::broker::rabbitmq
