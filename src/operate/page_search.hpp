#pragma once

#include <chrono>
#include <functional>
#include <optional>

#include "store/number_range.hpp"

namespace sluice::operate {

/// How long a page of a long list may be looked for. What it has found by then is the page; the next one goes on there.
struct page_budget {
    std::chrono::steady_clock::duration time = std::chrono::milliseconds{100};
    std::function<std::chrono::steady_clock::time_point()> now = std::chrono::steady_clock::now;
};

/// Which part of a log is looked at next, from its end to its beginning: short stretches at first, longer ones as long
/// as they are looked through quickly, so that the last one ends soon after the time is up. Pure.
class page_search {
public:
    /// @param after,upto  what is looked for lies above the one and up to the other
    /// @param length      of the first stretch, in numbers; at least 1
    page_search(store::sequence after, store::sequence upto, store::sequence length) noexcept
        : after_{after}, upto_{upto}, length_{length} {}

    /// Empty at the beginning of the log.
    [[nodiscard]] std::optional<store::number_range> next() const noexcept;
    /// The stretch that `next` gave was looked through.
    /// @param left  of the time; with none there is nothing more to look at
    void looked(std::chrono::steady_clock::duration took, std::chrono::steady_clock::duration left) noexcept;

    /// Everything above this number was looked at.
    [[nodiscard]] store::sequence looked_down_to() const noexcept { return upto_; }
    /// Nothing is left to be looked at.
    [[nodiscard]] bool is_through() const noexcept { return upto_ <= after_; }

private:
    store::sequence after_;
    store::sequence upto_;
    store::sequence length_;
    bool is_over_ = false;
};

}  // namespace sluice::operate
