#pragma once

#include <string>
#include <string_view>

#include <sluice/time.hpp>

#include "base/backoff.hpp"
#include "base/moment.hpp"
#include "base/one_line.hpp"
#include "base/random.hpp"
#include "outbox/jittered_backoff.hpp"

namespace sluice::outbox {

/// Whether a lane's broker or database is away, and when it is tried again: after pauses that grow until it has shown
/// that it works. Pure.
///
/// Thread safety: none. Lifetime: the random source must outlive it.
class outage_clock {
public:
    outage_clock(base::backoff pauses, base::random_source& random) : pauses_{pauses, random} {}

    void failed(std::string_view reason, base::moment now) {
        lasts_ = true;
        reason_ = base::one_line(reason);
        retry_at_ = now.steady + pauses_.next();
    }
    /// It answers, which is not to say that it works: the next outage goes on with the same pauses.
    void over() noexcept {
        lasts_ = false;
        reason_.clear();
    }
    /// The pauses begin anew.
    void works() noexcept { pauses_.reset(); }

    [[nodiscard]] bool lasts() const noexcept { return lasts_; }
    /// One line; empty when there is no outage.
    [[nodiscard]] const std::string& reason() const noexcept { return reason_; }
    /// While it lasts.
    [[nodiscard]] instant retry_at() const noexcept { return retry_at_; }

private:
    bool lasts_ = false;
    std::string reason_{};
    instant retry_at_{};
    jittered_backoff pauses_;
};

}  // namespace sluice::outbox
