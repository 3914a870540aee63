#include "cli/status_view.hpp"

#include <algorithm>

#include "store/lane_name.hpp"

namespace sluice::cli {

namespace {

void add_counts(lane_view& lane, const store::outbox_counts& counts) {
    using store::row_status;
    for (const auto& [status, count] : counts.by_status) {
        switch (status) {
            case row_status::pending:
            case row_status::processing:
                lane.pending += count;
                break;
            case row_status::failed:
                lane.failed += count;
                break;
            case row_status::abandoned:
                lane.abandoned += count;
                break;
            case row_status::published:
                lane.published += count;
                break;
        }
    }
    lane.oldest = counts.oldest_open;
}

void add_lease(lane_view& lane, const store::lane_status& lease, date_time now) {
    if (lease.owner.empty() || lease.expires_at <= now) {
        // An owner that leaves in order gives the lease back; one that is killed lets it run out.
        if (!lease.owner.empty()) lane.detail = lease.owner + " has not renewed its lease";
        lane.since = std::min(lease.expires_at, now);
        return;
    }
    lane.detail = lease.detail;
    lane.state = lease.state;
    lane.owner = lease.owner;
    lane.rate = lease.rate;
    lane.since = lease.since;
}

}  // namespace

std::vector<lane_view> view_lanes(const config::outbox_settings& outbox, const std::string& database,
                                  const std::map<std::string, store::outbox_counts>& counts,
                                  const std::vector<store::lane_status>& leases, date_time now) {
    std::vector<lane_view> lanes;
    const auto add = [&](const std::string& broker, bool external) {
        lane_view lane{.database = database, .broker = broker, .external = external};
        if (const auto found = counts.find(broker); found != counts.end()) add_counts(lane, found->second);
        const auto lease = std::find_if(leases.begin(), leases.end(), [&](const store::lane_status& each) {
            return each.lane == store::make_lane_name(database, broker);
        });
        if (lease != leases.end()) add_lease(lane, *lease, now);
        lanes.push_back(std::move(lane));
    };
    add(outbox.broker, false);
    for (const std::string& broker : outbox.external_brokers) add(broker, true);
    return lanes;
}

}  // namespace sluice::cli
