#include <fmt/format.h>

#include <map>
#include <set>

#include "broker/broker.hpp"
#include "cli/commands/commands.hpp"
#include "cli/commands/json_forms.hpp"
#include "cli/commands/status_view.hpp"
#include "cli/commands/subscriptions_view.hpp"
#include "cli/terminal/failure.hpp"
#include "cli/terminal/table.hpp"
#include "cli/terminal/units.hpp"
#include "engine/databases.hpp"

namespace sluice::cli {

namespace {

struct subscription_view {
    std::string broker;
    broker::group_status group;
};

struct outage {
    std::string what;  ///< `database default`, `broker partner_events`
    std::string reason;
};

/// What lanes of one database wait for.
struct held_lanes {
    bool strict = false;  ///< they publish nothing above the horizon; otherwise they only keep a place for it
    std::vector<store::open_writer> by{};
};

/// Scheduled messages that ought to have been released: no server runs, or its schedule is stuck.
struct overdue_schedule {
    std::string database;
    std::size_t messages = 0;  ///< at most `most_overdue`
    date_time since;           ///< when the first of them was due
};

/// A schedule is late by its poll and a busy moment.
constexpr duration usual_delay = std::chrono::seconds{10};
constexpr std::size_t most_overdue = 1000;

/// Everything `sluice status` tells.
struct status_report {
    date_time now;
    std::vector<lane_view> lanes;
    std::map<std::string, held_lanes> held;           ///< by database
    std::map<std::string, std::int64_t> order_waits;  ///< by database, where commits may overlap: milliseconds
    std::vector<subscription_view> subscriptions;
    std::vector<overdue_schedule> overdue;
    std::vector<orphans> orphaned;
    std::vector<orphan_row> orphaned_groups;  ///< known only when a domain is named
    std::vector<outage> outages;
};

/// Databases with lanes: those that hold aggregates, when a domain tells; else all.
std::set<std::string> databases_with_lanes(const session& in, const config::configuration& with) {
    if (!in.host.loads_domains() || !in.options.domain.empty()) {
        return engine::databases_with_lanes(load_domain(in)->declared());
    }
    std::set<std::string> names;
    for (const auto& [name, settings] : with.databases) names.insert(name);
    return names;
}

/// How long lanes wait for a transaction that may still fill a number; nothing where there is no bound or no need.
std::optional<std::int64_t> order_wait_of(const config::database_settings& settings) {
    constexpr std::int64_t standard = std::chrono::milliseconds{50}.count();
    const auto& options = settings.options;
    const auto strict = options.find("strict_order");
    if (settings.provider != "postgresql" || (strict != options.end() && strict->second == "true")) return std::nullopt;
    const auto given = options.find("order_wait_ms");
    return given == options.end() ? standard : std::stoll(given->second);
}

void add_database(const config::configuration& with, const std::string& name, store::database& database, bool has_lanes,
                  status_report& into) {
    const auto operations = database.open_operations();
    const auto counts = operations->outbox_summary();
    if (const auto wait = order_wait_of(with.databases.at(name))) into.order_waits.emplace(name, *wait);
    if (has_lanes) {
        for (lane_view& lane : view_lanes(with.outbox, name, counts, operations->lanes(), into.now)) {
            if (lane.horizon) into.held.try_emplace(name);
            into.lanes.push_back(std::move(lane));
        }
    }
    if (const auto held = into.held.find(name); held != into.held.end()) {
        const auto& options = with.databases.at(name).options;
        const auto strict_order = options.find("strict_order");
        held->second = {.strict = strict_order != options.end() && strict_order->second == "true",
                        .by = long_writers(operations->open_writers())};
    }
    if (has_lanes) {
        const auto late = database.open_unit()->due_messages(into.now - usual_delay, most_overdue);
        if (!late.empty()) into.overdue.push_back({name, late.size(), late.front().due});
    }
    for (orphans& each : find_orphans(with.outbox, name, counts)) into.orphaned.push_back(std::move(each));
}

/// A domain with mistakes has nothing to tell here: `sluice check` is about those.
void add_orphaned_groups(const session& in, status_report& into) {
    if (in.host.loads_domains() && in.options.domain.empty()) return;
    groups_by_broker seen;
    for (const auto& [broker, group] : into.subscriptions) seen[broker].push_back(group);
    try {
        const declared_installation opened = open_declared(in);
        into.orphaned_groups =
            view_orphans(opened.routes, seen, consume::places_of(*opened.env), opened.env->domain().normalized);
    } catch (const configuration_error& e) {
        in.out.warn(fmt::format("not looked for consumer groups without a handler: {}", e.what()));
    }
}

status_report gather(const session& in) {
    const installation with = open_installation(in);
    const std::set<std::string> with_lanes = databases_with_lanes(in, with.configuration);
    status_report report{.now = system_clock().now(),
                         .lanes = {},
                         .held = {},
                         .order_waits = {},
                         .subscriptions = {},
                         .overdue = {},
                         .orphaned = {},
                         .orphaned_groups = {},
                         .outages = {}};
    for (const auto& [name, database] : with.parts.databases) {
        try {
            add_database(with.configuration, name, *database, with_lanes.contains(name), report);
        } catch (const store_error& e) {
            report.outages.push_back({"database " + name, e.what()});
        }
    }
    for (const auto& [name, broker] : with.parts.brokers) {
        try {
            for (broker::group_status& group : broker->open_operations()->groups()) {
                report.subscriptions.push_back({name, std::move(group)});
            }
        } catch (const broker_error& e) {
            report.outages.push_back({"broker " + name, e.what()});
        }
    }
    add_orphaned_groups(in, report);
    return report;
}

tone tone_of(const std::string& state) {
    if (state == "flowing" || state == "idle") return tone::good;
    if (state == "stopped" || state == "lost") return tone::bad;
    return tone::caution;
}

std::string age_or_dash(const std::optional<date_time>& since, date_time now) {
    return since ? age_text(now - *since) : "-";
}

cell count_cell(std::int64_t count, tone when_some) { return {count_text(count), count > 0 ? when_some : tone::plain}; }

/// What a lane waits for at its horizon; null when there is nothing to tell.
const held_lanes* holders_of(const status_report& report, const lane_view& lane) {
    const auto found = report.held.find(lane.database);
    if (!lane.horizon || found == report.held.end() || found->second.by.empty()) return nullptr;
    return &found->second;
}

std::string lane_table(const status_report& report, const console& out) {
    const bool many = std::any_of(report.lanes.begin(), report.lanes.end(), [&](const lane_view& lane) {
        return lane.database != report.lanes.front().database;
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
    for (const lane_view& lane : report.lanes) {
        lanes.add({many ? lane.database + ":" + lane.broker : lane.broker,
                   {lane.state, tone_of(lane.state)},
                   count_text(lane.depth()),
                   age_or_dash(lane.oldest, report.now),
                   count_cell(lane.failed, tone::caution),
                   count_cell(lane.abandoned, tone::bad),
                   fmt::format("{:.0f}/s", lane.rate),
                   age_or_dash(lane.since, report.now),
                   lane.owner});
        for (const lane_view& shard : lane.shards) {
            lanes.add({fmt::format("  shard {}/{}", shard.part.number, shard.part.count),
                       {shard.state, tone_of(shard.state)},
                       "",
                       "",
                       "",
                       "",
                       fmt::format("{:.0f}/s", shard.rate),
                       age_or_dash(shard.since, report.now),
                       shard.owner});
        }
    }
    std::string text = lanes.render(out);
    for (const lane_view& lane : report.lanes) {
        if (!lane.detail.empty()) text += safe_lines(fmt::format("{}: {}", lane.broker, lane.detail)) + "\n";
        if (lane.overtaken > 0) {
            text += fmt::format(
                "{}: {} published behind later ones, of transactions that took longer than "
                "order_wait_ms\n",
                lane.broker, count_of(lane.overtaken, "event"));
        }
        const held_lanes* held = holders_of(report, lane);
        if (held == nullptr) continue;
        text += safe_lines(fmt::format("{}: {} {}", lane.broker,
                                       held->strict ? "held back by" : "keeps a place in the log for",
                                       writers_text(held->by))) +
                "\n";
    }
    return text;
}

std::string subscription_table(const status_report& report, const console& out) {
    table subscriptions{{{"SUBSCRIPTION"},
                         {"BROKER"},
                         {"STREAM"},
                         {"LAG", alignment::right},
                         {"PENDING", alignment::right},
                         {"DEAD", alignment::right}}};
    for (const auto& [broker, group] : report.subscriptions) {
        subscriptions.add({group.group, broker, group.stream, count_text(group.lag), count_text(group.pending),
                           count_cell(group.dead, tone::bad)});
    }
    return subscriptions.empty() ? std::string{} : "\n" + subscriptions.render(out);
}

json::value waits_for(const held_lanes* held) {
    json::array writers;
    if (held == nullptr) return writers;
    for (const auto& [pid, age, application, state] : held->by) {
        const json::value seconds = age ? json::value{static_cast<double>(age->count()) / 1e6} : nullptr;
        writers.push_back(json::object{{"pid", pid},
                                       {"seconds", seconds},
                                       {"application", text_or_null(application)},
                                       {"state", text_or_null(state)}});
    }
    return writers;
}

json::array as_json(const std::vector<lane_view>& shards) {
    json::array all;
    for (const lane_view& shard : shards) {
        all.push_back(json::object{{"shard", fmt::format("{}/{}", shard.part.number, shard.part.count)},
                                   {"state", shard.state},
                                   {"detail", text_or_null(shard.detail)},
                                   {"rate", shard.rate},
                                   {"owner", text_or_null(shard.owner)},
                                   {"since", time_or_null(shard.since)}});
    }
    return all;
}

json::value as_json(const lane_view& lane, const status_report& report) {
    const held_lanes* held = holders_of(report, lane);
    const auto wait = report.order_waits.find(lane.database);
    const date_time now = report.now;
    const json::value age =
        lane.oldest ? json::value{static_cast<double>((now - *lane.oldest).count()) / 1e6} : nullptr;
    return json::object{
        {"database", lane.database},
        {"broker", lane.broker},
        {"external", lane.external},
        {"state", lane.state},
        {"detail", text_or_null(lane.detail)},
        {"depth", lane.depth()},
        {"oldest_unconfirmed_at", time_or_null(lane.oldest)},
        {"oldest_unconfirmed_seconds", age},
        {"pending", lane.pending},
        {"failed", lane.failed},
        {"abandoned", lane.abandoned},
        {"published", lane.published},
        {"rate", lane.rate},
        {"owner", text_or_null(lane.owner)},
        {"since", time_or_null(lane.since)},
        {"waits_for", waits_for(held)},
        {"order_wait_ms", wait == report.order_waits.end() ? json::value{nullptr} : json::value{wait->second}},
        {"overtaken", lane.overtaken},
        {"shards", as_json(lane.shards)}};
}

json::value as_json(const subscription_view& subscription) {
    const broker::group_status& group = subscription.group;
    return json::object{{"broker", subscription.broker},
                        {"stream", group.stream},
                        {"group", group.group},
                        {"length", group.length},
                        {"lag", group.lag},
                        {"pending", group.pending},
                        {"dead", group.dead},
                        {"shared_name", text_or_null(group.shared_name)}};
}

std::string to_text(const overdue_schedule& found, date_time now) {
    return fmt::format("{}{} of the schedule in database {} overdue, the first by {}; is a server running?",
                       found.messages == most_overdue ? "more than " : "",
                       count_of(static_cast<std::int64_t>(found.messages), "message"), found.database,
                       age_text(now - found.since));
}

json::value as_json(const overdue_schedule& found, date_time now) {
    return json::object{{"database", found.database},
                        {"messages", found.messages},
                        {"since", found.since.to_string()},
                        {"seconds", static_cast<double>((now - found.since).count()) / 1e6}};
}

json::value as_json(const status_report& report) {
    json::array lanes;
    for (const lane_view& lane : report.lanes) {
        lanes.push_back(as_json(lane, report));
    }
    json::array subscriptions;
    for (const subscription_view& each : report.subscriptions) subscriptions.push_back(as_json(each));
    json::array overdue;
    for (const overdue_schedule& each : report.overdue) overdue.push_back(as_json(each, report.now));
    json::array orphaned;
    for (const orphans& each : report.orphaned) {
        orphaned.push_back(json::object{{"database", each.database},
                                        {"broker", each.broker},
                                        {"rows", each.open},
                                        {"remedy", to_finding(each).remedy}});
    }
    json::array orphaned_groups;
    for (const orphan_row& each : report.orphaned_groups) orphaned_groups.push_back(as_json(each));
    json::array outages;
    for (const auto& [what, reason] : report.outages) {
        outages.push_back(json::object{{"what", what}, {"reason", reason}});
    }
    return json::object{{"at", report.now.to_string()},
                        {"lanes", std::move(lanes)},
                        {"subscriptions", std::move(subscriptions)},
                        {"overdue", std::move(overdue)},
                        {"orphans", std::move(orphaned)},
                        {"orphaned_groups", std::move(orphaned_groups)},
                        {"unavailable", std::move(outages)}};
}

/// One line for each broker and name.
std::set<std::string> shared_names(const status_report& report) {
    std::set<std::string> lines;
    for (const auto& [broker, group] : report.subscriptions) {
        if (group.shared_name.empty()) continue;
        lines.insert(
            safe_lines(fmt::format("broker {}: two processes are called {}; give each host and container a host "
                                   "name of its own",
                                   broker, group.shared_name)));
    }
    return lines;
}

exit_code show_status(const session& in) {
    const status_report report = gather(in);
    if (in.out.json()) {
        in.out.print_json(as_json(report));
    } else {
        if (!report.lanes.empty()) in.out.print(lane_table(report, in.out));
        if (!report.subscriptions.empty()) in.out.print(subscription_table(report, in.out));
    }
    for (const overdue_schedule& each : report.overdue) in.out.warn(to_text(each, report.now));
    for (const orphans& each : report.orphaned) {
        const config::finding found = to_finding(each);
        in.out.warn(found.message + "; " + found.remedy);
    }
    for (const std::string& each : shared_names(report)) in.out.warn(each);
    for (const orphan_row& each : report.orphaned_groups) {
        const config::finding found = to_finding(each);
        in.out.warn(found.message + "; " + found.remedy);
    }
    bool database_away = false;
    for (const auto& [what, reason] : report.outages) {
        in.out.warn(fmt::format("{} is unavailable: {}", what, reason));
        database_away = database_away || what.starts_with("database");
    }
    return database_away ? exit_code::unavailable : exit_code::ok;
}

}  // namespace

void add_status(command& root) {
    root.add("status", "Show lanes and subscriptions; needs no running server").runs(show_status);
}

}  // namespace sluice::cli
