#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "cli/commands/commands.hpp"
#include "cli/commands/follow.hpp"
#include "cli/commands/shown_lately.hpp"
#include "cli/terminal/failure.hpp"
#include "cli/terminal/follow_output.hpp"
#include "cli/terminal/table.hpp"
#include "cli/terminal/units.hpp"
#include "config/printable.hpp"
#include "config/section.hpp"
#include "envelope/envelope.hpp"
#include "operate/json_forms.hpp"
#include "operate/open_databases.hpp"
#include "operate/orphan_rows.hpp"

namespace sluice::cli {

namespace {

using operate::embedded;
using operate::is_target;
using operate::open_database;
using operate::text_or_null;
using operate::time_or_null;
using store::outbox_filter;
using store::outbox_row;
using store::row_status;

/// Options of the commands that pick rows.
struct row_arguments {
    std::string message_id;
    std::string broker;
    std::string status;
    std::string stream;
    std::string older_than;
    std::size_t limit = 100;
    bool all = false;
    bool yes = false;
    bool envelope = false;
    bool follow = false;

    [[nodiscard]] bool picks_nothing() const {
        return message_id.empty() && broker.empty() && status.empty() && stream.empty() && older_than.empty();
    }
};

const std::vector<std::string>& status_words() {
    static const std::vector<std::string> words{"pending", "processing", "published", "failed", "abandoned"};
    return words;
}

row_status status_named(const std::string& word) {
    try {
        return store::row_status_from(word);
    } catch (const decode_error&) {
        throw wrong_usage(fmt::format("`{}` is no status of a row; {}", word,
                                      config::did_you_mean(word, status_words(), "there are")));
    }
}

outbox_filter to_filter(const row_arguments& given, date_time now) {
    outbox_filter filter;
    filter.message_id = given.message_id;
    filter.target_broker = given.broker;
    filter.stream = given.stream;
    filter.limit = given.limit;
    if (!given.status.empty()) filter.status = status_named(given.status);
    if (!given.older_than.empty()) filter.created_before = now - parse_age(given.older_than);
    return filter;
}

struct located_row {
    std::string database;
    outbox_row row;
};

/// Newest first; several databases are merged by time.
std::vector<located_row> list_rows(const std::vector<open_database>& databases, const outbox_filter& filter) {
    std::vector<located_row> found;
    for (const open_database& database : databases) {
        for (outbox_row& row : database.session->list(filter)) found.push_back({database.name, std::move(row)});
    }
    std::stable_sort(found.begin(), found.end(),
                     [](const auto& a, const auto& b) { return a.row.created_at > b.row.created_at; });
    if (found.size() > filter.limit)
        found.erase(found.begin() + static_cast<std::ptrdiff_t>(filter.limit), found.end());
    return found;
}

json::value as_json(const located_row& located) {
    const outbox_row& row = located.row;
    return json::object{{"database", located.database},
                        {"seq", row.seq},
                        {"message_id", row.message_id},
                        {"target_broker", row.target_broker},
                        {"stream", row.stream},
                        {"type", row.type},
                        {"status", store::to_string(row.status)},
                        {"priority", row.priority},
                        {"retry_count", row.retry_count},
                        {"next_retry_at", time_or_null(row.next_retry_at)},
                        {"last_error", embedded(row.last_error)},
                        {"published_at", time_or_null(row.published_at)},
                        {"receipt", text_or_null(row.receipt)},
                        {"created_at", row.created_at.to_string()}};
}

json::array as_json(const std::vector<located_row>& rows) {
    json::array list;
    for (const located_row& row : rows) list.push_back(as_json(row));
    return list;
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
    const json::value error = embedded(row.last_error);
    return error.is_object() ? error.string_or("message", error.string_or("reason", "")) : row.last_error;
}

bool are_in_several_databases(const std::vector<located_row>& rows) {
    return std::any_of(rows.begin(), rows.end(), [&](const auto& each) { return each.database != rows[0].database; });
}

/// Says so when a list is empty because a name was misspelt.
void doubt_filter(const session& in, const row_arguments& given, const installation& with,
                  const std::vector<open_database>& databases) {
    if (given.broker.empty() || with.configuration.brokers.contains(given.broker)) return;
    std::set<std::string> known;
    for (const auto& [name, settings] : with.configuration.brokers) known.insert(name);
    for (const open_database& database : databases) {
        for (const auto& [broker, counts] : database.session->outbox_summary()) known.insert(broker);
    }
    if (known.contains(given.broker)) return;
    const std::vector<std::string> names{known.begin(), known.end()};
    in.out.warn(fmt::format("there is no broker `{}`, and no row for one; {}", given.broker,
                            config::did_you_mean(given.broker, names, "brokers are")));
}

/// Shows rows as they come, in the order of the log, and again when their state changes.
class row_follower final : public follower {
public:
    row_follower(const session& in, const row_arguments& given, outbox_filter filter, bool many, follow_output& out)
        : in_{in},
          filter_{std::move(filter)},
          many_{many},
          out_{out},
          watched_{std::min(given.limit, most_watched)},
          lines_{columns()} {}

    bool begin(std::vector<log_tail>& tails) override {
        if (!in_.out.json() && !out_.line(lines_.header(in_.out))) return false;
        std::vector<located_row> found;
        for (log_tail& tail : tails) {
            outbox_filter newest = filter_;
            newest.upto = tail.upto();
            for (outbox_row& row : tail.session().list(newest)) found.push_back({tail.name(), std::move(row)});
            for (const outbox_row& row : watched_rows(tail, tail.upto())) static_cast<void>(see(tail, row));
            tail.move_to(tail.upto());
        }
        std::ranges::stable_sort(found, std::ranges::greater{},
                                 [](const located_row& each) { return each.row.created_at; });
        if (found.size() > filter_.limit) found.resize(filter_.limit);
        std::ranges::reverse(found);
        return std::ranges::all_of(found, [this](const located_row& each) { return show(each.database, each.row); });
    }

    bool advance(log_tail& tail) override { return show_changes(tail) && show_new(tail); }

private:
    static constexpr std::size_t most_watched = 1'000;
    static constexpr std::size_t most_remembered = 4 * most_watched;

    [[nodiscard]] std::vector<outbox_row> watched_rows(const log_tail& tail, store::sequence upto) const {
        outbox_filter newest = filter_;
        newest.status.reset();
        newest.upto = upto;
        newest.limit = watched_;
        return tail.session().list(newest);
    }

    /// Of the rows that were seen.
    bool show_changes(const log_tail& tail) {
        std::vector<outbox_row> rows = watched_rows(tail, tail.position());
        std::ranges::reverse(rows);
        for (const outbox_row& row : rows) {
            if (see(tail, row) == shown_lately::news::changed && !show_wanted(tail, row)) return false;
        }
        return true;
    }

    bool show_new(log_tail& tail) {
        constexpr std::size_t page = 500;  // more than an event can have rows
        outbox_filter next = filter_;
        next.status.reset();
        next.oldest_first = true;
        next.limit = page;
        while (tail.position() < tail.upto()) {
            next.after = tail.position();
            next.upto = tail.upto();
            std::vector<outbox_row> found = tail.session().list(next);
            store::sequence reached = tail.upto();
            if (found.size() == page && found.front().seq < found.back().seq) {
                // Rows of the last event may be missing.
                reached = found.back().seq - 1;
                std::erase_if(found, [&](const outbox_row& row) { return row.seq > reached; });
            }
            for (const outbox_row& row : found) {
                if (see(tail, row) != shown_lately::news::same && !show_wanted(tail, row)) return false;
            }
            tail.move_to(reached);
        }
        return true;
    }

    shown_lately::news see(const log_tail& tail, const outbox_row& row) {
        const auto lately = shown_.try_emplace(tail.name(), shown_lately{most_remembered}).first;
        return lately->second.see(
            row.seq, row.target_broker,
            fmt::format("{} {} {}", row.message_id, store::to_string(row.status), row.retry_count));
    }

    bool show_wanted(const log_tail& tail, const outbox_row& row) {
        return (filter_.status && *filter_.status != row.status) || show(tail.name(), row);
    }

    /// False when the output wants no more.
    bool show(const std::string& database, const outbox_row& row) {
        if (in_.out.json()) return out_.line(json::dump(as_json(located_row{database, row})));
        constexpr std::size_t longest_error = 80;
        std::vector<cell> cells;
        if (many_) cells.emplace_back(database);
        cells.emplace_back(row.message_id);
        cells.emplace_back(row.target_broker);
        cells.emplace_back(store::to_string(row.status), tone_of(row.status));
        cells.emplace_back(row.type);
        cells.emplace_back(std::to_string(row.retry_count));
        cells.emplace_back(row.created_at.to_string());
        cells.emplace_back(config::printable(brief_error(row), longest_error));
        return out_.line(lines_.row(std::move(cells), in_.out));
    }

    [[nodiscard]] std::vector<column> columns() const {
        std::vector<column> all;
        if (many_) all.push_back({"DATABASE"});
        for (const column& each : {column{"MESSAGE ID"}, column{"BROKER"}, column{"STATUS"}, column{"TYPE"},
                                   column{"TRIES", alignment::right}, column{"CREATED"}, column{"ERROR"}}) {
            all.push_back(each);
        }
        return all;
    }

    const session& in_;
    outbox_filter filter_;
    bool many_;
    follow_output& out_;
    std::size_t watched_;
    growing_table lines_;
    std::map<std::string, shown_lately> shown_{};
};

exit_code follow_outbox(const session& in, const row_arguments& given) {
    if (!given.older_than.empty()) {
        throw wrong_usage("--follow shows what comes, and --older-than leaves out all that comes: remove one of them");
    }
    stop_signals stop;  // before any other thread
    follow_output out{stop};
    const outbox_filter filter = to_filter(given, system_clock().now());
    const installation with = operate::open_installation(in.site);
    row_follower what{in, given, filter, with.parts.databases.size() > 1, out};
    return follow(in, with, what, out);
}

exit_code list_outbox(const session& in, const row_arguments& given) {
    if (given.follow) return follow_outbox(in, given);
    const installation with = operate::open_installation(in.site);
    const date_time now = system_clock().now();
    const outbox_filter filter = to_filter(given, now);  // wrong usage is told before anything is opened
    const auto databases = operate::open_all(with.parts);
    const auto rows = list_rows(databases, filter);
    if (rows.empty()) doubt_filter(in, given, with, databases);
    if (in.out.json()) {
        in.out.print_json(json::object{{"rows", as_json(rows)}});
        return exit_code::ok;
    }
    if (rows.empty()) {
        in.out.print("no rows");
        return exit_code::ok;
    }
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
        constexpr std::size_t longest_error = 80;
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
        in.out.print(indented(json::dump(embedded(row.last_error), json::style::pretty), 2));
    }
}

/// What some external brokers get of an event.
struct departure {
    std::vector<std::string> brokers;
    std::vector<envelope::rendered_message> messages;
};

/// Brokers with the same list of extensions share one. An event without an external row shows what would leave.
std::vector<departure> departures_of(const store::logged_event& event, const std::vector<located_row>& rows,
                                     const config::outbox_settings& outbox) {
    std::map<envelope::extension_list, std::vector<std::string>> by_list;
    for (const auto& [database, row] : rows) {
        if (row.target_broker != outbox.broker) {
            by_list[outbox.extensions_of(row.target_broker)].push_back(row.target_broker);
        }
    }
    if (by_list.empty()) by_list.emplace();
    std::vector<departure> found;
    found.reserve(by_list.size());
    for (auto& [list, brokers] : by_list) {
        found.push_back({std::move(brokers), envelope::render_external_versions(event.data, event.metadata, list)});
    }
    return found;
}

json::array as_json(const std::vector<departure>& departures, const std::string& message_id) {
    json::array list;
    for (const auto& [brokers, messages] : departures) {
        for (const envelope::rendered_message& each : messages) {
            list.push_back(json::object{{"brokers", json::array(brokers.begin(), brokers.end())},
                                        {"message_id", message_id + each.id_suffix},
                                        {"envelope", embedded(each.body)}});
        }
    }
    return list;
}

exit_code show_message(const session& in, const row_arguments& given) {
    const installation with = operate::open_installation(in.site);
    const auto databases = operate::open_all(with.parts);
    outbox_filter filter;
    filter.message_id = given.message_id;
    const auto rows = list_rows(databases, filter);
    std::optional<store::logged_event> event;
    std::string home;
    for (const open_database& database : databases) {
        if (event) break;
        event = database.session->event(given.message_id);
        home = database.name;
    }
    if (!event) {
        throw not_found(
            fmt::format("no database has a message `{}`; `sluice outbox list` shows the ids", given.message_id));
    }
    std::vector<departure> departures;
    if (given.envelope) departures = departures_of(*event, rows, with.configuration.outbox);
    if (in.out.json()) {
        json::object result{{"message_id", event->message_id},
                            {"type", event->type},
                            {"stream", event->stream},
                            {"database", home},
                            {"created_at", event->created_at.to_string()},
                            {"data", embedded(event->data)},
                            {"metadata", embedded(event->metadata)},
                            {"rows", as_json(rows)}};
        if (given.envelope) {
            result.set("envelope", embedded(departures.front().messages.front().body));
            result.set("envelopes", as_json(departures, event->message_id));
        }
        in.out.print_json(result);
        return exit_code::ok;
    }
    const date_time now = system_clock().now();
    in.out.print(safe_lines(fmt::format("message   {}\ntype      {}\nstream    {}\ndatabase  {}\ncreated   {} ({} ago)",
                                        event->message_id, event->type, event->stream, home,
                                        event->created_at.to_string(), age_text(now - event->created_at))) +
                 "\n\n");
    show_rows(in, rows);
    const auto part = [&](const std::string& title, const std::string& text) {
        in.out.print(safe_lines("\n" + title));
        in.out.print(indented(json::dump(embedded(text), json::style::pretty), 2));
    };
    part("data", event->data);
    if (given.envelope) {
        for (const auto& [brokers, messages] : departures) {
            const std::string whose = departures.size() > 1 ? fmt::format(" for {}", fmt::join(brokers, ", ")) : "";
            for (const envelope::rendered_message& each : messages) {
                const std::string which = each.id_suffix.empty() ? "" : " of " + event->message_id + each.id_suffix;
                part("external envelope" + whose + which, each.body);
            }
        }
    } else {
        part("metadata", event->metadata);
    }
    return exit_code::ok;
}

/// One of the two things an operator may do with rows.
struct row_change {
    const char* verb;                  ///< retry
    const char* done;                  ///< given a new budget
    std::vector<row_status> statuses;  ///< of the rows it is about
    bool needs_lane = false;           ///< makes sense only for rows whose broker the outbox serves
    std::function<std::size_t(store::operations_session&, const outbox_filter&)> run;
    bool loses = false;  ///< messages are not sent any more
};

constexpr std::size_t rows_per_write = 1000;
constexpr std::size_t most_counted = 10'000;

/// The filters for the statuses that are asked for, one each.
std::vector<outbox_filter> filters_of(const row_change& change, const outbox_filter& asked) {
    std::vector<outbox_filter> filters;
    for (const row_status status : change.statuses) {
        if (asked.status && *asked.status != status) continue;
        filters.push_back(asked);
        filters.back().status = status;
    }
    if (filters.empty()) {
        std::vector<std::string> words;
        for (const row_status status : change.statuses) words.emplace_back(store::to_string(status));
        throw wrong_usage(fmt::format("`outbox {}` is about rows that are {}, not {}", change.verb,
                                      fmt::join(words, ", "), store::to_string(*asked.status)));
    }
    return filters;
}

std::size_t count_matching(const std::vector<open_database>& databases, std::vector<outbox_filter> filters) {
    std::size_t count = 0;
    for (outbox_filter& filter : filters) {
        filter.limit = most_counted + 1;
        for (const open_database& database : databases) count += database.session->list(filter).size();
    }
    return count;
}

/// Rows that a change did not reach, and why.
struct left_rows {
    std::string database;
    std::string broker{};  ///< empty: the database as a whole, an unknown number
    std::size_t count = 0;
    std::string reason;
};

/// What came of a change.
struct rows_outcome {
    std::size_t changed = 0;
    std::vector<left_rows> left{};
};

/// In bounded writes, so that the lanes and the committers get their turns. `most` bounds the rows, however many match
/// anew while the work goes on.
void apply_to_broker(const row_change& change, const open_database& database, outbox_filter filter, std::size_t most,
                     std::size_t& changed) {
    for (std::size_t done = 0; done < most;) {
        filter.limit = std::min(rows_per_write, most - done);
        const std::size_t now = change.run(*database.session, filter);
        done += now;
        changed += now;
        if (now < filter.limit) break;
    }
}

void apply_to_database(const row_change& change, const config::outbox_settings& outbox, const open_database& database,
                       const std::vector<outbox_filter>& filters, rows_outcome& outcome) {
    const auto summary = database.session->outbox_summary();
    for (outbox_filter filter : filters) {
        for (const auto& [broker, counts] : summary) {
            if (!filter.target_broker.empty() && broker != filter.target_broker) continue;
            const auto most = counts.by_status.find(*filter.status);
            if (most == counts.by_status.end() || most->second == 0) continue;
            outbox_filter of_broker = filter;
            of_broker.target_broker = broker;
            if (!change.needs_lane || is_target(outbox, broker)) {
                apply_to_broker(change, database, of_broker, static_cast<std::size_t>(most->second), outcome.changed);
                continue;
            }
            of_broker.limit = most_counted + 1;
            const std::size_t count = database.session->list(of_broker).size();
            if (count == 0) continue;
            outcome.left.push_back({database.name, broker, count,
                                    fmt::format("no lane serves this broker; name it in the outbox again, or use "
                                                "`sluice outbox retire {}`",
                                                broker)});
        }
    }
}

/// A database that fails on the way does not keep the others from theirs.
rows_outcome apply(const row_change& change, const config::outbox_settings& outbox,
                   const std::vector<open_database>& databases, const std::vector<outbox_filter>& filters) {
    rows_outcome outcome;
    for (const open_database& database : databases) {
        try {
            apply_to_database(change, outbox, database, filters, outcome);
        } catch (const store_error& e) {
            outcome.left.push_back({.database = database.name, .reason = e.what()});
        }
    }
    return outcome;
}

std::string counted(std::size_t count) {
    if (count > most_counted) return fmt::format("more than {} rows", count_text(most_counted));
    return count_of(static_cast<std::int64_t>(count), "row");
}

exit_code change_rows(const session& in, const row_change& change, const row_arguments& given, const installation& with,
                      const outbox_filter& asked) {
    const auto filters = filters_of(change, asked);
    std::vector<left_rows> away;
    std::vector<open_database> databases;
    std::size_t count = 0;
    for (const auto& [name, database] : with.parts.databases) {
        try {
            std::vector<open_database> one;
            one.push_back({name, database->open_operations()});
            count += count_matching(one, filters);
            databases.push_back(std::move(one.front()));
        } catch (const store_error& e) {
            if (with.parts.databases.size() == 1) throw;
            away.push_back({.database = name, .reason = e.what()});
        }
    }
    if (count == 0 && !asked.message_id.empty()) {
        throw not_found(fmt::format("message `{}` has no row to {}; see `sluice outbox show {}`", asked.message_id,
                                    change.verb, asked.message_id));
    }
    if (count > 0 && !given.yes) {
        const std::string question = fmt::format("{} {}?", change.verb, counted(count));
        const bool agreed = change.loses && given.all ? in.out.confirm_loss(question) : in.out.confirm(question);
        if (!agreed) throw failure{exit_code::failed, "declined", "nothing was changed"};
    }
    rows_outcome outcome = count == 0 ? rows_outcome{} : apply(change, with.configuration.outbox, databases, filters);
    outcome.left.insert(outcome.left.end(), away.begin(), away.end());
    if (in.out.json()) {
        json::array left;
        for (const left_rows& each : outcome.left) {
            const json::value rows = each.broker.empty() ? json::value{nullptr} : json::value{each.count};
            left.push_back(json::object{{"database", each.database},
                                        {"broker", text_or_null(each.broker)},
                                        {"count", rows},
                                        {"reason", each.reason}});
        }
        in.out.print_json(json::object{{"changed", outcome.changed}, {"left", std::move(left)}});
    } else {
        in.out.print(fmt::format("{} {}", count_of(static_cast<std::int64_t>(outcome.changed), "row"), change.done));
    }
    for (const left_rows& each : outcome.left) {
        in.out.warn(safe_lines(each.broker.empty()
                                   ? fmt::format("database {}: {}", each.database, each.reason)
                                   : fmt::format("left: {} for broker {} (database {}): {}", counted(each.count),
                                                 each.broker, each.database, each.reason)));
    }
    return outcome.left.empty() ? exit_code::ok : exit_code::failed;
}

void require_a_choice(const char* verb, const row_arguments& given) {
    if (given.all == given.picks_nothing()) return;
    if (given.all) throw wrong_usage("--all and a choice of rows contradict each other");
    throw wrong_usage(
        fmt::format("say which rows to {0}: a MESSAGE_ID, --broker, --stream, --status, --older-than, or "
                    "--all",
                    verb));
}

exit_code retry(const session& in, const row_arguments& given) {
    require_a_choice("retry", given);
    const row_change change{"retry",
                            "given a full new budget",
                            {row_status::failed, row_status::abandoned},
                            true,
                            [](auto& session, const auto& filter) { return session.retry(filter); }};
    return change_rows(in, change, given, operate::open_installation(in.site), to_filter(given, system_clock().now()));
}

exit_code discard(const session& in, const row_arguments& given) {
    require_a_choice("discard", given);
    const row_change change{"discard",
                            "given up",
                            {row_status::pending, row_status::processing, row_status::failed},
                            false,
                            [](auto& session, const auto& filter) {
                                return session.discard(filter, "discarded by an operator", system_clock().now());
                            },
                            true};
    return change_rows(in, change, given, operate::open_installation(in.site), to_filter(given, system_clock().now()));
}

exit_code retire(const session& in, const row_arguments& given) {
    const installation with = operate::open_installation(in.site);
    if (is_target(with.configuration.outbox, given.broker)) {
        throw failure{exit_code::failed, "still_configured",
                      fmt::format("broker `{0}` is served by the outbox of {1}; remove it there first, or use `sluice "
                                  "outbox discard --broker {0}`",
                                  given.broker, in.site.config)};
    }
    std::vector<std::string> known;
    for (const open_database& database : operate::open_all(with.parts)) {
        for (const auto& [broker, counts] : database.session->outbox_summary()) known.push_back(broker);
    }
    if (std::find(known.begin(), known.end(), given.broker) == known.end()) {
        throw not_found(fmt::format("no row was ever written for a broker `{}`; {}", given.broker,
                                    config::did_you_mean(given.broker, known, "there are rows for")));
    }
    const row_change change{"retire",
                            "given up",
                            {row_status::pending, row_status::processing, row_status::failed},
                            false,
                            [](auto& session, const auto& filter) {
                                return session.discard(filter, "the broker was retired", system_clock().now());
                            }};
    outbox_filter filter;
    filter.target_broker = given.broker;
    return change_rows(in, change, given, with, filter);
}

command& add_choice(command& to, row_arguments& given) {
    return to.option("--broker", "NAME", given.broker, "Rows for this broker")
        .option("--status", "WORD", given.status, "Rows in this status: pending, failed, abandoned, …")
        .option("--stream", "STREAM", given.stream, "Rows of this stream (shop::order-o-1) or category (shop::order)")
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
}

}  // namespace sluice::cli
