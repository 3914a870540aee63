#include <fmt/format.h>

#include <set>

#include "base/random.hpp"
#include "cli/commands.hpp"
#include "cli/failure.hpp"
#include "cli/json_forms.hpp"
#include "cli/subscriptions_view.hpp"
#include "cli/table.hpp"
#include "cli/units.hpp"

namespace sluice::cli {

namespace {

struct absent_broker {
    std::string broker;
    std::string reason;
};

/// What could be seen of the brokers that subscriptions read.
struct broker_looks {
    groups_by_broker seen;
    std::vector<absent_broker> away;
    std::vector<std::string> in_process;  ///< brokers that live and die inside the server's process
};

broker_looks look_at_brokers(const commit::environment& env, const std::vector<consume::route>& routes) {
    broker_looks looks;
    std::set<std::string> names;
    for (const consume::route& route : routes) names.insert(route.broker);
    for (const std::string& name : names) {
        if (env.configuration().brokers.at(name).provider == "inline") {
            looks.in_process.push_back(name);
            continue;
        }
        try {
            looks.seen.emplace(name, env.broker(name).open_operations()->groups());
        } catch (const broker_error& e) {
            looks.away.push_back({name, e.what()});
        }
    }
    return looks;
}

cell state_cell(subscription_state state) {
    switch (state) {
        case subscription_state::ok:
            return {to_text(state), tone::good};
        case subscription_state::dead_letters:
            return {to_text(state), tone::bad};
        case subscription_state::lagging:
        case subscription_state::never_read:
            return {to_text(state), tone::caution};
        case subscription_state::unknown:
            break;
    }
    return {to_text(state)};
}

std::string count_or_dash(const subscription_row& row, std::int64_t broker::group_status::*count) {
    return row.group ? count_text((*row.group).*count) : "-";
}

std::string to_table(const std::vector<subscription_row>& rows, const console& out) {
    table listing{{{"SUBSCRIPTION"},
                   {"BROKER"},
                   {"STREAM"},
                   {"LAG", alignment::right},
                   {"PENDING", alignment::right},
                   {"DEAD", alignment::right},
                   {"STATE"},
                   {"SETTINGS"}}};
    for (const subscription_row& row : rows) {
        listing.add({row.of->name, row.of->broker, row.stream, count_or_dash(row, &broker::group_status::lag),
                     count_or_dash(row, &broker::group_status::pending),
                     count_or_dash(row, &broker::group_status::dead), state_cell(row.state),
                     settings_text(row.of->decided)});
    }
    return listing.empty() ? std::string{} : listing.render(out) + "\n";
}

json::value count_or_null(const subscription_row& row, std::int64_t broker::group_status::*count) {
    return row.group ? json::value{(*row.group).*count} : nullptr;
}

json::value as_json(const std::vector<config::decided_setting>& decided) {
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

json::value as_json(const std::vector<subscription_row>& rows, const broker_looks& looks) {
    json::array subscriptions;
    for (const subscription_row& row : rows) {
        subscriptions.push_back(json::object{{"handler", row.of->name},
                                             {"group", row.of->group},
                                             {"broker", row.of->broker},
                                             {"stream", row.stream},
                                             {"backfill", row.backfill},
                                             {"state", to_word(row.state)},
                                             {"length", count_or_null(row, &broker::group_status::length)},
                                             {"lag", count_or_null(row, &broker::group_status::lag)},
                                             {"pending", count_or_null(row, &broker::group_status::pending)},
                                             {"dead", count_or_null(row, &broker::group_status::dead)},
                                             {"settings", as_json(row.of->decided)}});
    }
    json::object summary{{"total", std::ssize(rows)}};
    for (const subscription_state state :
         {subscription_state::ok, subscription_state::lagging, subscription_state::dead_letters,
          subscription_state::never_read, subscription_state::unknown}) {
        summary.set(to_word(state), count_in(rows, state));
    }
    json::array away;
    for (const auto& [broker, reason] : looks.away) {
        away.push_back(json::object{{"what", "broker " + broker}, {"reason", reason}});
    }
    return json::object{
        {"subscriptions", std::move(subscriptions)}, {"summary", std::move(summary)}, {"unavailable", std::move(away)}};
}

exit_code show_subscriptions(const session& in) {
    const std::unique_ptr<domain> declared = load_domain(in);
    installation with = open_installation(in);
    config::require_no_errors(findings_of(*declared, with.configuration));
    commit::environment env{declared->declared(), std::move(with.configuration), std::move(with.parts), system_clock(),
                            base::system_random()};
    const std::vector<consume::route> routes = consume::routes_of(env);
    const broker_looks looks = look_at_brokers(env, routes);
    const std::vector<subscription_row> rows = view_subscriptions(routes, looks.seen);
    if (in.out.json()) {
        in.out.print_json(as_json(rows, looks));
    } else {
        in.out.print(to_table(rows, in.out) + summary_text(rows));
    }
    for (const std::string& broker : looks.in_process) {
        in.out.warn(
            fmt::format("broker {} is inside the server's process (inline) and cannot be seen from here", broker));
    }
    for (const auto& [broker, reason] : looks.away) {
        in.out.warn(fmt::format("broker {} is unavailable: {}", broker, reason));
    }
    return looks.away.empty() ? exit_code::ok : exit_code::unavailable;
}

}  // namespace

void add_subscriptions(command& root) {
    command subscriptions = root.add("subscriptions", "Look at subscriptions and how each is configured");
    subscriptions.add("status", "Show lag, dead letters and settings of each; needs no running server")
        .runs(show_subscriptions);
}

}  // namespace sluice::cli
