#pragma once

#include <cstdint>
#include <string_view>

#include <sluice/metadata.hpp>

namespace sluice::observe {

/// Which traces are recorded, as the samplers of OpenTelemetry say it. Pure.
///
/// Thread safety: a value type.
class sampler {
public:
    /// What is decided of a trace that begins here; `ratio` by its id, so that every service decides alike.
    enum class rule : std::uint8_t { always_on, always_off, ratio };

    /// @param heeds_parent  what goes on in a trace that began elsewhere is as that was decided
    /// @param ratio  share of the traces, 0 … 1; of `rule::ratio`
    constexpr sampler(rule of_roots, bool heeds_parent, double ratio = 1)
        : rule_{of_roots}, heeds_parent_{heeds_parent}, ratio_{ratio} {}

    /// @param parent  null at the root of a trace
    /// @param trace_id  32 hex digits
    [[nodiscard]] bool takes(const trace_parent* parent, std::string_view trace_id) const noexcept;

private:
    rule rule_;
    bool heeds_parent_;
    double ratio_;
};

}  // namespace sluice::observe
