#pragma once

#include <algorithm>
#include <cstddef>

#include <sluice/time.hpp>

namespace sluice::broker::redis {

/// Decides how many bytes to move at a time, so that one step neither takes too long over a slow link nor is a waste of
/// round trips over a fast one. Pure.
///
/// Thread safety: used by one thread at a time.
class pace {
public:
    struct range {
        std::size_t least;
        std::size_t first;
        std::size_t most;
    };

    explicit pace(range sizes) : sizes_{sizes}, bytes_{sizes.first} {}

    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
    /// A step of `bytes` took so long, where `aim` is about as long as one should.
    void moved(std::size_t bytes, duration took, duration aim) {
        if (took > aim) return failed();
        constexpr int much_faster = 4;
        if (took * much_faster < aim && 2 * bytes >= bytes_) bytes_ = std::min(sizes_.most, 2 * bytes_);
    }
    /// A step did not come to its end.
    void failed() { bytes_ = std::max(sizes_.least, bytes_ / 2); }

private:
    range sizes_;
    std::size_t bytes_;
};

/// Decides how many entries of unknown size to ask for at a time. Pure.
///
/// Thread safety: used by one thread at a time.
class reading_pace {
public:
    /// About as long should a step take.
    static constexpr duration aim{std::chrono::seconds{1}};

    /// At least one, at most `limit` (above 0).
    [[nodiscard]] std::size_t count(std::size_t limit) const {
        const auto fitting = entry_size_ == 0 ? first_count : pace_.bytes() / entry_size_;
        return std::clamp<std::size_t>(fitting, 1, limit);
    }
    /// What a step brought.
    void got(std::size_t entries, std::size_t bytes, duration took) {
        if (entries == 0) return;
        entry_size_ = std::max<std::size_t>(bytes / entries, 1);
        pace_.moved(bytes, took, aim);
        is_slow_ = took > aim;
    }
    /// The answer did not come to its end: the entries may be larger than those before.
    void failed() {
        pace_.failed();
        entry_size_ = std::max(entry_size_, pace_.bytes());
    }
    /// True when one more step may follow at once, with so many bytes in hand from those before.
    [[nodiscard]] bool may_go_on(std::size_t bytes_in_hand) const noexcept {
        return !is_slow_ && bytes_in_hand < most_bytes;
    }

private:
    static constexpr std::size_t kibibyte = 1024;
    static constexpr std::size_t most_bytes = 4096 * kibibyte;
    static constexpr std::size_t first_count = 8;

    pace pace_{{.least = 64 * kibibyte, .first = 1024 * kibibyte, .most = most_bytes}};
    std::size_t entry_size_ = 0;
    bool is_slow_ = false;
};

}  // namespace sluice::broker::redis
