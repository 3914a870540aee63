#pragma once

#include <optional>
#include <span>

#include <sluice/metadata.hpp>
#include <sluice/time.hpp>

#include "observe/span_source.hpp"
#include "outbox/lane_plan.hpp"

namespace sluice::outbox {

/// A published row whose trace is recorded.
struct traced_row {
    trace_parent trace;  ///< its creation context
    duration latency{};
    date_time at{};  ///< when the broker confirmed it
};

/// The row that took longest from its commit to the confirmation, of those that were made in a sampled trace which is
/// recorded here, too. Pure.
///
/// Cheap for a whole batch: rows of traces that are not sampled are told by their text, and the metadata of a row is
/// read only when it took longer than all before. Rows of a batch are in the order of their commits, so that is mostly
/// the first of them.
///
/// @param spans  says which traces are recorded
[[nodiscard]] std::optional<traced_row> slowest_traced(std::span<const row_outcome> rows,
                                                       const observe::span_source& spans);

}  // namespace sluice::outbox
