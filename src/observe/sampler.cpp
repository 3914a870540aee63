#include "observe/sampler.hpp"

#include <charconv>

namespace sluice::observe {

namespace {

/// The part of a trace id that is random in every generator: its last 63 bits.
std::uint64_t random_part(std::string_view trace_id) noexcept {
    constexpr std::size_t digits = 16;
    std::uint64_t number = 0;
    const std::string_view last = trace_id.substr(trace_id.size() < digits ? 0 : trace_id.size() - digits);
    std::from_chars(last.data(), last.data() + last.size(), number, 16);
    return number >> 1U;
}

}  // namespace

bool sampler::takes(const trace_parent* parent, std::string_view trace_id) const noexcept {
    if (heeds_parent_ && parent != nullptr) return parent->sampled;
    if (rule_ != rule::ratio) return rule_ == rule::always_on;
    return ratio_ >= 1 || random_part(trace_id) < static_cast<std::uint64_t>(ratio_ * 0x1p63);
}

}  // namespace sluice::observe
