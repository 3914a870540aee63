#pragma once

#include <string_view>

#include <sluice/time.hpp>

namespace sluice::observe {

/// One of the observations that are counted, with the trace that tells how it came about. Its trace is sampled and
/// recorded here: a link to any other would lead nowhere.
///
/// Thread safety: a value type. Lifetime: refers to the texts that it was made of.
struct exemplar {
    std::string_view trace_id{};  ///< 32 hex digits
    std::string_view span_id{};   ///< 16 hex digits
    duration value{};             ///< what was observed
    date_time at{};               ///< when
};

}  // namespace sluice::observe
