#pragma once

#include <map>
#include <string>
#include <vector>

#include "broker/hazard.hpp"
#include "broker/kafka/client.hpp"

/// Whether a cluster keeps what it has confirmed.
namespace sluice::broker::kafka {

/// The settings of a broker by their names; what it does not tell is not among them.
using broker_settings_map = std::map<std::string, std::string, std::less<>>;

/// What of them can lose messages. Pure.
/// @param makes_topics  topics are made by us, with `replication` copies (0: as many as the broker says)
[[nodiscard]] std::vector<hazard> hazards_of(const broker_settings_map& said, bool makes_topics, int replication);

/// Asks one of the brokers. Nothing when it does not tell this account.
/// @throws outage  nobody answers
[[nodiscard]] broker_settings_map ask_settings(const client& by, const net::deadline& until);

}  // namespace sluice::broker::kafka
