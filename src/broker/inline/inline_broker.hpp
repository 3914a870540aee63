#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "broker/broker.hpp"

namespace sluice::broker {

/// The broker in this process's memory: the same contract as every other, for one process and until it ends.
///
/// Memory: each stream keeps up to `max_entries` messages. Beyond that the oldest message that every group has
/// acknowledged makes room; while there is none, publishing answers `unreachable`, so that lanes wait for the slowest
/// group. As long as a message is kept, publishing it again is recognised. Dead letters stay until purged.
///
/// @param name  for people
[[nodiscard]] std::unique_ptr<broker> make_inline_broker(std::string name, std::size_t max_entries = 100'000);

}  // namespace sluice::broker
