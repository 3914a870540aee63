#pragma once

#include <cstddef>
#include <limits>
#include <optional>

#include <sluice/time.hpp>

namespace sluice::outbox {

/// Keeps a lane below its rate: at most so many messages a second, and as many at once as one second allows. What comes
/// back after a full stop is handed out in portions of a twentieth of a second, so that a lane at its limit sends small
/// batches and not single messages. Pure: the time is passed in.
///
/// Thread safety: none.
class token_bucket {
public:
    /// @param per_second  0: no limit
    explicit token_bucket(double per_second);

    /// How many messages may be sent now.
    [[nodiscard]] std::size_t available(instant now) const;
    /// When some may be sent again; `now` when some may.
    [[nodiscard]] instant available_at(instant now) const;
    /// So many are sent. More than are available count against what comes.
    void take(std::size_t messages, instant now);

private:
    [[nodiscard]] double tokens(instant now) const;

    double per_second_;
    double most_;
    double portion_;
    double left_;
    std::optional<instant> since_{};  ///< when `left_` was counted
};

}  // namespace sluice::outbox
