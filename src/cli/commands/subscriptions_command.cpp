#include <fmt/format.h>

#include "cli/commands/commands.hpp"
#include "cli/commands/subscription_texts.hpp"
#include "cli/terminal/table.hpp"
#include "cli/terminal/units.hpp"
#include "operate/groups.hpp"
#include "operate/subscriptions.hpp"

namespace sluice::cli {

namespace {

using operate::subscription_row;
using operate::subscription_state;
using operate::subscriptions_view;

cell state_cell(subscription_state state) {
    switch (state) {
        case subscription_state::ok:
            return {state_text(state), tone::good};
        case subscription_state::dead_letters:
            return {state_text(state), tone::bad};
        case subscription_state::lagging:
        case subscription_state::never_read:
            return {state_text(state), tone::caution};
        case subscription_state::unknown:
            break;
    }
    return {state_text(state)};
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

void warn_of_all(const session& in, const subscriptions_view& view) {
    for (const operate::orphan_group& each : view.orphans) {
        const config::finding found = to_finding(each);
        in.out.warn(found.message + "; " + found.remedy);
    }
    for (const std::string& broker : view.in_process) {
        in.out.warn(
            fmt::format("broker {} is inside the server's process (inline) and cannot be seen from here", broker));
    }
    for (const operate::outage& each : view.away) {
        in.out.warn(fmt::format("{} is unavailable: {}", each.subject(), each.reason));
    }
}

exit_code show_subscriptions(const session& in) {
    const declared_installation opened = operate::open_declared(in.site);
    const subscriptions_view view = operate::read_subscriptions(opened);
    if (in.out.json()) {
        in.out.print_json(to_json(view));
    } else {
        in.out.print(to_table(view.subscriptions, in.out) + summary_text(view.subscriptions));
    }
    warn_of_all(in, view);
    return view.away.empty() ? exit_code::ok : exit_code::unavailable;
}

struct group_arguments {
    std::string name;
    std::string new_name;
    std::string stream;
    bool yes = false;
};

exit_code rename_group(const session& in, const group_arguments& given) {
    operate::require_names(given.name, given.new_name);  // told before anything is opened
    const declared_installation opened = operate::open_declared(in.site);
    const operate::renamed_group renamed = operate::rename_group(opened, given.name, given.new_name);
    if (in.out.json()) {
        in.out.print_json(to_json(renamed));
    } else {
        in.out.print(fmt::format("{} is called {} now: {}, {}", renamed.from, renamed.to,
                                 count_of(renamed.streams, "stream"), count_of(renamed.inbox_marks, "inbox mark")));
    }
    if (!renamed.has_handler) {
        in.out.warn(fmt::format("no handler of this build is called {}; give it .name = \"{}\" before a server starts",
                                renamed.to, renamed.to));
    }
    return exit_code::ok;
}

exit_code retire_group(const session& in, const group_arguments& given) {
    const declared_installation opened = operate::open_declared(in.site);
    operate::group_retirement retirement{opened, given.name, given.stream};
    const std::string what =
        fmt::format("{} on {} with {} and {}", given.name, count_of(retirement.streams(), "stream"),
                    count_of(retirement.unread(), "unread message"), count_of(retirement.dead(), "dead letter"));
    if (!given.yes) require_consent(in, fmt::format("retire group {}?", what));
    const operate::retired_group retired = retirement.apply();
    if (in.out.json()) {
        in.out.print_json(to_json(retired));
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
