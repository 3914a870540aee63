#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "cli/commands/commands.hpp"
#include "cli/commands/writers_text.hpp"
#include "cli/terminal/table.hpp"
#include "cli/terminal/units.hpp"
#include "operate/status.hpp"

namespace sluice::cli {

namespace {

using operate::lane_rows;
using operate::lane_view;
using operate::overdue_schedule;
using operate::status_view;

tone tone_of(const std::string& state) {
    if (state == "flowing" || state == "idle") return tone::good;
    if (state == "stopped" || state == "lost") return tone::bad;
    return tone::caution;
}

std::string age_or_dash(const std::optional<date_time>& since, date_time now) {
    return since ? age_text(now - *since) : "-";
}

cell count_cell(std::int64_t count, tone when_some) { return {count_text(count), count > 0 ? when_some : tone::plain}; }

void add_lane(table& to, const lane_view& lane, bool with_database, date_time now) {
    const std::string state = lane.shown_state();
    const lane_rows rows = lane.rows.value_or(lane_rows{});
    to.add({with_database ? lane.database + ":" + lane.broker : lane.broker,
            {state, tone_of(state)},
            (rows.pending_is_estimated ? "~" : "") + count_text(rows.open()),
            age_or_dash(rows.oldest, now),
            count_cell(rows.failed, tone::caution),
            count_cell(rows.abandoned, tone::bad),
            fmt::format("{:.0f}/s", lane.rate),
            age_or_dash(lane.since, now),
            lane.owner});
    for (const lane_view& shard : lane.shards) {
        to.add({fmt::format("  shard {}/{}", shard.part.number, shard.part.count),
                {shard.state, tone_of(shard.state)},
                "",
                "",
                "",
                "",
                fmt::format("{:.0f}/s", shard.rate),
                age_or_dash(shard.since, now),
                shard.owner});
    }
}

/// What there is to say of a lane, a line each.
std::string remarks_on(const lane_view& lane, const operate::held_lanes* held) {
    std::string text;
    if (!lane.detail.empty()) text += safe_lines(fmt::format("{}: {}", lane.broker, lane.detail)) + "\n";
    if (lane.overtaken > 0) {
        text += fmt::format(
            "{}: {} published behind later ones, of transactions that took longer than "
            "order_wait_ms\n",
            lane.broker, count_of(lane.overtaken, "event"));
    }
    if (held == nullptr) return text;
    const char* const how = held->strict ? "held back by" : "keeps a place in the log for";
    return text + safe_lines(fmt::format("{}: {} {}", lane.broker, how, writers_text(held->by))) + "\n";
}

std::string lane_table(const status_view& status, const console& out) {
    const bool many = std::any_of(status.lanes.begin(), status.lanes.end(), [&](const lane_view& lane) {
        return lane.database != status.lanes.front().database;
    });
    table lanes{{{"LANE"},
                 {"STATE"},
                 {"DEPTH", alignment::right},
                 {"OLDEST", alignment::right},
                 {"FAILED", alignment::right},
                 {"ABANDONED", alignment::right},
                 {"RATE", alignment::right},
                 {"SINCE", alignment::right},
                 {"OWNER"}}};
    for (const lane_view& lane : status.lanes) add_lane(lanes, lane, many, status.at);
    std::string text = lanes.render(out);
    for (const lane_view& lane : status.lanes) text += remarks_on(lane, status.holders_of(lane));
    return text;
}

std::string subscription_table(const status_view& status, const console& out) {
    table subscriptions{{{"SUBSCRIPTION"},
                         {"BROKER"},
                         {"STREAM"},
                         {"LAG", alignment::right},
                         {"PENDING", alignment::right},
                         {"DEAD", alignment::right}}};
    for (const auto& [broker, group] : status.groups) {
        subscriptions.add({group.group, broker, group.stream, count_text(group.lag), count_text(group.pending),
                           count_cell(group.dead, tone::bad)});
    }
    return subscriptions.empty() ? std::string{} : "\n" + subscriptions.render(out);
}

std::string to_text(const overdue_schedule& found, date_time now) {
    return fmt::format("{}{} of the schedule in database {} overdue, the first by {}; is a server running?",
                       found.messages == overdue_schedule::most ? "more than " : "",
                       count_of(found.messages, "message"), found.database, age_text(now - found.since));
}

/// One line for each broker and name.
std::set<std::string> shared_names(const status_view& status) {
    std::set<std::string> lines;
    for (const auto& [broker, group] : status.groups) {
        if (group.shared_name.empty()) continue;
        lines.insert(
            safe_lines(fmt::format("broker {}: two processes are called {}; give each host and container a host "
                                   "name of its own",
                                   broker, group.shared_name)));
    }
    return lines;
}

void warn_of(const session& in, const config::finding& found) { in.out.warn(found.message + "; " + found.remedy); }

/// What needs attention, on standard error. True when a database is away.
bool warn_of_all(const session& in, const status_view& status) {
    for (const overdue_schedule& each : status.overdue) in.out.warn(to_text(each, status.at));
    for (const operate::orphan_rows& each : status.orphaned) warn_of(in, to_finding(each));
    for (const std::string& each : shared_names(status)) in.out.warn(each);
    for (const operate::orphan_group& each : status.orphaned_groups) warn_of(in, to_finding(each));
    bool database_away = false;
    for (const operate::outage& each : status.outages) {
        in.out.warn(fmt::format("{} is unavailable: {}", each.subject(), each.reason));
        database_away = database_away || each.what == operate::outage::kind::database;
    }
    return database_away;
}

exit_code show_status(const session& in) {
    const status_view status = operate::read_status(in.site);
    if (!status.not_checked.empty()) {
        in.out.warn(fmt::format("not looked for consumer groups without a handler: {}", status.not_checked));
    }
    if (in.out.json()) {
        in.out.print_json(to_json(status));
    } else {
        if (!status.lanes.empty()) in.out.print(lane_table(status, in.out));
        if (!status.groups.empty()) in.out.print(subscription_table(status, in.out));
    }
    return warn_of_all(in, status) ? exit_code::unavailable : exit_code::ok;
}

}  // namespace

void add_status(command& root) {
    root.add("status", "Show lanes and subscriptions; needs no running server").runs(show_status);
}

}  // namespace sluice::cli
