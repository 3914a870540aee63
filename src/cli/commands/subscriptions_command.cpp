#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/random.hpp"
#include "broker/broker.hpp"
#include "broker/group_is_taken.hpp"
#include "cli/commands/commands.hpp"
#include "cli/terminal/failure.hpp"
#include "cli/terminal/table.hpp"
#include "cli/terminal/units.hpp"
#include "config/section.hpp"
#include "domain/subscription_rules.hpp"
#include "operate/json_forms.hpp"
#include "operate/subscriptions_view.hpp"
#include "projection/read_model_setup.hpp"
#include "store/operations.hpp"

namespace sluice::cli {

namespace {

using operate::groups_by_broker;
using operate::orphan_row;
using operate::subscription_row;
using operate::subscription_state;
using operate::text_or_null;

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
        if (!env.broker(name).can().cross_process) {
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
                     operate::settings_text(row.of->decided)});
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

json::array as_json(const std::vector<orphan_row>& orphans) {
    json::array list;
    for (const orphan_row& each : orphans) list.push_back(to_json(each));
    return list;
}

json::value as_json(const std::vector<subscription_row>& rows, const std::vector<orphan_row>& orphans,
                    const broker_looks& looks) {
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
    return json::object{{"subscriptions", std::move(subscriptions)},
                        {"orphans", as_json(orphans)},
                        {"summary", std::move(summary)},
                        {"unavailable", std::move(away)}};
}

exit_code show_subscriptions(const session& in) {
    const declared_installation opened = operate::open_declared(in.site);
    const broker_looks looks = look_at_brokers(*opened.env, opened.routes);
    const std::vector<subscription_row> rows = operate::view_subscriptions(opened.routes, looks.seen);
    const auto orphans = operate::view_orphans(opened.routes, looks.seen, consume::places_of(*opened.env),
                                               opened.declared->declared().normalized);
    if (in.out.json()) {
        in.out.print_json(as_json(rows, orphans, looks));
    } else {
        in.out.print(to_table(rows, in.out) + summary_text(rows));
    }
    for (const orphan_row& each : orphans) {
        const config::finding found = to_finding(each);
        in.out.warn(found.message + "; " + found.remedy);
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

struct group_arguments {
    std::string name;
    std::string new_name;
    std::string stream;
    bool yes = false;
};

/// Opens the operators' side of every broker that outlives the server, for all of which the change must be possible.
std::map<std::string, std::unique_ptr<broker::operations>> open_lasting_brokers(const commit::environment& env) {
    std::map<std::string, std::unique_ptr<broker::operations>> opened;
    for (const auto& [name, broker] : env.parts().brokers) {
        if (broker->can().cross_process) opened.emplace(name, broker->open_operations());
    }
    return opened;
}

/// @throws failure  a lane or a sequential handler of one of the databases has an owner
void require_no_server(const commit::environment& env) {
    const date_time now = system_clock().now();
    for (const auto& [name, database] : env.parts().databases) {
        for (const store::lane_status& lane : database->open_operations()->lanes()) {
            if (lane.owner.empty() || lane.expires_at <= now) continue;
            throw failure{
                exit_code::failed, "server_running",
                fmt::format("a server of this domain is running: {} in database {} belongs to {} for {} more; "
                            "stop every server first. Nothing was changed",
                            lane.lane, name, lane.owner, age_text(lane.expires_at - now))};
        }
    }
}

std::vector<std::string> names_of(const std::map<std::string, std::vector<broker::known_group>>& groups) {
    std::set<std::string> names;
    for (const auto& [broker, known] : groups) {
        for (const broker::known_group& each : known) names.insert(each.group);
    }
    return {names.begin(), names.end()};
}

bool is_read(const declared_installation& in, const std::string& group, const std::string& stream) {
    return std::any_of(in.routes.begin(), in.routes.end(), [&](const consume::route& each) {
        return each.group == group &&
               (stream.empty() || std::find(each.streams.begin(), each.streams.end(), stream) != each.streams.end());
    });
}

/// @throws usage_error  the new name is that of another group on a stream of the old one
void require_free(const group_arguments& given, const std::string& broker,
                  const std::vector<broker::known_group>& known) {
    for (const broker::known_group& each : known) {
        if (each.group != given.name) continue;
        const broker::known_group wanted{each.stream, given.new_name, {}};
        const bool is_taken = std::any_of(known.begin(), known.end(), [&](const auto& other) {
            return other.stream == wanted.stream && other.group == wanted.group;
        });
        if (is_taken) throw broker::group_is_taken(given.new_name, each.stream + " of broker " + broker);
    }
}

exit_code rename_group(const session& in, const group_arguments& given) {
    if (given.name == given.new_name) throw wrong_usage("the two names are the same");
    if (!sluice::detail::is_group_name(given.new_name) || given.new_name.empty()) {
        throw wrong_usage(
            fmt::format("`{}` is no name for a group: it has 1 to 200 characters, none of them white "
                        "space or `@`",
                        given.new_name));
    }
    const declared_installation opened = operate::open_declared(in.site);
    require_no_server(*opened.env);
    const auto brokers = open_lasting_brokers(*opened.env);
    std::map<std::string, std::vector<broker::known_group>> groups;
    for (const auto& [name, operations] : brokers) groups.emplace(name, operations->known_groups());
    // Asked of all before anything is changed on one.
    for (const auto& [broker, known] : groups) require_free(given, broker, known);

    std::size_t marks = 0;
    for (const auto& [name, database] : opened.env->parts().databases) {
        marks += database->open_operations()->rename_handler(given.name, given.new_name);
    }
    std::size_t streams = 0;
    for (const auto& [name, operations] : brokers) streams += operations->rename_group(given.name, given.new_name);
    if (marks == 0 && streams == 0) {
        const auto names = names_of(groups);
        throw not_found(fmt::format("nothing is called {}; {}", given.name,
                                    config::did_you_mean(given.name, names, "groups are", "there are no groups")));
    }
    if (in.out.json()) {
        in.out.print_json(
            json::object{{"from", given.name}, {"to", given.new_name}, {"streams", streams}, {"inbox_marks", marks}});
    } else {
        in.out.print(fmt::format("{} is called {} now: {}, {}", given.name, given.new_name,
                                 count_of(static_cast<std::int64_t>(streams), "stream"),
                                 count_of(static_cast<std::int64_t>(marks), "inbox mark")));
    }
    projection::look_up_readers(*opened.env);
    const auto routes = consume::routes_of(*opened.env);
    const bool known = std::any_of(routes.begin(), routes.end(),
                                   [&](const consume::route& each) { return each.group == given.new_name; });
    if (!known) {
        in.out.warn(fmt::format("no handler of this build is called {}; give it .name = \"{}\" before a server starts",
                                given.new_name, given.new_name));
    }
    return exit_code::ok;
}

exit_code retire_group(const session& in, const group_arguments& given) {
    const declared_installation opened = operate::open_declared(in.site);
    if (is_read(opened, given.name, given.stream)) {
        throw failure{
            exit_code::failed, "still_declared",
            fmt::format("a handler of this build reads in the name of {}; remove it from the domain first, or "
                        "name a --stream that it does not read. Nothing was changed",
                        given.name)};
    }
    const auto brokers = open_lasting_brokers(*opened.env);
    std::map<std::string, std::vector<broker::known_group>> known;
    std::int64_t unread = 0;
    std::int64_t dead = 0;
    std::int64_t streams = 0;
    for (const auto& [name, operations] : brokers) {
        known.emplace(name, operations->known_groups());
        for (const broker::group_status& each : operations->groups()) {
            if (each.group != given.name || (!given.stream.empty() && each.stream != given.stream)) continue;
            ++streams;
            unread += each.lag + each.pending;
            dead += each.dead;
        }
    }
    if (streams == 0) {
        const auto names = names_of(known);
        throw not_found(fmt::format("there is no group {}{}; {}", given.name,
                                    given.stream.empty() ? "" : " on " + given.stream,
                                    config::did_you_mean(given.name, names, "groups are", "there are no groups")));
    }
    const std::string what = fmt::format("{} on {} with {} and {}", given.name, count_of(streams, "stream"),
                                         count_of(unread, "unread message"), count_of(dead, "dead letter"));
    if (!given.yes && !in.out.confirm(fmt::format("retire group {}?", what))) {
        throw failure{exit_code::failed, "declined", "nothing was changed"};
    }
    std::size_t retired = 0;
    bool is_left = false;
    for (const auto& [name, operations] : brokers) {
        retired += operations->retire_group(given.stream, given.name);
        for (const broker::known_group& each : operations->known_groups()) is_left |= each.group == given.name;
    }
    std::size_t marks = 0;
    for (const auto& [name, database] : opened.env->parts().databases) {
        if (!is_left) marks += database->open_operations()->forget_handler(given.name);
    }
    if (in.out.json()) {
        in.out.print_json(json::object{{"group", given.name}, {"streams", retired}, {"inbox_marks", marks}});
    } else {
        in.out.print(fmt::format("retired {}", what));
    }
    return exit_code::ok;
}

}  // namespace

void add_subscriptions(command& root) {
    command subscriptions = root.add("subscriptions", "Look at subscriptions, rename and retire them");
    subscriptions.add("status", "Show lag, dead letters and settings of each; needs no running server")
        .runs(show_subscriptions);
    const auto given = std::make_shared<group_arguments>();
    subscriptions
        .add("rename", "Give what a handler has left another name, after it was renamed; no server may be running")
        .argument("OLD", given->name, "Consumer group as it is called now")
        .argument("NEW", given->new_name, "Name that the handler has from now on")
        .runs(rename_group, given);
    subscriptions.add("retire", "Remove the consumer group of a handler that is gone, with all that it holds")
        .argument("NAME", given->name, "Its consumer group")
        .option("--stream", "STREAM", given->stream, "On this stream only")
        .flag("-y,--yes", given->yes, "Do not ask")
        .runs(retire_group, given);
}

}  // namespace sluice::cli
