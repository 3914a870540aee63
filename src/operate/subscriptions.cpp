#include "operate/subscriptions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>
#include <variant>

#include <sluice/error.hpp>

#include "base/amounts.hpp"
#include "broker/broker.hpp"
#include "consume/broker_operations.hpp"
#include "operate/json_forms.hpp"

namespace sluice::operate {

namespace {

subscription_state state_of(const std::optional<broker::group_status>& group) {
    if (!group) return subscription_state::never_read;
    if (group->dead > 0) return subscription_state::dead_letters;
    return group->lag > 0 ? subscription_state::lagging : subscription_state::ok;
}

/// Of the brokers that subscriptions read.
groups_by_broker look_at_brokers(const declared_installation& of, subscriptions_view& view) {
    std::set<std::string> names;
    for (const consume::route& route : of.routes) names.insert(route.broker);
    groups_by_broker seen;
    for (const std::string& name : names) {
        if (!of.env->broker(name).can().cross_process) {
            view.in_process.push_back(name);
            continue;
        }
        try {
            seen.emplace(name, consume::open_broker_operations(of.env->parts(), name)->groups());
        } catch (const broker_error& e) {
            view.away.push_back({outage::kind::broker, name, e.what()});
        }
    }
    return seen;
}

json::value settings_json(const std::vector<config::decided_setting>& decided) {
    json::object settings;
    for (const config::decided_setting& each : decided) {
        json::object setting;
        std::visit([&](const auto& value) { setting.set("value", value); }, each.value);
        setting.set("from", config::to_string(each.source));
        setting.set("profile", text_or_null(each.profile));
        settings.set(std::string{each.key}, std::move(setting));
    }
    return settings;
}

json::value count_json(const subscription_row& row, std::int64_t broker::group_status::*count) {
    return row.group ? json::value{(*row.group).*count} : nullptr;
}

json::value row_json(const subscription_row& row) {
    return json::object{{"handler", row.of->name},
                        {"group", row.of->group},
                        {"broker", row.of->broker},
                        {"stream", row.stream},
                        {"backfill", row.backfill},
                        {"state", to_string(row.state)},
                        {"length", count_json(row, &broker::group_status::length)},
                        {"lag", count_json(row, &broker::group_status::lag)},
                        {"pending", count_json(row, &broker::group_status::pending)},
                        {"dead", count_json(row, &broker::group_status::dead)},
                        {"settings", settings_json(row.of->decided)}};
}

json::value summary_json(const std::vector<subscription_row>& rows) {
    json::object summary{{"total", std::ssize(rows)}};
    for (const subscription_state state :
         {subscription_state::ok, subscription_state::lagging, subscription_state::dead_letters,
          subscription_state::never_read, subscription_state::unknown}) {
        summary.set(to_string(state), count_in(rows, state));
    }
    return summary;
}

}  // namespace

const char* to_string(subscription_state state) noexcept {
    switch (state) {
        case subscription_state::ok:
            return "ok";
        case subscription_state::lagging:
            return "lagging";
        case subscription_state::dead_letters:
            return "dead_letters";
        case subscription_state::never_read:
            return "never_read";
        case subscription_state::unknown:
            break;
    }
    return "unknown";
}

std::vector<subscription_row> view_subscriptions(const std::vector<consume::route>& routes,
                                                 const groups_by_broker& seen) {
    std::vector<subscription_row> rows;
    for (const consume::route& route : routes) {
        const auto broker = seen.find(route.broker);
        for (const std::string& stream : route.streams) {
            subscription_row row{.of = &route, .stream = stream, .backfill = stream != route.streams.front()};
            if (broker != seen.end()) {
                const auto& groups = broker->second;
                const auto group = std::find_if(groups.begin(), groups.end(), [&](const auto& each) {
                    return each.stream == stream && each.group == route.group;
                });
                if (group != groups.end()) row.group = *group;
                row.state = state_of(row.group);
            }
            rows.push_back(std::move(row));
        }
    }
    return rows;
}

std::vector<orphan_group> view_orphans(const std::vector<consume::route>& routes, const groups_by_broker& seen,
                                       const consume::broker_places& places, std::string_view domain) {
    std::vector<orphan_group> rows;
    std::set<std::string> told;
    for (const auto& [broker, groups] : seen) {
        if (const auto place = places.find(broker); place != places.end() && !told.insert(place->second).second) {
            continue;
        }
        std::vector<broker::known_group> known;
        for (const auto& each : groups) known.push_back({each.stream, each.group, each.domain});
        for (const auto& orphan : consume::orphan_groups(known, routes, broker, places, domain)) {
            const auto counts = std::find_if(groups.begin(), groups.end(), [&](const auto& each) {
                return each.stream == orphan.stream && each.group == orphan.group;
            });
            rows.push_back({broker, *counts});
        }
    }
    return rows;
}

config::finding to_finding(const orphan_group& orphan) {
    const broker::group_status& group = orphan.group;
    const auto holds = [](std::int64_t count, std::string_view what) {
        return count == 0 ? std::string{} : ", " + base::count_of(count, what);
    };
    return {
        .level = config::severity::warning,
        .code = "ORPHANED_GROUP",
        .element = orphan.broker + ":" + group.group,
        .message = fmt::format("no handler reads consumer group {} on stream {} of broker {} any more ({} unread{})",
                               group.group, group.stream, orphan.broker,
                               base::count_of(group.lag + group.pending, "message"), holds(group.dead, "dead letter")),
        .remedy = consume::remedy_for({group.stream, group.group, group.domain})};
}

json::value to_json(const orphan_group& orphan) {
    const broker::group_status& group = orphan.group;
    return json::object{{"group", group.group},
                        {"broker", orphan.broker},
                        {"stream", group.stream},
                        {"lag", group.lag},
                        {"pending", group.pending},
                        {"dead", group.dead},
                        {"remedy", to_finding(orphan).remedy}};
}

std::int64_t count_in(const std::vector<subscription_row>& rows, subscription_state state) {
    return std::count_if(rows.begin(), rows.end(), [&](const auto& row) { return row.state == state; });
}

subscriptions_view read_subscriptions(const declared_installation& of) {
    subscriptions_view view;
    const groups_by_broker seen = look_at_brokers(of, view);
    view.subscriptions = view_subscriptions(of.routes, seen);
    view.orphans = view_orphans(of.routes, seen, consume::places_of(*of.env), of.env->domain().normalized);
    return view;
}

json::value to_json(const subscriptions_view& view) {
    json::array subscriptions;
    for (const subscription_row& each : view.subscriptions) subscriptions.push_back(row_json(each));
    json::array orphans;
    for (const orphan_group& each : view.orphans) orphans.push_back(to_json(each));
    json::array away;
    for (const outage& each : view.away) away.push_back(to_json(each));
    return json::object{{"subscriptions", std::move(subscriptions)},
                        {"orphans", std::move(orphans)},
                        {"summary", summary_json(view.subscriptions)},
                        {"unavailable", std::move(away)}};
}

}  // namespace sluice::operate
