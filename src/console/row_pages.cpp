#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "console/console.hpp"
#include "console/layout.hpp"
#include "console/row_choice.hpp"
#include "console/widgets.hpp"
#include "operate/outbox_rows.hpp"
#include "operate/pages.hpp"
#include "operate/request_error.hpp"

namespace sluice::console {

namespace {

using operate::row_action;

constexpr std::size_t rows_on_a_page = 50;

/// The names of a filter, in the query of the page and in the forms that change what it shows.
constexpr const char* const filter_names[] = {"broker", "status", "stream", "type", "error", "message", "age"};

using words = std::vector<std::pair<std::string, std::string>>;

words broker_words(const context& in) {
    words all{{"", "any"}};
    for (const auto& [name, settings] : in.with().configuration.brokers) all.emplace_back(name, name);
    return all;
}

words database_words(const context& in) {
    words all{{"", "all"}};
    for (const auto& [name, settings] : in.with().configuration.databases) all.emplace_back(name, name);
    return all;
}

store::outbox_filter filter_of(const form_values& from, date_time now) {
    store::outbox_filter filter;
    filter.target_broker = from.get("broker");
    if (!from.get("status").empty()) filter.status = operate::row_status_named(from.get("status"));
    filter.stream = from.get("stream");
    filter.type = from.get("type");
    filter.error = from.get("error");
    filter.message_id = from.get("message");
    constexpr std::size_t longest = 315'360'000;
    const std::size_t seconds = number_in(from.get("age"), "age", 0, longest);
    if (seconds > 0) filter.created_before = now - std::chrono::seconds{seconds};
    filter.limit = rows_on_a_page;
    return filter;
}

markup filter_form(const visit& of) {
    const context& in = *of.where;
    markup fields = choice_field("broker", "Broker", broker_words(in), of.query.get("broker"));
    fields += choice_field("status", "Status",
                           {{"", "any"},
                            {"pending", "pending"},
                            {"failed", "failed"},
                            {"abandoned", "abandoned"},
                            {"published", "published"}},
                           of.query.get("status"));
    fields += text_field("stream", "Stream or category", of.query.get("stream"));
    fields += text_field("type", "Type", of.query.get("type"), "Shop.OrderShipped.v1, or OrderShipped of any version.");
    fields += text_field("error", "Error", of.query.get("error"), "A part of the last one.");
    fields += text_field("message", "Message", of.query.get("message"));
    fields += choice_field("age", "Written",
                           {{"", "at any time"},
                            {"60", "more than a minute ago"},
                            {"600", "more than ten minutes ago"},
                            {"3600", "more than an hour ago"},
                            {"86400", "more than a day ago"}},
                           of.query.get("age"));
    if (in.with().configuration.databases.size() > 1) {
        fields += choice_field("database", "Database", database_words(in), of.query.get("database"));
    }
    return search_form(target(path_in(of, {"rows"})), fields);
}

/// What is picked: the broker is a name without a blank.
std::string pick_of(const store::outbox_row& row) { return row.target_broker + " " + row.message_id; }

markup rows_table(const visit& of, const operate::page<operate::located_row>& rows, date_time now) {
    table list{"Outbox rows, newest first"};
    if (may_act(of)) list.column("Pick");
    list.column("Message")
        .column("Type")
        .column("Stream")
        .column("Broker")
        .column("Status")
        .column("Attempts", true)
        .column("Written")
        .column("Error");
    for (const auto& [database, row] : rows.elements) {
        std::vector<markup> cells;
        if (may_act(of)) {
            cells.push_back(void_element(
                "input", {{"type", "checkbox"},
                          {"name", "row"},
                          {"value", pick_of(row)},
                          {"aria-label", fmt::format("pick {} for {}", row.message_id, row.target_broker)}}));
        }
        cells.push_back(link(target(path_in(of, {"messages", row.message_id})), row.message_id));
        cells.emplace_back(row.type);
        cells.push_back(code(row.stream));
        cells.emplace_back(row.target_broker);
        cells.push_back(state_badge(store::to_string(row.status)));
        cells.emplace_back(row.retry_count);
        cells.push_back(time_ago(row.created_at, now));
        cells.push_back(error_text(row.last_error));
        list.row(std::move(cells));
    }
    return list.render(rows.is_cut_short ? "No row was found yet." : "No row matches.");
}

/// What can be done with the rows that are shown.
markup action_bar(const visit& of) {
    const auto to = [&](const char* action) { return target(path_in(of, {"rows", action})); };
    return element("div", {{"class", "buttons sticky"}},
                   text_field("reason", "Reason of a discard", "") + button("Retry picked", tone::good, to("retry")) +
                       button("Discard picked", tone::bad, to("discard")));
}

/// The same for all that match the filter. Of one database only when there is no other: the actions know no database.
markup action_on_all(const visit& of) {
    if (!of.query.get("database").empty() && of.where->with().configuration.databases.size() > 1) return {};
    markup fields;
    for (const char* each : filter_names) fields += hidden_field(each, of.query.get(each));
    fields += hidden_field("matching", "yes");
    const auto to = [&](const char* action) { return target(path_in(of, {"rows", action})); };
    fields += element("div", {{"class", "buttons"}},
                      text_field("reason-of-all", "Reason of a discard", "") +
                          button("Retry all that match", tone::good, to("retry")) +
                          button("Discard all that match", tone::bad, to("discard")));
    return panel("All that match", change_form(to("retry"), of.form_token, fields));
}

http::http_answer show_rows(const console& in, const visit& of) {
    auto databases = operate::open_all(of.where->with().parts);
    if (const std::string& wanted = of.query.get("database"); !wanted.empty()) {
        std::erase_if(databases, [&](const auto& each) { return each.name != wanted; });
    }
    const date_time now = in.now();
    const auto rows =
        operate::page_of_rows(databases, filter_of(of.query, now), operate::position_from(of.query.get("from")));
    markup list = rows_table(of, rows, now);
    if (may_act(of) && !rows.elements.empty()) {
        list = change_form(target(path_in(of, {"rows", "retry"})), of.form_token, list + action_bar(of));
    }
    markup content = filter_form(of) + list;
    content +=
        pager(path_in(of, {"rows"}), of.query, rows.has_more ? operate::to_text(rows.next) : "", rows.is_cut_short);
    content += may_act(of) ? action_on_all(of) : why_no_actions(of);
    return page(in, of, {.title = "Rows", .section = "rows", .content = content});
}

row_choice choice_of(const visit& of, date_time now) {
    row_choice choice;
    choice.reason = of.form.get(of.form.has("matching") ? "reason-of-all" : "reason");
    for (const std::string& each : of.form.all("row")) {
        const auto blank = each.find(' ');
        if (blank == std::string::npos) throw operate::wrong_request("a picked row names no message");
        choice.picked.push_back({each.substr(0, blank), each.substr(blank + 1)});
    }
    if (choice.picked.empty() && of.form.get("matching") == "yes") {
        choice.filter = filter_of(of.form, now);
        choice.all = std::ranges::all_of(filter_names, [&](const char* each) { return of.form.get(each).empty(); });
    } else if (choice.picked.empty()) {
        throw operate::wrong_request("no row is picked; tick the boxes of those that you mean");
    }
    return choice;
}

std::string back_to_rows(const visit& of) {
    form_values query;
    for (const char* each : filter_names) query.set(each, of.form.get(each));
    return target(path_in(of, {"rows"}), query);
}

markup outcome_text(const operate::rows_outcome& outcome, row_action what) {
    markup text = fmt::format("{} {}.", count_of(static_cast<std::int64_t>(outcome.changed), "row"),
                              what == row_action::retry ? "given a full new budget" : "given up");
    for (const operate::left_rows& each : outcome.left) {
        text += paragraph(fmt::format("Left in {}{}{}: {}", each.database, each.broker.empty() ? "" : " for ",
                                      each.broker, each.reason));
    }
    return text;
}

http::http_answer change_rows(console& in, const visit& of, row_action what) {
    const row_choice choice = choice_of(of, in.now());
    chosen_rows chosen{of.where->with(), what, choice};
    const bool is_loss = what == row_action::discard;
    if (of.form.get("confirmed") != "yes") {
        const std::size_t count = chosen.count();
        const std::string amount_text =
            count > operate::row_change::most_counted
                ? fmt::format("more than {}", count_of(operate::row_change::most_counted, "row"))
                : count_of(static_cast<std::int64_t>(count), "row");
        return ask(in, of, "rows",
                   {.title = fmt::format("{} {}?", is_loss ? "Discard" : "Retry", amount_text),
                    .text = fmt::format(
                        "{}: {}.",
                        is_loss ? "They are given up and not sent" : "They get a full new budget and are sent again",
                        to_text(choice)),
                    .to = of.request.path,
                    .fields = of.form,
                    .agree = is_loss ? "Discard" : "Retry",
                    .cancel = back_to_rows(of),
                    .is_loss = is_loss});
    }
    const operate::rows_outcome outcome = chosen.apply();
    in.record(of, std::string{"rows."} + to_string(what),
              to_text(choice) + (choice.reason.empty() ? "" : "; " + choice.reason), outcome.changed);
    return tell(in, of, "rows", is_loss ? "Discarded" : "Retried", outcome_text(outcome, what), back_to_rows(of));
}

}  // namespace

void add_row_pages(router& to, console& of) {
    const std::string path = "/console/contexts/{context}/rows";
    to.add({.method = "GET", .path = path, .answer = [&of](const visit& by) { return show_rows(of, by); }});
    to.add(
        {.method = "POST", .path = path + "/retry", .needs = console_role::operating, .answer = [&of](const visit& by) {
             return change_rows(of, by, row_action::retry);
         }});
    to.add({.method = "POST",
            .path = path + "/discard",
            .needs = console_role::operating,
            .answer = [&of](const visit& by) { return change_rows(of, by, row_action::discard); }});
}

}  // namespace sluice::console
