#include "console/lane_health.hpp"

#include <algorithm>

#include "store/lane_name.hpp"

namespace sluice::console {

namespace {

constexpr const char* stopped = "stopped";

std::ptrdiff_t badness(const std::string& state) {
    const auto& states = lane_states();
    return std::find(states.begin(), states.end(), state) - states.begin();
}

bool is_lease_of(const std::string& lease, const std::string& lane) {
    return lease == lane || lease.starts_with(lane + "#");
}

void add_leases(lane_health& lane, const std::vector<store::lane_status>& leases, date_time now) {
    const std::string name = store::make_lane_name(lane.database, lane.broker);
    bool found = false;
    for (const store::lane_status& lease : leases) {
        if (!is_lease_of(lease.lane, name)) continue;
        // An owner that leaves in order gives the lease back; one that is killed lets it run out.
        const bool owned = !lease.owner.empty() && lease.expires_at > now;
        const std::string state = owned ? lease.state : stopped;
        if (found && badness(state) <= badness(lane.state)) continue;
        found = true;
        lane.state = state;
        lane.detail = lease.detail;
        if (!owned && !lease.owner.empty()) lane.detail = lease.owner + " has not renewed its lease";
    }
    if (!found) lane.state = stopped;
}

void add_counts(lane_health& lane, const std::map<std::string, store::outbox_counts>& counts, date_time now) {
    lane.open = lane.failed = lane.abandoned = 0;
    const auto found = counts.find(lane.broker);
    if (found == counts.end()) return;
    for (const auto& [status, count] : found->second.by_status) {
        if (store::is_open(status)) *lane.open += count;
        if (status == store::row_status::failed) *lane.failed += count;
        if (status == store::row_status::abandoned) *lane.abandoned += count;
    }
    // A producer's clock may be ahead of ours.
    if (found->second.oldest_open) lane.oldest = std::max(now - *found->second.oldest_open, duration{0});
}

}  // namespace

const std::vector<std::string>& lane_states() {
    static const std::vector<std::string> states{"idle",   "flowing", "draining", "blocked",
                                                 "paused", "lost",    stopped,    "unknown"};
    return states;
}

std::vector<lane_health> lanes_of(const config::outbox_settings& outbox, const std::string& database,
                                  const lane_sources& from, date_time now) {
    std::vector<lane_health> lanes;
    const auto add = [&](const std::string& broker, bool external) {
        lane_health lane{.database = database, .broker = broker, .external = external};
        if (from.known) add_leases(lane, from.leases, now);
        if (from.known && from.counts) add_counts(lane, *from.counts, now);
        lanes.push_back(std::move(lane));
    };
    add(outbox.broker, false);
    for (const std::string& broker : outbox.external_brokers) add(broker, true);
    return lanes;
}

}  // namespace sluice::console
