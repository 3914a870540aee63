#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "cli/commands/causation_tree.hpp"
#include "cli/commands/commands.hpp"
#include "cli/commands/follow.hpp"
#include "cli/commands/shown_lately.hpp"
#include "cli/terminal/failure.hpp"
#include "cli/terminal/follow_output.hpp"
#include "cli/terminal/table.hpp"
#include "cli/terminal/units.hpp"
#include "config/printable.hpp"
#include "operate/json_forms.hpp"
#include "operate/open_databases.hpp"

namespace sluice::cli {

namespace {

constexpr std::size_t most_traced = 10'000;

using operate::embedded;
using operate::open_database;
using operate::text_or_null;
using store::event_filter;
using store::outbox_row;
using store::row_status;
using store::stream_event;

struct event_arguments {
    std::string stream;
    std::string type;
    std::string correlation;
    std::string newer_than;
    std::string older_than;
    std::string id;
    std::size_t limit = 100;
    bool oldest_first = false;
    bool follow = false;
    bool data = false;
    bool causes = false;
    bool effects = false;
};

struct located_event {
    std::string database;
    stream_event at;
};

event_filter to_filter(const event_arguments& given, date_time now) {
    event_filter filter;
    filter.stream = given.stream;
    filter.type = given.type;
    filter.correlation_id = given.correlation;
    filter.newest_first = !given.oldest_first;
    filter.limit = given.limit;
    if (!given.newer_than.empty()) filter.created_from = now - parse_age(given.newer_than);
    if (!given.older_than.empty()) filter.created_before = now - parse_age(given.older_than);
    return filter;
}

/// Events of several databases by time, as many as the filter lets through.
void merge_events(std::vector<located_event>& found, const event_filter& filter) {
    std::ranges::stable_sort(found, [&](const located_event& a, const located_event& b) {
        const date_time first = a.at.event.created_at;
        const date_time second = b.at.event.created_at;
        return filter.newest_first ? first > second : first < second;
    });
    if (found.size() > filter.limit) {
        found.erase(found.begin() + static_cast<std::ptrdiff_t>(filter.limit), found.end());
    }
}

/// Of one database in the order of its log; several are merged by time.
std::vector<located_event> read_events(const std::vector<open_database>& databases, const event_filter& filter) {
    std::vector<located_event> found;
    for (const open_database& database : databases) {
        for (stream_event& each : database.session->events(filter)) found.push_back({database.name, std::move(each)});
    }
    if (databases.size() > 1) merge_events(found, filter);
    return found;
}

json::object as_json(const std::string& database, const stream_event& at) {
    return json::object{{"database", database},
                        {"seq", at.seq},
                        {"position", at.position},
                        {"message_id", at.event.message_id},
                        {"type", at.event.type},
                        {"stream", at.event.stream},
                        {"created_at", at.event.created_at.to_string()},
                        {"data", embedded(at.event.data)},
                        {"metadata", embedded(at.event.metadata)}};
}

std::vector<column> columns_of(bool with_database, bool with_data) {
    std::vector<column> all;
    if (with_database) all.push_back({"DATABASE"});
    for (const column& each : {column{"SEQ", alignment::right}, column{"CREATED"}, column{"TYPE"}, column{"STREAM"},
                               column{"POSITION", alignment::right}, column{"MESSAGE ID"}}) {
        all.push_back(each);
    }
    if (with_data) all.push_back({"DATA"});
    return all;
}

std::vector<cell> cells_of(const located_event& each, bool with_database, bool with_data) {
    const auto& [database, at] = each;
    std::vector<cell> cells;
    if (with_database) cells.emplace_back(database);
    for (const std::string& text : {std::to_string(at.seq), at.event.created_at.to_string(), at.event.type,
                                    at.event.stream, std::to_string(at.position), at.event.message_id}) {
        cells.emplace_back(text);
    }
    constexpr std::size_t longest_data = 120;
    if (with_data) cells.emplace_back(config::printable(at.event.data, longest_data));
    return cells;
}

/// Shows events as they come, in the order of the log.
class event_follower final : public follower {
public:
    event_follower(const session& in, const event_arguments& given, event_filter filter, bool many, follow_output& out)
        : in_{in},
          given_{given},
          filter_{std::move(filter)},
          many_{many},
          out_{out},
          lines_{columns_of(many, given.data)} {}

    bool begin(std::vector<log_tail>& tails) override {
        if (!in_.out.json() && !out_.line(lines_.header(in_.out))) return false;
        if (given_.oldest_first) return true;  // from the first event on
        std::vector<located_event> found;
        event_filter newest = filter_;
        newest.newest_first = true;
        for (log_tail& tail : tails) {
            newest.upto = tail.upto();
            for (stream_event& each : tail.session().events(newest)) found.push_back({tail.name(), std::move(each)});
            tail.move_to(tail.upto());
        }
        if (tails.size() > 1) merge_events(found, newest);
        std::ranges::reverse(found);
        return std::ranges::all_of(found, [this](const located_event& each) { return show(each); });
    }

    bool advance(log_tail& tail) override {
        constexpr std::size_t page = 100;
        event_filter next = filter_;
        next.newest_first = false;
        next.limit = page;
        while (tail.position() < tail.upto()) {
            next.after = tail.position();
            next.upto = tail.upto();
            const std::vector<stream_event> found = tail.session().events(next);
            for (const stream_event& each : found) {
                if (!show({tail.name(), each})) return false;
                tail.move_to(each.seq);
            }
            if (found.size() < page) tail.move_to(tail.upto());
        }
        return true;
    }

private:
    /// False when the output wants no more.
    bool show(const located_event& each) {
        const auto lately = shown_.try_emplace(each.database, shown_lately{log_tail::looked_back}).first;
        const auto& [database, at] = each;
        if (lately->second.see(at.seq, {}, at.event.message_id) == shown_lately::news::same) return true;
        if (in_.out.json()) return out_.line(json::dump(as_json(database, at)));
        return out_.line(lines_.row(cells_of(each, many_, given_.data), in_.out));
    }

    const session& in_;
    const event_arguments& given_;
    event_filter filter_;
    bool many_;
    follow_output& out_;
    growing_table lines_;
    std::map<std::string, shown_lately> shown_{};
};

exit_code follow_events(const session& in, const event_arguments& given) {
    if (!given.older_than.empty()) {
        throw wrong_usage("--follow shows what comes, and --older-than leaves out all that comes: remove one of them");
    }
    stop_signals stop;  // before any other thread
    follow_output out{stop};
    const event_filter filter = to_filter(given, system_clock().now());
    const installation with = operate::open_installation(in.site);
    event_follower what{in, given, filter, with.parts.databases.size() > 1, out};
    return follow(in, with, what, out);
}

void print_table(const session& in, const std::vector<located_event>& events, const event_arguments& given) {
    const bool many =
        std::ranges::any_of(events, [&](const auto& each) { return each.database != events.front().database; });
    table listing{columns_of(many, given.data)};
    for (const located_event& each : events) listing.add(cells_of(each, many, given.data));
    in.out.print(listing.render(in.out));
    if (events.size() == given.limit) {
        in.out.print(fmt::format("\nthe {} {}; there may be more (--limit)", given.oldest_first ? "oldest" : "newest",
                                 count_of(std::ssize(events), "event")));
    }
}

exit_code list_events(const session& in, const event_arguments& given) {
    if (given.follow) return follow_events(in, given);
    const installation with = operate::open_installation(in.site);
    const event_filter filter =
        to_filter(given, system_clock().now());  // wrong usage is told before anything is opened
    const auto events = read_events(operate::open_all(with.parts), filter);
    if (in.out.json()) {
        json::array listed;
        for (const auto& [database, at] : events) listed.emplace_back(as_json(database, at));
        in.out.print_json(json::object{{"events", std::move(listed)}});
    } else if (events.empty()) {
        in.out.print("no events");
    } else {
        print_table(in, events, given);
    }
    return exit_code::ok;
}

/// The event with its place in the log, from whichever database has it.
std::optional<located_event> find_event(const std::vector<open_database>& databases, const std::string& id) {
    for (const open_database& database : databases) {
        const auto event = database.session->event(id);
        if (!event) continue;
        // The id knows no place, but few events of its stream and type are of the same instant.
        event_filter in_stream;
        in_stream.stream = event->stream;
        in_stream.type = event->type;
        in_stream.created_from = event->created_at;
        in_stream.created_before = event->created_at + std::chrono::microseconds{1};
        in_stream.limit = most_traced;
        for (stream_event& each : database.session->events(in_stream)) {
            if (each.event.message_id == id) return located_event{database.name, std::move(each)};
        }
        return located_event{database.name, {.event = *event}};
    }
    return std::nullopt;
}

located_event require_event(const std::vector<open_database>& databases, const std::string& id) {
    if (auto found = find_event(databases, id)) return *std::move(found);
    throw not_found(fmt::format("no database has an event `{}`; `sluice events list` shows the ids", id));
}

std::vector<outbox_row> rows_of(const std::vector<open_database>& databases, const located_event& event) {
    store::outbox_filter filter;
    filter.message_id = event.at.event.message_id;
    for (const open_database& database : databases) {
        if (database.name == event.database) return database.session->list(filter);
    }
    return {};
}

json::array as_json(const std::vector<outbox_row>& rows) {
    json::array all;
    for (const outbox_row& row : rows) {
        all.emplace_back(json::object{{"target_broker", row.target_broker}, {"status", store::to_string(row.status)}});
    }
    return all;
}

exit_code show_event(const session& in, const event_arguments& given) {
    const installation with = operate::open_installation(in.site);
    const auto databases = operate::open_all(with.parts);
    const located_event found = require_event(databases, given.id);
    const auto rows = rows_of(databases, found);
    if (in.out.json()) {
        json::object result = as_json(found.database, found.at);
        result.set("rows", as_json(rows));
        in.out.print_json(result);
        return exit_code::ok;
    }
    const store::logged_event& event = found.at.event;
    const date_time now = system_clock().now();
    in.out.print(
        safe_lines(fmt::format("message   {}\ntype      {}\nstream    {}, position {}\ndatabase  {}, number {}\n"
                               "created   {} ({} ago)",
                               event.message_id, event.type, event.stream, found.at.position, found.database,
                               found.at.seq, event.created_at.to_string(), age_text(now - event.created_at))));
    for (const outbox_row& row : rows) {
        in.out.print(safe_lines(fmt::format("for       {}: {}", row.target_broker, store::to_string(row.status))));
    }
    const auto part = [&](const char* title, const std::string& text) {
        in.out.print(fmt::format("\n{}", title));
        in.out.print(indented(json::dump(embedded(text), json::style::pretty), 2));
    };
    part("data", event.data);
    part("metadata", event.metadata);
    return exit_code::ok;
}

/// What is to be drawn, and what was asked for.
struct trace {
    std::string correlation_id;  ///< empty: the event belongs to none and stands alone
    std::optional<std::string> asked{};
    causation_tree tree;
};

/// @param word  id of a message, else a correlation id
trace read_trace(const std::vector<open_database>& databases, const std::string& word) {
    const std::optional<located_event> start = find_event(databases, word);
    const std::string correlation = start ? correlation_of(start->at.event) : word;
    std::vector<located_event> found;
    if (!correlation.empty()) {
        event_filter filter;
        filter.correlation_id = correlation;
        filter.limit = most_traced;
        found = read_events(databases, filter);
    }
    // What was asked for is drawn, also when it belongs to no correlation or lies beyond `most_traced`.
    const auto is_asked = [&](const located_event& each) { return each.at.event.message_id == word; };
    if (start && std::none_of(found.begin(), found.end(), is_asked)) found.push_back(*start);
    if (found.empty()) {
        throw not_found(
            fmt::format("no event has the id or the correlation `{}`; `sluice events list` shows the ids", word));
    }
    std::vector<traced_message> messages;
    for (located_event& each : found) {
        std::vector<outbox_row> rows = rows_of(databases, each);
        messages.push_back(make_traced(std::move(each.database), std::move(each.at)));
        messages.back().rows = std::move(rows);
    }
    return {.correlation_id = correlation,
            .asked = start ? std::optional{word} : std::nullopt,
            .tree = causation_tree{std::move(messages)}};
}

/// `published` when every copy is; else what is not, broker by broker.
std::string copies_text(const std::vector<outbox_row>& rows) {
    if (rows.empty()) return {};
    std::string open;
    for (const outbox_row& row : rows) {
        if (row.status == row_status::published) continue;
        open += fmt::format("{}{} {}", open.empty() ? "" : ", ", row.target_broker, store::to_string(row.status));
    }
    return open.empty() ? "published" : open;
}

/// Draws nodes of a tree, each on a line.
class tree_printer {
public:
    tree_printer(const session& in, const trace& what) : in_{in}, what_{what} {
        for (const auto& node : what.tree.nodes()) {
            if (!node.message) continue;
            const date_time at = node.message->at.event.created_at;
            start_ = std::min(start_.value_or(at), at);
        }
    }

    /// The node and all that came of it.
    void print(std::size_t node) { print(node, "", ""); }

    /// Each node below the one before, without what else came of them.
    void print_path(const std::vector<std::size_t>& path) {
        std::string prefix;
        for (const std::size_t node : path) {
            line(node, prefix);
            prefix = prefix.empty() ? "└─ " : "   " + prefix;
        }
    }

private:
    void print(std::size_t node, const std::string& prefix, const std::string& below) {
        line(node, prefix);
        const auto& effects = what_.tree.nodes()[node].effects;
        for (std::size_t i = 0; i < effects.size(); ++i) {
            const bool last = i + 1 == effects.size();
            print(effects[i], below + (last ? "└─ " : "├─ "), below + (last ? "   " : "│  "));
        }
    }

    void line(std::size_t index, const std::string& prefix) const {
        const causation_tree::node& node = what_.tree.nodes()[index];
        const std::string id = config::printable(node.id);
        if (!node.message) {
            in_.out.print(
                prefix +
                in_.out.paint(id + "  (not in the log: given from outside, or a message from elsewhere)", tone::faint));
            return;
        }
        const store::logged_event& event = node.message->at.event;
        const double after = std::chrono::duration<double, std::milli>(event.created_at - *start_).count();
        std::string text = fmt::format("{}  {}  +{:.3f} ms", config::printable(event.type), id, after);
        if (const std::string copies = copies_text(node.message->rows); !copies.empty()) text += "  " + copies;
        in_.out.print(prefix + in_.out.paint(text, what_.asked == node.id ? tone::strong : tone::plain));
    }

    const session& in_;
    const trace& what_;
    std::optional<date_time> start_;
};

json::value tree_as_json(const causation_tree& tree, std::size_t index, bool with_effects = true) {
    const causation_tree::node& node = tree.nodes()[index];
    json::object result{{"message_id", node.id}, {"logged", node.message.has_value()}};
    if (node.message) {
        const store::logged_event& event = node.message->at.event;
        result.set("kind", text_or_null(node.message->kind));
        result.set("type", event.type);
        result.set("stream", event.stream);
        result.set("database", node.message->database);
        result.set("created_at", event.created_at.to_string());
        result.set("rows", as_json(node.message->rows));
    }
    if (with_effects) {
        json::array effects;
        for (const std::size_t effect : node.effects) effects.push_back(tree_as_json(tree, effect));
        result.set("effects", std::move(effects));
    }
    return result;
}

void print_trace_json(const session& in, const trace& what, const event_arguments& given) {
    json::object result{{"correlation_id", text_or_null(what.correlation_id)}};
    json::array nodes;
    if (given.causes) {
        for (const std::size_t node : what.tree.path_to(*what.tree.find(given.id))) {
            nodes.push_back(tree_as_json(what.tree, node, false));
        }
        result.set("causes", std::move(nodes));
    } else {
        const auto roots = given.effects ? std::vector{*what.tree.find(given.id)} : what.tree.roots();
        for (const std::size_t root : roots) nodes.push_back(tree_as_json(what.tree, root));
        result.set("roots", std::move(nodes));
    }
    in.out.print_json(result);
}

exit_code show_trace(const session& in, const event_arguments& given) {
    if (given.causes && given.effects) throw wrong_usage("--causes and --effects contradict each other");
    const installation with = operate::open_installation(in.site);
    const trace what = read_trace(operate::open_all(with.parts), given.id);
    if ((given.causes || given.effects) && !what.asked) {
        throw wrong_usage(
            fmt::format("`{}` is a correlation; --causes and --effects want the id of a message", given.id));
    }
    if (in.out.json()) {
        print_trace_json(in, what, given);
        return exit_code::ok;
    }
    if (!what.correlation_id.empty()) {
        in.out.print(safe_lines("correlation " + what.correlation_id));
    }
    tree_printer printer{in, what};
    if (given.causes) {
        printer.print_path(what.tree.path_to(*what.tree.find(given.id)));
    } else if (given.effects) {
        printer.print(*what.tree.find(given.id));
    } else {
        for (const std::size_t root : what.tree.roots()) printer.print(root);
    }
    return exit_code::ok;
}

}  // namespace

void add_events(command& root) {
    const auto given = std::make_shared<event_arguments>();
    command events = root.add("events", "Look at the event log, and at what caused what");
    events.add("list", "List events, newest first")
        .option("--stream", "STREAM", given->stream, "Of this stream (shop::order-o-1) or category (shop::order)")
        .option("--type", "TYPE", given->type, "Of this type: Shop.OrderShipped.v1")
        .option("--correlation", "ID", given->correlation, "Of this correlation; reads all that the rest lets through")
        .option("--newer-than", "AGE", given->newer_than, "Written lately: 90s, 10m, 1h30m, 7d")
        .option("--older-than", "AGE", given->older_than, "Written longer ago")
        .limit(given->limit)
        .flag("--oldest-first", given->oldest_first, "In the order of the log")
        .flag("--follow", given->follow, "In the order of the log, and go on with what comes until SIGINT")
        .flag("--data", given->data, "With the beginning of the data")
        .runs(list_events, given);
    events.add("show", "Show one event with its data and metadata")
        .argument("MESSAGE_ID", given->id, "Id of the event")
        .runs(show_event, given);
    events.add("trace", "Draw what caused what within one correlation")
        .argument("ID", given->id, "Id of a message, or of a correlation")
        .flag("--causes", given->causes, "Only what led to this message")
        .flag("--effects", given->effects, "Only what came of this message")
        .runs(show_trace, given);
}

}  // namespace sluice::cli
