#include "operate/status.hpp"

#include <chrono>
#include <optional>
#include <set>
#include <utility>

#include <sluice/error.hpp>

#include "base/seconds.hpp"
#include "broker/broker.hpp"
#include "consume/broker_operations.hpp"
#include "domain/databases.hpp"
#include "operate/json_forms.hpp"

namespace sluice::operate {

namespace {

/// A schedule is late by its poll and a busy moment.
constexpr duration usual_delay = std::chrono::seconds{10};

std::set<std::string> names_of(const std::map<std::string, config::database_settings>& databases) {
    std::set<std::string> names;
    for (const auto& [name, settings] : databases) names.insert(name);
    return names;
}

/// Databases with lanes: those that hold aggregates, when a domain tells; else all.
std::set<std::string> databases_with_lanes(const site& at, const config::configuration& with) {
    return at.knows_domain() ? detail::databases_with_lanes(load_domain(at)->declared()) : names_of(with.databases);
}

config::number_order order_of(const config::database_settings& settings) {
    return settings.kind->order(settings.options);
}

void add_lanes(const config::configuration& with, const std::string& name, store::database& database,
               store::operations_session& session, const std::map<std::string, store::outbox_counts>& counts,
               status_view& into) {
    bool waits = false;
    for (lane_view& lane : view_lanes(with.outbox, name,
                                      {.leases = session.lanes(),
                                      .counts = counts,
                                      .pauses = session.paused_lanes(),
                                      .audits = session.noted_audits()},
                                      into.at)) {
        waits = waits || lane.horizon;
        into.lanes.push_back(std::move(lane));
    }
    if (waits) {
        into.held.emplace(name, held_lanes{.strict = order_of(with.databases.at(name)).strict,
                                           .by = long_writers(session.open_writers())});
    }
    const auto late = database.open_unit()->due_messages(into.at - usual_delay, overdue_schedule::most);
    if (!late.empty()) into.overdue.push_back({name, late.size(), late.front().due});
}

void add_database(const config::configuration& with, const std::string& name, store::database& database, bool has_lanes,
                  status_view& into) {
    const auto session = database.open_operations();
    const auto counts = session->outbox_summary();
    if (const auto wait = order_of(with.databases.at(name)).wait) into.order_waits.emplace(name, wait->count());
    if (has_lanes) add_lanes(with, name, database, *session, counts, into);
    for (orphan_rows& each : find_orphan_rows(with.outbox, name, counts)) into.orphaned.push_back(std::move(each));
}

void add_databases(const installation& with, const std::set<std::string>& with_lanes, status_view& into) {
    for (const auto& [name, database] : with.parts.databases) {
        try {
            add_database(with.configuration, name, *database, with_lanes.contains(name), into);
        } catch (const store_error& e) {
            into.outages.push_back({outage::kind::database, name, e.what()});
        }
    }
}

void add_brokers(const installation& with, status_view& into) {
    for (const auto& [name, broker] : with.parts.brokers) {
        try {
            for (broker::group_status& group : consume::open_broker_operations(with.parts, name)->groups()) {
                into.groups.push_back({name, std::move(group)});
            }
        } catch (const broker_error& e) {
            into.outages.push_back({outage::kind::broker, name, e.what()});
        }
    }
}

void add_orphaned_groups(const declared_installation& opened, status_view& into) {
    groups_by_broker seen;
    for (const auto& [broker, group] : into.groups) seen[broker].push_back(group);
    into.orphaned_groups =
        view_orphans(opened.routes, seen, consume::places_of(*opened.env), opened.env->domain().normalized);
}

/// A domain with mistakes has nothing to tell here: `sluice check` is about those.
void add_orphaned_groups(const site& at, status_view& into) {
    if (!at.knows_domain()) return;
    try {
        add_orphaned_groups(open_declared(at), into);
    } catch (const configuration_error& e) {
        into.not_checked = e.what();
    }
}

json::value writers_json(const held_lanes* held) {
    json::array writers;
    if (held == nullptr) return writers;
    for (const auto& [pid, age, application, state] : held->by) {
        writers.push_back(json::object{{"pid", pid},
                                       {"seconds", age ? json::value{base::seconds(*age)} : nullptr},
                                       {"application", text_or_null(application)},
                                       {"state", text_or_null(state)}});
    }
    return writers;
}

json::value pause_or_null(const std::optional<store::lane_pause>& pause) {
    if (!pause) return nullptr;
    return json::object{{"since", pause->since.to_string()}, {"reason", text_or_null(pause->reason)}};
}

json::value audit_or_null(const std::optional<store::audit_note>& audit) {
    if (!audit) return nullptr;
    return json::object{
        {"at", audit->at.to_string()}, {"closes", audit->closes}, {"closed_at", time_or_null(audit->closed_at)}};
}

json::value lane_json(const lane_view& lane, const status_view& status) {
    const auto wait = status.order_waits.find(lane.database);
    const lane_rows rows = lane.rows.value_or(lane_rows{});
    json::array shards;
    for (const lane_view& shard : lane.shards) shards.push_back(shard_to_json(shard));
    return json::object{
        {"database", lane.database},
        {"broker", lane.broker},
        {"external", lane.external},
        {"state", lane.shown_state()},
        {"detail", text_or_null(lane.detail)},
        {"depth", rows.open()},
        {"depth_is_estimated", rows.pending_is_estimated},
        {"oldest_unconfirmed_at", time_or_null(rows.oldest)},
        {"oldest_unconfirmed_seconds", rows.oldest ? json::value{base::seconds(status.at - *rows.oldest)} : nullptr},
        {"pending", rows.pending},
        {"failed", rows.failed},
        {"abandoned", rows.abandoned},
        {"published", rows.published},
        {"rate", lane.rate},
        {"owner", text_or_null(lane.owner)},
        {"since", time_or_null(lane.since)},
        {"paused_by_operator", pause_or_null(lane.pause)},
        {"last_audit", audit_or_null(lane.audit)},
        {"waits_for", writers_json(status.holders_of(lane))},
        {"order_wait_ms", wait == status.order_waits.end() ? json::value{nullptr} : json::value{wait->second}},
        {"overtaken", lane.overtaken},
        {"shards", std::move(shards)}};
}

json::value group_json(const located_group& located) {
    const broker::group_status& group = located.group;
    return json::object{{"broker", located.broker}, {"stream", group.stream},
                        {"group", group.group},     {"length", group.length},
                        {"lag", group.lag},         {"pending", group.pending},
                        {"dead", group.dead},       {"shared_name", text_or_null(group.shared_name)}};
}

json::value overdue_json(const overdue_schedule& found, date_time now) {
    return json::object{{"database", found.database},
                        {"messages", found.messages},
                        {"since", found.since.to_string()},
                        {"seconds", base::seconds(now - found.since)}};
}

}  // namespace

const held_lanes* status_view::holders_of(const lane_view& lane) const {
    const auto found = held.find(lane.database);
    if (!lane.horizon || found == held.end() || found->second.by.empty()) return nullptr;
    return &found->second;
}

status_view read_status(const site& at) {
    const installation with = open_installation(at);
    const std::set<std::string> with_lanes = databases_with_lanes(at, with.configuration);
    status_view status{.at = system_clock().now()};
    add_databases(with, with_lanes, status);
    add_brokers(with, status);
    add_orphaned_groups(at, status);
    return status;
}

status_view read_lanes(const installation& with, const declared_installation* declared, date_time now) {
    status_view status{.at = now};
    add_databases(with,
                  declared == nullptr ? names_of(with.configuration.databases)
                                      : detail::databases_with_lanes(declared->env->domain()),
                  status);
    return status;
}

status_view read_status(const installation& with, const declared_installation* declared, date_time now) {
    status_view status = read_lanes(with, declared, now);
    add_brokers(with, status);
    if (declared != nullptr) add_orphaned_groups(*declared, status);
    return status;
}

json::value to_json(const status_view& status) {
    json::array lanes;
    for (const lane_view& each : status.lanes) lanes.push_back(lane_json(each, status));
    json::array groups;
    for (const located_group& each : status.groups) groups.push_back(group_json(each));
    json::array overdue;
    for (const overdue_schedule& each : status.overdue) overdue.push_back(overdue_json(each, status.at));
    json::array orphaned;
    for (const orphan_rows& each : status.orphaned) orphaned.push_back(to_json(each));
    json::array orphaned_groups;
    for (const orphan_group& each : status.orphaned_groups) orphaned_groups.push_back(to_json(each));
    json::array outages;
    for (const outage& each : status.outages) outages.push_back(to_json(each));
    return json::object{{"at", status.at.to_string()},        {"lanes", std::move(lanes)},
                        {"subscriptions", std::move(groups)}, {"overdue", std::move(overdue)},
                        {"orphans", std::move(orphaned)},     {"orphaned_groups", std::move(orphaned_groups)},
                        {"unavailable", std::move(outages)}};
}

}  // namespace sluice::operate
