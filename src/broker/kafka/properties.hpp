#pragma once

#include <map>
#include <string>
#include <string_view>

#include "broker/kafka/endpoint.hpp"
#include "broker/kafka/kafka_broker.hpp"
#include "broker/membership.hpp"

/// The properties that librdkafka is configured with.
namespace sluice::broker::kafka {

using properties = std::map<std::string, std::string, std::less<>>;

/// Why a property may not be set by hand: it would break a promise, or has a key of its own. Empty when it may.
[[nodiscard]] std::string objection_to(std::string_view property);

/// True when the library in use is too old to log in to current brokers in that way.
[[nodiscard]] bool cannot_log_in(std::string_view mechanism);

/// Whom to connect to, and how.
[[nodiscard]] properties connection_properties(const kafka_options& options, const endpoint& at);
/// Of a producer whose messages are given up by the library after `message_timeout`.
[[nodiscard]] properties producer_properties(const kafka_options& options, const endpoint& at,
                                             duration message_timeout);
/// The same, with transactions under this id.
[[nodiscard]] properties transactional_properties(const kafka_options& options, const endpoint& at,
                                                  duration message_timeout, const std::string& id);
/// Of a reader without a group, which is told the end of a partition.
[[nodiscard]] properties walk_properties(const kafka_options& options, const endpoint& at);
/// Of a member of a group.
[[nodiscard]] properties consumer_properties(const kafka_options& options, const endpoint& at, const membership& who);

}  // namespace sluice::broker::kafka
