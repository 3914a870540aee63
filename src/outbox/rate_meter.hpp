#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <sluice/time.hpp>

namespace sluice::outbox {

/// Events per second over the last ten seconds. Pure: the time is passed in. Fixed memory.
///
/// Thread safety: none.
class rate_meter {
public:
    void add(std::int64_t events, instant now);
    [[nodiscard]] double per_second(instant now) const;

private:
    static constexpr std::size_t window_seconds = 10;
    struct bucket {
        std::int64_t second = -1;
        std::int64_t events = 0;
    };

    std::array<bucket, window_seconds> buckets_{};
};

}  // namespace sluice::outbox
