#pragma once

#include <sluice/time.hpp>

namespace sluice::outbox {

/// Times of a lane's lease: when to renew it, when to stop trusting it, and how long a publish may take under it. Pure.
///
/// A lease is renewed every third of its life. It counts as lost a safety margin before it expires, so that a slow step
/// or a clock that is a little off does not make two owners. A batch is published only when the lease outlasts it.
///
/// Thread safety: const members may be called concurrently.
class lease_keeper {
public:
    lease_keeper(duration ttl, duration publish_timeout);

    void granted(date_time now, date_time expires_at) noexcept;

    [[nodiscard]] duration ttl() const noexcept { return ttl_; }
    /// The configured timeout, shortened when the lease is too short for it.
    [[nodiscard]] duration publish_timeout() const noexcept { return publish_timeout_; }
    /// How often one that stands by asks for the lease. A release may wake it before.
    [[nodiscard]] duration stand_by_interval() const noexcept;

    [[nodiscard]] date_time renew_at() const noexcept { return renew_at_; }
    [[nodiscard]] bool is_trusted(date_time now) const noexcept { return now < trusted_until_; }
    [[nodiscard]] bool may_publish(date_time now) const noexcept { return now + publish_timeout_ <= trusted_until_; }

private:
    duration ttl_;
    duration margin_;
    duration publish_timeout_;
    date_time renew_at_{};
    date_time trusted_until_{};
};

}  // namespace sluice::outbox
