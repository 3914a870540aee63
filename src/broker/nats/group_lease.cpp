#include "broker/nats/group_lease.hpp"

#include <chrono>

namespace sluice::broker::nats {

date_time group_lease::local_now() const {
    if (server_time_ != nullptr) return server_time_->now();
    const auto since_boot = std::chrono::steady_clock::now().time_since_epoch();
    return date_time::from_micros(std::chrono::duration_cast<duration>(since_boot).count());
}

register_entry group_lease::ours(std::uint64_t revision) const {
    return {.stream = stream_,
            .group = member_.group,
            .domain = member_.domain,
            .consumer = member_.consumer,
            .process = member_.process,
            .claim = member_.claim,
            .revision = revision};
}

bool group_lease::write(session& on, const register_entry& entry, const net::deadline& until) {
    const date_time before = local_now();
    const auto revision = register_.write(on, entry, until);
    is_held_ = revision.has_value();
    if (!is_held_) return false;
    revision_ = *revision;
    sure_at_ = before;
    return true;
}

duration group_lease::age_of(session& on, const register_entry& there, const net::deadline& until) const {
    // Who wrote no time is as old as can be.
    if (!there.at) return there.claim + std::chrono::seconds{1};
    return register_.now(on, until) - *there.at;
}

group_lease::outcome group_lease::hold(session& on, const net::deadline& until) {
    if (is_held_ && confirm(on, until)) return outcome::held;
    const register_entry there = register_.look(on, stream_, member_.group, until);
    const duration age = there.is_free() ? duration{0} : age_of(on, there, until);
    switch (next_lease_step(member_, there, age)) {
        case lease_step::stand_by_as_namesake:
            if (!told_namesake_) {
                tell_namesake(member_, stream_);
                register_.note_namesake(on, there, member_.consumer, until);
                told_namesake_ = true;
            }
            return outcome::standing_by;
        case lease_step::stand_by:
            return outcome::standing_by;
        case lease_step::take:
            break;
    }
    return write(on, ours(there.revision), until) ? outcome::taken : outcome::standing_by;
}

bool group_lease::confirm(session& on, const net::deadline& until) {
    if (!is_held_) return false;
    if (local_now() - sure_at_ < member_.claim / 2) return true;
    return renew(on, until);
}

bool group_lease::renew(session& on, const net::deadline& until) {
    return is_held_ && write(on, ours(revision_), until);
}

void group_lease::give_up(session& on, const net::deadline& until) {
    if (!is_held_) return;
    register_entry entry = ours(revision_);
    entry.consumer.clear();
    entry.process = {};
    static_cast<void>(write(on, entry, until));
    is_held_ = false;
}

}  // namespace sluice::broker::nats
