#pragma once

#include <string_view>
#include <vector>

#include <sluice/json.hpp>

#include "broker/hazard.hpp"
#include "broker/nats/session.hpp"

/// Whether JetStream keeps what it has confirmed.
namespace sluice::broker::nats {

/// What of a stream's settings can lose messages that it has confirmed, or have them twice. Pure.
/// @param config  as JetStream tells it
[[nodiscard]] std::vector<hazard> hazards_of_stream(const json::value& config);
/// The same of a consumer of ours.
[[nodiscard]] std::vector<hazard> hazards_of_consumer(std::string_view stream, const json::value& config);

/// Asks the server about one stream, or about all that are neither buckets nor object stores.
/// @throws outage
[[nodiscard]] std::vector<hazard> ask_hazards(session& on, std::string_view only_stream, const net::deadline& until);

}  // namespace sluice::broker::nats
