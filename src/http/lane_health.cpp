#include "http/lane_health.hpp"

#include <algorithm>

#include "store/lane_layout.hpp"

namespace sluice::http {

namespace {

constexpr const char* stopped = "stopped";

shard_health look_at(const std::string& name, const std::vector<store::lane_status>& leases, date_time now) {
    shard_health seen{.part = store::shard_of(name), .state = stopped};
    const auto lease = std::find_if(leases.begin(), leases.end(), [&](const auto& each) { return each.lane == name; });
    if (lease == leases.end()) {
        seen.detail = store::waiting_text(name, leases, now);
        return seen;
    }
    seen.detail = lease->detail;
    // An owner that leaves in order gives the lease back; one that is killed lets it run out.
    if (!lease->owner.empty() && lease->expires_at > now) {
        seen.state = lease->state;
    } else if (!lease->owner.empty()) {
        seen.detail = lease->owner + " has not renewed its lease";
    }
    return seen;
}

void add_leases(lane_health& lane, int shards, const std::vector<store::lane_status>& leases, date_time now) {
    lane.state.clear();
    for (int number = 1; number <= shards; ++number) {
        shard_health seen = look_at(store::make_lane_name(lane.database, lane.broker, {number, shards}), leases, now);
        if (lane.state.empty() || badness(seen.state) > badness(lane.state)) {
            lane.state = seen.state;
            lane.detail = seen.detail;
        }
        if (shards > 1) lane.shards.push_back(std::move(seen));
    }
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

std::ptrdiff_t badness(const std::string& state) {
    const auto& states = lane_states();
    return std::find(states.begin(), states.end(), state) - states.begin();
}

std::vector<lane_health> lanes_of(const config::outbox_settings& outbox, const std::string& database,
                                  const lane_sources& from, date_time now) {
    std::vector<lane_health> lanes;
    const auto add = [&](const std::string& broker, bool external) {
        lane_health lane{.database = database, .broker = broker, .external = external};
        if (from.known) add_leases(lane, outbox.shards_of(broker), from.leases, now);
        if (from.known && from.counts) add_counts(lane, *from.counts, now);
        lanes.push_back(std::move(lane));
    };
    add(outbox.broker, false);
    for (const std::string& broker : outbox.external_brokers) add(broker, true);
    return lanes;
}

}  // namespace sluice::http
