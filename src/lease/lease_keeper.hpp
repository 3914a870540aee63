#pragma once

#include <sluice/time.hpp>

namespace sluice::lease {

/// Times of a lane's lease: when to renew it, when to stop trusting it, and how long a publish may take under it. Pure.
///
/// A lease is renewed every third of its life. It counts as lost a safety margin before it expires, so that a slow step
/// or a clock that runs a little slow does not make two owners. A batch is published only when the lease outlasts it.
///
/// Thread safety: const members may be called concurrently.
class lease_keeper {
public:
    lease_keeper(duration ttl, duration publish_timeout);

    /// @param asked  when the lease was asked for: by any clock it lasts for `ttl` from then on, at least
    void granted(instant asked) noexcept;

    [[nodiscard]] duration ttl() const noexcept { return ttl_; }
    /// How often the owner renews it; all that concerns who is to be the owner happens at this pace.
    [[nodiscard]] duration renewal_interval() const noexcept { return ttl_ / 3; }
    /// The configured timeout, shortened when the lease is too short for it.
    [[nodiscard]] duration publish_timeout() const noexcept { return publish_timeout_; }
    /// How often one that stands by asks for the lease. A release may wake it before.
    [[nodiscard]] duration stand_by_interval() const noexcept;

    [[nodiscard]] instant renew_at() const noexcept { return renew_at_; }
    [[nodiscard]] bool is_trusted(instant now) const noexcept { return now < trusted_until_; }
    [[nodiscard]] bool may_publish(instant now) const noexcept { return now + publish_timeout_ <= trusted_until_; }

private:
    duration ttl_;
    duration margin_;
    duration publish_timeout_;
    instant renew_at_{};
    instant trusted_until_{};
};

}  // namespace sluice::lease
