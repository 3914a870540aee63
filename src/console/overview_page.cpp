#include <fmt/format.h>

#include <algorithm>

#include <sluice/error.hpp>

#include "console/console.hpp"
#include "console/layout.hpp"
#include "console/widgets.hpp"
#include "operate/concerns.hpp"

namespace sluice::console {

namespace {

using operate::concern;
using operate::lane_view;
using operate::status_view;

/// Where somebody who is concerned wants to go.
std::string way_to(const context& in, const concern& of) {
    form_values query;
    switch (of.what) {
        case concern::about::lane:
            return target(path_in(in, {"lanes", of.database, of.broker}));
        case concern::about::rows:
            query.set("broker", of.broker);
            query.set("status", of.how == operate::urgency::note ? "pending" : "abandoned");
            return target(path_in(in, {"rows"}), query);
        case concern::about::dead_letters:
            query.set("broker", of.broker);
            query.set("stream", of.stream);
            query.set("group", of.group);
            return target(path_in(in, {"dead-letters"}), query);
        case concern::about::schedule:
        case concern::about::group:
        case concern::about::outage:
            break;
    }
    return {};
}

markup show_concerns(const context& in, const status_view& status) {
    const auto concerns = concerns_of(status);
    if (concerns.empty()) return notice(tone::good, "All is well.", "Nothing needs a person.");
    markup list;
    for (const concern& each : concerns) {
        const tone of = each.how == operate::urgency::now    ? tone::bad
                        : each.how == operate::urgency::soon ? tone::caution
                                                             : tone::faint;
        const std::string way = way_to(in, each);
        const char* const word = each.how == operate::urgency::now    ? "act"
                                 : each.how == operate::urgency::soon ? "look"
                                                                      : "note";
        list += element("li", badge(of, word) + element("div", (way.empty() ? element("strong", each.text)
                                                                            : element("strong", link(way, each.text))) +
                                                                   " " + faint(prose(each.remedy))));
    }
    return element("ul", {{"class", "concerns"}}, list);
}

markup show_lanes(context& in, const status_view& status) {
    table lanes{"Lanes"};
    lanes.column("Lane")
        .column("State")
        .column("Waiting", true)
        .column("Oldest")
        .column("Rate", true)
        .column("Last hour");
    for (const lane_view& each : status.lanes) {
        std::vector<double> depths;
        for (const lane_sample& sample : in.board().samples_of(each.database, each.broker)) {
            depths.push_back(static_cast<double>(sample.depth));
        }
        const markup name = link(target(path_in(in, {"lanes", each.database, each.broker})), each.broker) + " " +
                            faint(each.database + (each.external ? ", external" : ""));
        const std::string state = each.pause ? "resting" : each.shown_state();
        const bool is_estimated = each.rows && each.rows->pending_is_estimated;
        lanes.row({name, state_badge(state), (is_estimated ? "about " : "") + amount(each.depth()),
                   each.rows && each.rows->oldest ? time_ago(*each.rows->oldest, status.at) : faint("–"),
                   each.rate > 0 ? markup{fmt::format("{:.0f}/s", each.rate)} : faint("–"),
                   sparkline(depths, fmt::format("rows that waited for {} in the last hour", each.broker))});
    }
    return lanes.render("There are no lanes.");
}

markup show_groups(const context& in, const status_view& status) {
    table groups{"Consumer groups"};
    groups.column("Group")
        .column("Stream")
        .column("Broker")
        .column("Waiting", true)
        .column("In hand", true)
        .column("Dead letters", true);
    constexpr std::size_t most = 200;
    std::size_t shown = 0;
    for (const auto& [broker, group] : status.groups) {
        if (++shown > most) break;
        form_values query;
        query.set("broker", broker);
        query.set("stream", group.stream);
        query.set("group", group.group);
        groups.row({code(group.group), code(group.stream), broker, amount(group.lag), amount(group.pending),
                    group.dead == 0 ? markup{amount(0)}
                                    : link(target(path_in(in, {"dead-letters"}), query), amount(group.dead))});
    }
    markup content = groups.render("No broker knows a consumer group yet.");
    if (shown > most) content += paragraph(faint(fmt::format("The first {} are shown.", most)));
    return content;
}

markup show_context(context& in, bool with_name) {
    const std::string& name = in.name();
    markup content = with_name ? element("h2", {{"class", "context"}}, name) : markup{};
    try {
        const auto status = in.board().look();
        content += panel("Needs a person", show_concerns(in, *status), name + "-concerns");
        content += panel("Lanes", show_lanes(in, *status), name + "-lanes");
        content += panel("Subscriptions", show_groups(in, *status), name + "-groups");
    } catch (const error& e) {
        content +=
            panel("Needs a person", notice(tone::bad, "The status cannot be read.", e.what()), name + "-concerns");
    }
    if (in.declared() == nullptr)
        content += paragraph(faint("What a domain declares is not shown: " + in.why_undeclared()));
    return content;
}

http::http_answer show_overview(const console& in, const visit& of) {
    markup content;
    for (const auto& each : in.contexts()) content += show_context(*each, in.contexts().size() > 1);
    return page(in, of, {.title = "Overview", .section = "overview", .content = content, .is_live = true});
}

}  // namespace

void add_overview_page(router& to, console& of) {
    to.add({.method = "GET", .path = "/console", .answer = [&of](const visit& by) { return show_overview(of, by); }});
}

}  // namespace sluice::console
