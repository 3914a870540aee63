#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "console/console.hpp"
#include "console/layout.hpp"
#include "console/widgets.hpp"
#include "operate/lane_pauses.hpp"
#include "operate/outbox_rows.hpp"
#include "operate/request_error.hpp"

namespace sluice::console {

namespace {

using operate::lane_view;
using operate::status_view;

constexpr std::size_t most_held = 20;

/// @throws request_error (not_found)
const lane_view& find_lane(const status_view& status, const visit& of) {
    const auto found = std::ranges::find_if(status.lanes, [&](const lane_view& each) {
        return each.database == of.at("database") && each.broker == of.at("broker");
    });
    if (found == status.lanes.end()) {
        throw operate::not_found(
            fmt::format("no lane leads from database {} to broker {}", of.at("database"), of.at("broker")));
    }
    return *found;
}

std::string rows_target(const visit& of, const lane_view& lane, const char* status) {
    form_values query;
    query.set("database", lane.database);
    query.set("broker", lane.broker);
    query.set("status", status);
    return target(path_in(of, {"rows"}), query);
}

markup show_lane_state(const visit& of, const lane_view& lane, const status_view& status) {
    const operate::lane_rows rows = lane.rows.value_or(operate::lane_rows{});
    const auto counted = [&](std::int64_t count, const char* word) {
        return count == 0 ? markup{amount(0)} : link(rows_target(of, lane, word), amount(count));
    };
    const std::string shown = lane.pause ? "resting" : lane.shown_state();
    markup state = state_badge(shown);
    if (lane.since) state += " " + faint("since " + age_text(status.at - *lane.since));
    return facts({{"State", state},
                  {"Reason", lane.pause                   ? markup{"paused by an operator"}
                             : lane.last_detail().empty() ? faint("–")
                                                          : markup{lane.last_detail()}},
                  {"Owner", lane.owner.empty() ? faint("nobody, or several") : code(lane.owner)},
                  {"Rate", fmt::format("{:.1f} rows/s", lane.rate)},
                  {"Pending", (rows.pending_is_estimated ? "about " : "") + counted(rows.pending, "pending")},
                  {"Refused", counted(rows.failed, "failed")},
                  {"Given up", counted(rows.abandoned, "abandoned")},
                  {"Published and kept", counted(rows.published, "published")},
                  {"Oldest that waits", time_ago(rows.oldest, status.at)},
                  {"Overtaken", amount(lane.overtaken)}});
}

markup show_shards(const lane_view& lane, date_time now) {
    table shards{"Shards"};
    shards.column("Shard").column("State").column("Owner").column("Rate", true).column("Since").column("Reason");
    for (const lane_view& each : lane.shards) {
        shards.row({fmt::format("{}/{}", each.part.number, each.part.count), state_badge(each.state),
                    each.owner.empty() ? faint("nobody") : code(each.owner), fmt::format("{:.1f}/s", each.rate),
                    time_ago(each.since, now), each.last_detail()});
    }
    return shards.render("");
}

markup show_writers(const operate::held_lanes& held) {
    table writers{"Transactions that the lane waits for"};
    writers.column("Process").column("Open for").column("Application").column("State");
    for (const auto& [pid, age, application, state] : held.by) {
        writers.row({pid, age ? markup{age_text(*age)} : faint("hidden"), application, state});
    }
    return writers.render("");
}

/// Streams whose first row waits for another attempt: what follows in them waits, too.
markup show_held_streams(const visit& of, const lane_view& lane, date_time now) {
    table held{"Streams on hold"};
    held.column("Stream").column("Message").column("Attempts", true).column("Next").column("Error");
    store::outbox_filter filter;
    filter.target_broker = lane.broker;
    filter.status = store::row_status::failed;
    filter.oldest_first = true;
    filter.limit = most_held;
    const auto& database = of.where->with().parts.databases.at(lane.database);
    for (const store::outbox_row& row : database->open_operations()->list(filter)) {
        held.row({code(row.stream), link(target(path_in(of, {"messages", row.message_id})), row.message_id),
                  row.retry_count, time_ago(row.next_retry_at, now), error_text(row.last_error)});
    }
    return held.render("No stream is on hold.");
}

markup show_charts(const visit& of, const lane_view& lane) {
    std::vector<double> depth;
    std::vector<double> rate;
    for (const lane_sample& each : of.where->board().samples_of(lane.database, lane.broker)) {
        depth.push_back(static_cast<double>(each.depth));
        rate.push_back(each.rate);
    }
    const auto titled = [](const char* title, const markup& chart) {
        return element("figure", element("figcaption", title) + chart);
    };
    return element("div", {{"class", "charts"}},
                   titled("Rows that wait", sparkline(depth, "rows that waited in the last hour", true)) +
                       titled("Rows per second", sparkline(rate, "rows per second in the last hour", true)));
}

markup pause_or_resume(const visit& of, const lane_view& lane, date_time now) {
    if (!may_act(of)) return why_no_actions(of);
    const auto to = [&](const char* action) {
        return target(path_in(of, {"lanes", lane.database, lane.broker, action}));
    };
    if (lane.pause) {
        const std::string why = lane.pause->reason.empty() ? "" : ": " + lane.pause->reason;
        return paragraph("An operator has paused it " + time_ago(lane.pause->since, now) + why) +
               change_form(to("resume"), of.form_token, button("Resume", tone::good));
    }
    return change_form(to("pause"), of.form_token,
                       text_field("reason", "Reason", "", "For those who look at the lane meanwhile.") +
                           button("Pause", tone::caution));
}

http::http_answer show_lane(const console& in, const visit& of) {
    const auto status = of.where->board().look();
    const lane_view& lane = find_lane(*status, of);
    markup content = panel("State", show_lane_state(of, lane, *status), "state");
    if (const operate::held_lanes* const held = status->holders_of(lane)) {
        content += panel("Waits for", show_writers(*held), "writers");
    }
    content += panel("Last hour", show_charts(of, lane), "charts");
    if (!lane.shards.empty()) content += panel("Shards", show_shards(lane, status->at), "shards");
    content += panel("Streams on hold", show_held_streams(of, lane, status->at), "held");
    content += panel(lane.pause ? "Go on" : "Let it rest", pause_or_resume(of, lane, status->at));
    return page(
        in, of,
        {.title = fmt::format("Lane to {}", lane.broker), .section = "overview", .content = content, .is_live = true});
}

http::http_answer change_lane(console& in, const visit& of, bool rest) {
    const std::string& broker = of.at("broker");
    const std::string back = target(path_in(of, {"lanes", of.at("database"), broker}));
    const std::string& reason = of.form.get("reason");
    if (of.form.get("confirmed") != "yes") {
        return ask(in, of, "overview",
                   {.title = fmt::format("{} the lanes to {}?", rest ? "Pause" : "Resume", broker),
                    .text = rest ? "Nothing more is sent to this broker from any database until somebody resumes it, "
                                   "also after a restart. Rows wait in order."
                                 : "What waits is sent, in order.",
                    .to = of.request.path,
                    .fields = of.form,
                    .agree = rest ? "Pause" : "Resume",
                    .cancel = back});
    }
    const operate::lane_order order = rest ? operate::pause_lanes(of.where->with(), broker, reason, in.now())
                                           : operate::resume_lanes(of.where->with(), broker);
    in.record(of, rest ? "lanes.pause" : "lanes.resume", broker + (reason.empty() ? "" : ": " + reason),
              order.databases.size());
    return tell(in, of, "overview", rest ? "Paused" : "Resumed",
                fmt::format("The lanes to {} of {} {}.", broker,
                            count_of(static_cast<std::int64_t>(order.databases.size()), "database"),
                            rest ? fmt::format("rest; running ones notice within {:g} seconds",
                                               of.where->with().configuration.outbox.lease_seconds / 3)
                                 : "go on"),
                back);
}

}  // namespace

void add_lane_page(router& to, console& of) {
    const std::string path = "/console/contexts/{context}/lanes/{database}/{broker}";
    to.add({.method = "GET", .path = path, .answer = [&of](const visit& by) { return show_lane(of, by); }});
    to.add(
        {.method = "POST", .path = path + "/pause", .needs = console_role::operating, .answer = [&of](const visit& by) {
             return change_lane(of, by, true);
         }});
    to.add({.method = "POST",
            .path = path + "/resume",
            .needs = console_role::operating,
            .answer = [&of](const visit& by) { return change_lane(of, by, false); }});
}

}  // namespace sluice::console
