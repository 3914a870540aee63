#pragma once

#include <string>
#include <vector>

#include "config/configuration.hpp"

namespace sluice::commit {

/// The fork: the brokers that get a row of an event, the internal one first.
[[nodiscard]] inline std::vector<std::string> target_brokers(const config::outbox_settings& outbox, bool published) {
    std::vector<std::string> brokers{outbox.broker};
    if (published) brokers.insert(brokers.end(), outbox.external_brokers.begin(), outbox.external_brokers.end());
    return brokers;
}

}  // namespace sluice::commit
