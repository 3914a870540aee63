#include "store/lane_layout.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "store/lane_name.hpp"

namespace sluice::store {

lane_layout lane_layout::with(std::string_view lane, std::span<const lease_row> rows, date_time now, duration ttl) {
    const auto layout = layout_of(lane);
    lane_layout plan;
    plan.created = layout;
    std::set<std::string> former;
    bool first = true;
    for (const auto& row : rows) {
        if (std::erase(plan.created, row.lane) != 0) continue;
        if (row.is_owned(now, ttl)) return {.obstacle = obstacle_text(row.lane, row.owner)};
        plan.retired.push_back(row.lane);
        plan.mark = std::exchange(first, false) ? row.mark : std::min(plan.mark, row.mark);
        plan.epoch = std::max(plan.epoch, row.epoch);
        plan.rescan = std::max(plan.rescan, row.rescan);
        former.insert(row.lane);
        for (auto& name : split_former(row.former)) former.insert(std::move(name));
    }
    for (const auto& name : layout) former.erase(name);
    for (const auto& name : former) plan.former += (plan.former.empty() ? "" : " ") + name;
    return plan;
}

std::vector<std::string> split_former(std::string_view names) {
    std::vector<std::string> all;
    while (!names.empty()) {
        const auto end = std::min(names.find(' '), names.size());
        if (end != 0) all.emplace_back(names.substr(0, end));
        names.remove_prefix(std::min(end + 1, names.size()));
    }
    return all;
}

std::string waiting_text(std::string_view lane, std::span<const lane_status> lanes, date_time now) {
    std::vector<lease_row> rows;
    for (const auto& each : lanes) {
        if (!shares_rows(each.lane, lane)) continue;
        rows.push_back({.lane = each.lane, .owner = each.owner, .expires_at = each.expires_at});
    }
    const auto obstacle = lane_layout::with(lane, rows, now).obstacle;
    return obstacle.empty() ? obstacle : "waits for another number of shards to end: " + obstacle;
}

std::string obstacle_text(std::string_view lane, std::string_view owner) {
    return std::string{lane} + " belongs to " + std::string{owner};
}

std::string heir_text(std::string_view lane, std::string_view heir) {
    return std::string{lane} + " is handed over to " + std::string{heir};
}

}  // namespace sluice::store
