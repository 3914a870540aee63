#pragma once

#include <string>
#include <vector>

#include <sluice/registry.hpp>

#include "config/configuration.hpp"

namespace sluice::commit {

/// The fork: the brokers that get a row of an event, the internal one first; of the external ones those whose lanes
/// want it.
[[nodiscard]] std::vector<std::string> target_brokers(const config::outbox_settings& outbox,
                                                      const detail::event_entry& event,
                                                      const detail::aggregate_entry& aggregate);

/// Of a message that is not for partners.
[[nodiscard]] inline std::vector<std::string> internal_target(const config::outbox_settings& outbox) {
    return {outbox.broker};
}

}  // namespace sluice::commit
