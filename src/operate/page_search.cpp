#include "operate/page_search.hpp"

#include <algorithm>
#include <cassert>

namespace sluice::operate {

std::optional<store::number_range> page_search::next() const noexcept {
    if (is_over_ || is_through()) return std::nullopt;
    return store::number_range{.after = std::max(after_, upto_ - length_), .upto = upto_};
}

void page_search::looked(std::chrono::steady_clock::duration took, std::chrono::steady_clock::duration left) noexcept {
    assert(length_ > 0);
    constexpr std::chrono::steady_clock::rep fastest_growth = 8;
    upto_ = std::max(after_, upto_ - length_);
    is_over_ = left.count() <= 0;
    if (is_over_) return;
    const auto growth = left / std::max(took, std::chrono::steady_clock::duration{1});
    length_ *= std::clamp(growth, std::chrono::steady_clock::rep{1}, fastest_growth);
}

}  // namespace sluice::operate
