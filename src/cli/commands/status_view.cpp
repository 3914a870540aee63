#include "cli/commands/status_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "cli/terminal/units.hpp"
#include "http/lane_health.hpp"
#include "store/lane_layout.hpp"

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
    const auto worst = std::max_element(
        lane.shards.begin(), lane.shards.end(),
        [](const lane_view& a, const lane_view& b) { return http::badness(a.state) < http::badness(b.state); });
    lane.state = worst->state;
    lane.detail = worst->detail;
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

}  // namespace

std::vector<lane_view> view_lanes(const config::outbox_settings& outbox, const std::string& database,
                                  const std::map<std::string, store::outbox_counts>& counts,
                                  const std::vector<store::lane_status>& leases, date_time now) {
    std::vector<lane_view> lanes;
    const auto add = [&](const std::string& broker, bool external) {
        lane_view lane{.database = database, .broker = broker, .external = external};
        if (const auto found = counts.find(broker); found != counts.end()) add_counts(lane, found->second);
        const int shards = outbox.shards_of(broker);
        for (int number = 1; number <= shards; ++number) {
            lane_view shard{.database = database, .broker = broker, .external = external, .part = {number, shards}};
            find_lease(shard, leases, now);
            lane.shards.push_back(std::move(shard));
        }
        summarize(lane);
        // A lane that is in the middle of publishing tells so only when it renews its lease.
        if (lane.state == "idle" && lane.depth() > 0) lane.state = "flowing";
        lanes.push_back(std::move(lane));
    };
    add(outbox.broker, false);
    for (const std::string& broker : outbox.external_brokers) add(broker, true);
    return lanes;
}

std::vector<store::open_writer> long_writers(std::vector<store::open_writer> writers) {
    std::erase_if(writers,
                  [](const store::open_writer& each) { return each.age && *each.age < std::chrono::seconds{1}; });
    return writers;
}

std::string writers_text(const std::vector<store::open_writer>& writers) {
    constexpr std::size_t most_named = 3;
    std::string text;
    for (std::size_t i = 0; i < std::min(writers.size(), most_named); ++i) {
        const auto& [pid, age, application, state] = writers[i];
        if (i > 0) text += "; ";
        text += pid == 0 ? "a prepared transaction" : fmt::format("pid {}", pid);
        if (age) text += ", open for " + age_text(*age);
        if (!application.empty() && !state.empty()) {
            text += fmt::format(" ({}, {})", application, state);
        } else if (!application.empty() || !state.empty()) {
            text += fmt::format(" ({}{})", application, state);
        }
    }
    if (writers.size() > most_named) text += fmt::format("; and {} more", writers.size() - most_named);
    return text;
}

}  // namespace sluice::cli
