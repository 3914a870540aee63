#pragma once

#include <string>

#include "broker/membership.hpp"
#include "broker/nats/group_register.hpp"

namespace sluice::broker::nats {

/// The right to read one stream for a group. One member holds it; it is renewed by heartbeats, given up at the end, and
/// taken over from who was silent for its claim time.
///
/// Thread safety: used by one thread at a time. All calls throw outage.
class group_lease {
public:
    group_lease(std::string stream, const membership& member, const clock* server_time, std::size_t replicas)
        : stream_{std::move(stream)}, member_{member}, register_{server_time, replicas}, server_time_{server_time} {}

    enum class outcome { held, taken, standing_by };
    /// Takes the lease when that can be; `taken` the first time it is held.
    [[nodiscard]] outcome hold(session& on, const net::deadline& until);
    /// True when it is held: asks when that was not sure for a while.
    [[nodiscard]] bool confirm(session& on, const net::deadline& until);
    /// Writes that we live; false when the lease is lost.
    [[nodiscard]] bool renew(session& on, const net::deadline& until);
    void give_up(session& on, const net::deadline& until);

    [[nodiscard]] bool is_held() const noexcept { return is_held_; }
    [[nodiscard]] const std::string& stream() const noexcept { return stream_; }

private:
    [[nodiscard]] register_entry ours(std::uint64_t revision) const;
    [[nodiscard]] bool write(session& on, const register_entry& entry, const net::deadline& until);
    [[nodiscard]] duration age_of(session& on, const register_entry& there, const net::deadline& until) const;
    /// Of a clock that only its differences count of.
    [[nodiscard]] date_time local_now() const;

    std::string stream_;
    membership member_;
    group_register register_;
    const clock* server_time_;
    bool is_held_ = false;
    bool told_namesake_ = false;
    std::uint64_t revision_ = 0;
    date_time sure_at_{};  ///< local time of the last write
};

}  // namespace sluice::broker::nats
