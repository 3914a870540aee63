#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <set>

#include "cli/commands.hpp"
#include "cli/failure.hpp"
#include "cli/json_forms.hpp"
#include "cli/status_view.hpp"
#include "cli/table.hpp"
#include "cli/units.hpp"

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

/// Everything `sluice status` tells.
struct status_report {
    date_time now;
    std::vector<lane_view> lanes;
    std::vector<subscription_view> subscriptions;
    std::vector<orphans> orphaned;
    std::vector<outage> outages;
};

/// Databases with lanes: those that hold aggregates, when a domain tells; else all.
std::set<std::string> databases_with_lanes(const session& in, const config::configuration& with) {
    std::set<std::string> names;
    if (in.host.loads_domains() && in.options.domain.empty()) {
        for (const auto& [name, settings] : with.databases) names.insert(name);
        return names;
    }
    const std::unique_ptr<domain> declared = load_domain(in);
    for (const auto& [cpp_name, aggregate] : declared->declared().aggregates) names.insert(aggregate.database);
    return names;
}

void add_database(const config::configuration& with, const std::string& name, store::database& database, bool has_lanes,
                  status_report& into) {
    const auto operations = database.open_operations();
    const auto counts = operations->outbox_summary();
    if (has_lanes) {
        for (lane_view& lane : view_lanes(with.outbox, name, counts, operations->lanes(), into.now)) {
            into.lanes.push_back(std::move(lane));
        }
    }
    for (orphans& each : find_orphans(with.outbox, name, counts)) into.orphaned.push_back(std::move(each));
}

status_report gather(const session& in) {
    const installation with = open_installation(in);
    const std::set<std::string> with_lanes = databases_with_lanes(in, with.configuration);
    status_report report{.now = system_clock().now(), .lanes = {}, .subscriptions = {}, .orphaned = {}, .outages = {}};
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
    }
    std::string text = lanes.render(out);
    for (const lane_view& lane : report.lanes) {
        if (!lane.detail.empty()) text += safe_lines(fmt::format("{}: {}", lane.broker, lane.detail)) + "\n";
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

json::value as_json(const lane_view& lane, date_time now) {
    const json::value age =
        lane.oldest ? json::value{static_cast<double>((now - *lane.oldest).count()) / 1e6} : nullptr;
    return json::object{{"database", lane.database},
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
                        {"since", time_or_null(lane.since)}};
}

json::value as_json(const subscription_view& subscription) {
    const broker::group_status& group = subscription.group;
    return json::object{{"broker", subscription.broker},
                        {"stream", group.stream},
                        {"group", group.group},
                        {"length", group.length},
                        {"lag", group.lag},
                        {"pending", group.pending},
                        {"dead", group.dead}};
}

json::value as_json(const status_report& report) {
    json::array lanes;
    for (const lane_view& lane : report.lanes) lanes.push_back(as_json(lane, report.now));
    json::array subscriptions;
    for (const subscription_view& each : report.subscriptions) subscriptions.push_back(as_json(each));
    json::array orphaned;
    for (const orphans& each : report.orphaned) {
        orphaned.push_back(json::object{{"database", each.database},
                                        {"broker", each.broker},
                                        {"rows", each.open},
                                        {"remedy", to_finding(each).remedy}});
    }
    json::array outages;
    for (const auto& [what, reason] : report.outages) {
        outages.push_back(json::object{{"what", what}, {"reason", reason}});
    }
    return json::object{{"at", report.now.to_string()},
                        {"lanes", std::move(lanes)},
                        {"subscriptions", std::move(subscriptions)},
                        {"orphans", std::move(orphaned)},
                        {"unavailable", std::move(outages)}};
}

exit_code show_status(const session& in) {
    const status_report report = gather(in);
    if (in.out.json()) {
        in.out.print_json(as_json(report));
    } else {
        if (!report.lanes.empty()) in.out.print(lane_table(report, in.out));
        if (!report.subscriptions.empty()) in.out.print(subscription_table(report, in.out));
    }
    for (const orphans& each : report.orphaned) {
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

void add_status(CLI::App& app, session& in, action& chosen) {
    CLI::App* command = app.add_subcommand("status", "Show lanes and subscriptions; needs no running server");
    command->callback([&] { chosen = make_action([&in] { return show_status(in); }); });
}

}  // namespace sluice::cli
