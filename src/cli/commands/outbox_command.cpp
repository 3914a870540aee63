#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>

#include "cli/commands/commands.hpp"
#include "cli/commands/follow.hpp"
#include "cli/terminal/failure.hpp"
#include "cli/terminal/follow_output.hpp"
#include "cli/terminal/table.hpp"
#include "cli/terminal/units.hpp"
#include "config/printable.hpp"
#include "operate/json_forms.hpp"
#include "operate/outbox_rows.hpp"
#include "operate/row_change.hpp"
#include "operate/row_feed.hpp"

namespace sluice::cli {

namespace {

using operate::located_row;
using operate::message_view;
using operate::row_action;
using operate::row_change;
using store::outbox_filter;
using store::outbox_row;
using store::row_status;

constexpr std::size_t longest_error = 80;

/// Options of the commands that pick rows.
struct row_arguments {
    std::string message_id;
    std::string broker;
    std::string status;
    std::string stream;
    std::string type;
    std::string error;
    std::string older_than;
    std::size_t limit = 100;
    bool all = false;
    bool yes = false;
    bool envelope = false;
    bool follow = false;

    [[nodiscard]] bool picks_nothing() const {
        return message_id.empty() && broker.empty() && status.empty() && stream.empty() && type.empty() &&
               error.empty() && older_than.empty();
    }
};

outbox_filter to_filter(const row_arguments& given, date_time now) {
    outbox_filter filter;
    filter.message_id = given.message_id;
    filter.target_broker = given.broker;
    filter.stream = given.stream;
    filter.type = given.type;
    filter.error = given.error;
    filter.limit = given.limit;
    if (!given.status.empty()) filter.status = operate::row_status_named(given.status);
    if (!given.older_than.empty()) filter.created_before = now - parse_age(given.older_than);
    return filter;
}

tone tone_of(row_status status) {
    switch (status) {
        case row_status::published:
            return tone::good;
        case row_status::failed:
            return tone::caution;
        case row_status::abandoned:
            return tone::bad;
        default:
            return tone::plain;
    }
}

/// One line about the last error; the whole of it is in `outbox show`.
std::string brief_error(const outbox_row& row) {
    if (row.last_error.empty() || row.status == row_status::published) return {};
    const json::value error = operate::embedded(row.last_error);
    return error.is_object() ? error.string_or("message", error.string_or("reason", "")) : row.last_error;
}

bool are_in_several_databases(const std::vector<located_row>& rows) {
    return std::any_of(rows.begin(), rows.end(), [&](const auto& each) { return each.database != rows[0].database; });
}

std::vector<column> columns_of_rows(bool with_database) {
    std::vector<column> all;
    if (with_database) all.push_back({"DATABASE"});
    for (const column& each : {column{"MESSAGE ID"}, column{"BROKER"}, column{"STATUS"}, column{"TYPE"},
                               column{"TRIES", alignment::right}, column{"CREATED"}, column{"ERROR"}}) {
        all.push_back(each);
    }
    return all;
}

std::vector<cell> cells_of(const located_row& located, bool with_database) {
    const auto& [database, row] = located;
    std::vector<cell> cells;
    if (with_database) cells.emplace_back(database);
    cells.emplace_back(row.message_id);
    cells.emplace_back(row.target_broker);
    cells.emplace_back(store::to_string(row.status), tone_of(row.status));
    cells.emplace_back(row.type);
    cells.emplace_back(std::to_string(row.retry_count));
    cells.emplace_back(row.created_at.to_string());
    cells.emplace_back(config::printable(brief_error(row), longest_error));
    return cells;
}

exit_code follow_outbox(const session& in, const row_arguments& given) {
    if (!given.older_than.empty()) {
        throw wrong_usage("--follow shows what comes, and --older-than leaves out all that comes: remove one of them");
    }
    if (!given.error.empty()) {
        throw wrong_usage(
            "--follow shows rows before they have an error, and --error only those that have one: say "
            "--status=failed to see what is refused");
    }
    stop_signals stop;  // before any other thread
    follow_output out{stop};
    const outbox_filter filter = to_filter(given, system_clock().now());
    const installation with = operate::open_installation(in.site);
    const bool many = with.parts.databases.size() > 1;
    growing_table lines{columns_of_rows(many)};
    operate::row_feed rows{
        filter, [&](const located_row& each) {
            return out.line(in.out.json() ? json::dump(to_json(each)) : lines.row(cells_of(each, many), in.out));
        }};
    return follow(in, with, rows, out, in.out.json() ? std::nullopt : std::optional{lines.header(in.out)});
}

void print_rows(const session& in, const std::vector<located_row>& rows, date_time now) {
    const bool many = are_in_several_databases(rows);
    table listing{{{"DATABASE"},
                   {"MESSAGE ID"},
                   {"BROKER"},
                   {"STATUS"},
                   {"TYPE"},
                   {"TRIES", alignment::right},
                   {"AGE", alignment::right},
                   {"ERROR"}}};
    for (const auto& [database, row] : rows) {
        listing.add({many ? database : "",
                     row.message_id,
                     row.target_broker,
                     {store::to_string(row.status), tone_of(row.status)},
                     row.type,
                     std::to_string(row.retry_count),
                     age_text(now - row.created_at),
                     config::printable(brief_error(row), longest_error)});
    }
    in.out.print(listing.render(in.out));
}

exit_code list_outbox(const session& in, const row_arguments& given) {
    if (given.follow) return follow_outbox(in, given);
    const installation with = operate::open_installation(in.site);
    const date_time now = system_clock().now();
    const outbox_filter filter = to_filter(given, now);  // wrong usage is told before anything is opened
    const auto databases = operate::open_all(with.parts);
    const auto rows = operate::list_rows(databases, filter);
    if (rows.empty() && !given.broker.empty()) {
        // A list may be empty because a name was misspelt.
        const std::string doubt = operate::doubt_about(given.broker, with.configuration, databases);
        if (!doubt.empty()) in.out.warn(doubt);
    }
    if (in.out.json()) {
        in.out.print_json(json::object{{"rows", to_json(rows)}});
        return exit_code::ok;
    }
    if (rows.empty()) {
        in.out.print("no rows");
        return exit_code::ok;
    }
    print_rows(in, rows, now);
    if (rows.size() == given.limit) {
        in.out.print(fmt::format("\nthe newest {}; there may be more (--limit)", count_of(std::ssize(rows), "row")));
    }
    return exit_code::ok;
}

void show_rows(const session& in, const std::vector<located_row>& rows) {
    const bool many = are_in_several_databases(rows);
    table listing{{{"DATABASE"},
                   {"BROKER"},
                   {"STATUS"},
                   {"TRIES", alignment::right},
                   {"PUBLISHED"},
                   {"RECEIPT"},
                   {"NEXT RETRY"}}};
    for (const auto& [database, row] : rows) {
        listing.add({many ? database : "",
                     row.target_broker,
                     {store::to_string(row.status), tone_of(row.status)},
                     std::to_string(row.retry_count),
                     row.published_at ? row.published_at->to_string() : "",
                     row.receipt,
                     row.next_retry_at ? row.next_retry_at->to_string() : ""});
    }
    in.out.print(listing.render(in.out));
    for (const auto& [database, row] : rows) {
        if (row.last_error.empty()) continue;
        in.out.print(safe_lines(fmt::format("\nlast error of {}", row.target_broker)));
        in.out.print(indented(json::dump(operate::embedded(row.last_error), json::style::pretty), 2));
    }
}

/// JSON text below its title.
void print_part(const session& in, const std::string& title, const std::string& text) {
    in.out.print(safe_lines("\n" + title));
    in.out.print(indented(json::dump(operate::embedded(text), json::style::pretty), 2));
}

void print_departures(const session& in, const message_view& message) {
    for (const auto& [brokers, messages] : message.departures) {
        const std::string whose = message.departures.size() > 1 ? fmt::format(" for {}", fmt::join(brokers, ", ")) : "";
        for (const envelope::rendered_message& each : messages) {
            const std::string which = each.id_suffix.empty() ? "" : " of " + message.event.message_id + each.id_suffix;
            print_part(in, "external envelope" + whose + which, each.body);
            for (const auto& [name, value] : each.head) in.out.print(safe_lines(fmt::format("  {}: {}", name, value)));
        }
    }
}

exit_code show_message(const session& in, const row_arguments& given) {
    const installation with = operate::open_installation(in.site);
    const message_view message = operate::read_message(with, given.message_id, given.envelope);
    if (in.out.json()) {
        in.out.print_json(to_json(message));
        return exit_code::ok;
    }
    const store::logged_event& event = message.event;
    const date_time now = system_clock().now();
    in.out.print(safe_lines(fmt::format("message   {}\ntype      {}\nstream    {}\ndatabase  {}\ncreated   {} ({} ago)",
                                        event.message_id, event.type, event.stream, message.database,
                                        event.created_at.to_string(), age_text(now - event.created_at))) +
                 "\n\n");
    show_rows(in, message.rows);
    print_part(in, "data", event.data);
    if (given.envelope) {
        print_departures(in, message);
    } else {
        print_part(in, "metadata", event.metadata);
    }
    return exit_code::ok;
}

std::string counted(std::size_t count) {
    if (count > row_change::most_counted) return fmt::format("more than {} rows", count_text(row_change::most_counted));
    return count_of(count, "row");
}

std::string to_text(const operate::left_rows& left) {
    return safe_lines(left.broker.empty() ? fmt::format("database {}: {}", left.database, left.reason)
                                          : fmt::format("left: {} for broker {} (database {}): {}", counted(left.count),
                                                        left.broker, left.database, left.reason));
}

exit_code change_rows(const session& in, row_action what, const row_arguments& given, const installation& with,
                      const outbox_filter& asked) {
    row_change change{with, what, asked};
    if (change.count() > 0 && !given.yes) {
        require_consent(in, fmt::format("{} {}?", to_string(what), counted(change.count())),
                        what == row_action::discard && given.all);
    }
    const operate::rows_outcome outcome = change.apply();
    if (in.out.json()) {
        in.out.print_json(to_json(outcome));
    } else {
        const char* const done = what == row_action::retry ? "given a full new budget" : "given up";
        in.out.print(fmt::format("{} {}", count_of(outcome.changed, "row"), done));
    }
    for (const operate::left_rows& each : outcome.left) in.out.warn(to_text(each));
    return outcome.left.empty() ? exit_code::ok : exit_code::failed;
}

void require_a_choice(row_action what, const row_arguments& given) {
    if (given.all == given.picks_nothing()) return;
    if (given.all) throw wrong_usage("--all and a choice of rows contradict each other");
    throw wrong_usage(
        fmt::format("say which rows to {0}: a MESSAGE_ID, --broker, --stream, --status, --type, --error, "
                    "--older-than, or --all",
                    to_string(what)));
}

exit_code change_chosen(const session& in, row_action what, const row_arguments& given) {
    require_a_choice(what, given);
    const installation with = operate::open_installation(in.site);
    return change_rows(in, what, given, with, to_filter(given, system_clock().now()));
}

exit_code retry(const session& in, const row_arguments& given) { return change_chosen(in, row_action::retry, given); }

exit_code discard(const session& in, const row_arguments& given) {
    return change_chosen(in, row_action::discard, given);
}

exit_code retire(const session& in, const row_arguments& given) {
    outbox_filter filter;
    filter.target_broker = given.broker;
    return change_rows(in, row_action::retire, given, operate::open_installation(in.site), filter);
}

command& add_choice(command& to, row_arguments& given) {
    return to.option("--broker", "NAME", given.broker, "Rows for this broker")
        .option("--status", "WORD", given.status, "Rows in this status: pending, failed, abandoned, …")
        .option("--stream", "STREAM", given.stream, "Rows of this stream (shop::order-o-1) or category (shop::order)")
        .option("--type", "TYPE", given.type,
                "Rows of this event: Shop.OrderShipped.v1, or OrderShipped of any version")
        .option("--error", "TEXT", given.error, "Rows whose last error has this text in it")
        .option("--older-than", "AGE", given.older_than, "Rows written longer ago: 90s, 10m, 1h30m, 7d");
}

}  // namespace

void add_outbox(command& root) {
    const auto given = std::make_shared<row_arguments>();
    command outbox = root.add("outbox", "Look at outbox rows, retry them or give them up");

    command listing = outbox.add("list", "List rows, newest first");
    add_choice(listing, *given)
        .limit(given->limit)
        .flag("--follow", given->follow, "Oldest first, and go on with new rows and changes until SIGINT")
        .runs(list_outbox, given);

    outbox.add("show", "Show one message with all its rows")
        .argument("MESSAGE_ID", given->message_id, "Id of the message")
        .flag("--envelope", given->envelope, "Show what external brokers get, instead of the metadata")
        .runs(show_message, given);

    const auto add_change = [&](const char* name, const char* purpose) {
        command change = outbox.add(name, purpose);
        change.optional_argument("MESSAGE_ID", given->message_id, "Only the rows of this message");
        return add_choice(change, *given)
            .flag("--all", given->all, "All rows that can be meant")
            .flag("-y,--yes", given->yes, "Do not ask");
    };
    add_change("retry", "Give failed and abandoned rows a full new budget").runs(retry, given);
    add_change("discard", "Give up rows that wait: they are not sent").runs(discard, given);

    outbox.add("retire", "Give up what waits for a broker that left the configuration")
        .argument("BROKER", given->broker, "Name the broker had")
        .flag("-y,--yes", given->yes, "Do not ask")
        .runs(retire, given);
    add_backfills(outbox);
}

}  // namespace sluice::cli
