#include "operate/lanes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "operate/json_forms.hpp"
#include "store/lane_layout.hpp"

namespace sluice::operate {

namespace {

lane_rows rows_of(const store::outbox_counts& counts, date_time now) {
    using store::row_status;
    lane_rows rows{.pending_is_estimated = counts.pending_is_estimated, .oldest = counts.oldest_open};
    for (const auto& [status, count] : counts.by_status) {
        switch (status) {
            case row_status::pending:
            case row_status::processing:
                rows.pending += count;
                break;
            case row_status::failed:
                rows.failed += count;
                break;
            case row_status::abandoned:
                rows.abandoned += count;
                break;
            case row_status::published:
                rows.published += count;
                break;
        }
    }
    // A producer's clock may be ahead of ours.
    if (rows.oldest) rows.age = std::max(now - *rows.oldest, duration{0});
    return rows;
}

void add_lease(lane_view& lane, const store::lane_status& lease, date_time now) {
    if (lease.owner.empty() || lease.expires_at <= now) {
        // An owner that leaves in order gives the lease back; one that is killed lets it run out.
        if (lease.owner.empty()) {
            lane.detail_at_release = lease.detail;
        } else {
            lane.detail = lease.owner + " has not renewed its lease";
        }
        lane.since = std::min(lease.expires_at, now);
        return;
    }
    lane.detail = lease.detail;
    lane.state = lease.state;
    lane.owner = lease.owner;
    lane.rate = lease.rate;
    lane.since = lease.since;
    lane.horizon = lease.horizon;
    lane.overtaken = lease.overtaken;
}

void find_lease(lane_view& shard, const std::vector<store::lane_status>& leases, date_time now) {
    const std::string name = store::make_lane_name(shard.database, shard.broker, shard.part);
    const auto lease = std::find_if(leases.begin(), leases.end(), [&](const auto& each) { return each.lane == name; });
    if (lease != leases.end()) {
        add_lease(shard, *lease, now);
    } else {
        shard.detail = store::waiting_text(name, leases, now);
    }
}

/// A lane shows what its worst shard shows, and the rate of all.
void summarize(lane_view& lane) {
    const auto worst =
        std::max_element(lane.shards.begin(), lane.shards.end(),
                         [](const lane_view& a, const lane_view& b) { return badness(a.state) < badness(b.state); });
    lane.state = worst->state;
    lane.detail = worst->detail;
    lane.detail_at_release = worst->detail_at_release;
    lane.since = worst->since;
    lane.owner = worst->owner;
    for (const lane_view& shard : lane.shards) {
        lane.rate += shard.rate;
        lane.overtaken += shard.overtaken;
        if (shard.owner != lane.owner) lane.owner.clear();
        if (shard.horizon) lane.horizon = std::min(lane.horizon.value_or(*shard.horizon), *shard.horizon);
    }
    if (lane.shards.size() == 1) lane.shards.clear();
}

void add_leases(lane_view& lane, int shards, const std::vector<store::lane_status>& leases, date_time now) {
    for (int number = 1; number <= shards; ++number) {
        lane_view shard{.database = lane.database,
                        .broker = lane.broker,
                        .external = lane.external,
                        .state = "stopped",
                        .part = {number, shards}};
        find_lease(shard, leases, now);
        lane.shards.push_back(std::move(shard));
    }
    summarize(lane);
}

}  // namespace

const std::vector<std::string>& lane_states() {
    static const std::vector<std::string> states{"idle",   "flowing", "draining", "blocked",
                                                 "paused", "lost",    "stopped",  "unknown"};
    return states;
}

std::ptrdiff_t badness(const std::string& state) {
    const auto& states = lane_states();
    return std::find(states.begin(), states.end(), state) - states.begin();
}

std::vector<lane_view> unknown_lanes(const config::outbox_settings& outbox, const std::string& database) {
    std::vector<lane_view> lanes{{.database = database, .broker = outbox.broker}};
    for (const std::string& broker : outbox.external_brokers) {
        lanes.push_back({.database = database, .broker = broker, .external = true});
    }
    return lanes;
}

std::vector<lane_view> view_lanes(const config::outbox_settings& outbox, const std::string& database,
                                  const lane_records& from, date_time now) {
    std::vector<lane_view> lanes = unknown_lanes(outbox, database);
    for (lane_view& lane : lanes) {
        add_leases(lane, outbox.shards_of(lane.broker), from.leases, now);
        if (const auto note = from.audits.find(lane.broker); note != from.audits.end()) lane.audit = note->second;
        if (const auto pause = from.pauses.find(lane.broker); pause != from.pauses.end()) {
            lane.pause = pause->second;
            lane.detail = store::describe(pause->second);
        }
        if (!from.counts) continue;
        const auto counts = from.counts->find(lane.broker);
        lane.rows = counts == from.counts->end() ? lane_rows{} : rows_of(counts->second, now);
    }
    return lanes;
}

std::vector<store::open_writer> long_writers(std::vector<store::open_writer> writers) {
    std::erase_if(writers,
                  [](const store::open_writer& each) { return each.age && *each.age < std::chrono::seconds{1}; });
    return writers;
}

json::value shard_to_json(const lane_view& shard) {
    return json::object{{"shard", fmt::format("{}/{}", shard.part.number, shard.part.count)},
                        {"state", shard.state},
                        {"detail", text_or_null(shard.detail)},
                        {"rate", shard.rate},
                        {"owner", text_or_null(shard.owner)},
                        {"since", time_or_null(shard.since)}};
}

}  // namespace sluice::operate
