#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "cli/commands/commands.hpp"
#include "cli/commands/follow.hpp"
#include "cli/terminal/failure.hpp"
#include "cli/terminal/follow_output.hpp"
#include "cli/terminal/table.hpp"
#include "cli/terminal/units.hpp"
#include "config/printable.hpp"
#include "operate/event_feed.hpp"
#include "operate/event_trace.hpp"
#include "operate/events.hpp"
#include "operate/json_forms.hpp"

namespace sluice::cli {

namespace {

using operate::causation_tree;
using operate::event_trace;
using operate::located_event;
using operate::trace_part;
using store::event_filter;
using store::outbox_row;
using store::row_status;

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

std::vector<column> columns_of_events(bool with_database, bool with_data) {
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

exit_code follow_events(const session& in, const event_arguments& given) {
    if (!given.older_than.empty()) {
        throw wrong_usage("--follow shows what comes, and --older-than leaves out all that comes: remove one of them");
    }
    stop_signals stop;  // before any other thread
    follow_output out{stop};
    const event_filter filter = to_filter(given, system_clock().now());
    const installation with = operate::open_installation(in.site);
    const bool many = with.parts.databases.size() > 1;
    growing_table lines{columns_of_events(many, given.data)};
    operate::event_feed events{filter, [&](const located_event& each) {
                                   return out.line(in.out.json() ? json::dump(to_json(each))
                                                                 : lines.row(cells_of(each, many, given.data), in.out));
                               }};
    return follow(in, with, events, out, in.out.json() ? std::nullopt : std::optional{lines.header(in.out)});
}

void print_table(const session& in, const std::vector<located_event>& events, const event_arguments& given) {
    const bool many =
        std::ranges::any_of(events, [&](const auto& each) { return each.database != events.front().database; });
    table listing{columns_of_events(many, given.data)};
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
    const auto events = operate::list_events(operate::open_all(with.parts), filter);
    if (in.out.json()) {
        in.out.print_json(json::object{{"events", to_json(events)}});
    } else if (events.empty()) {
        in.out.print("no events");
    } else {
        print_table(in, events, given);
    }
    return exit_code::ok;
}

exit_code show_event(const session& in, const event_arguments& given) {
    const installation with = operate::open_installation(in.site);
    const operate::event_view found = operate::read_event(operate::open_all(with.parts), given.id);
    if (in.out.json()) {
        in.out.print_json(to_json(found));
        return exit_code::ok;
    }
    const auto& [database, at] = found.event;
    const store::logged_event& event = at.event;
    const date_time now = system_clock().now();
    in.out.print(
        safe_lines(fmt::format("message   {}\ntype      {}\nstream    {}, position {}\ndatabase  {}, number {}\n"
                               "created   {} ({} ago)",
                               event.message_id, event.type, event.stream, at.position, database, at.seq,
                               event.created_at.to_string(), age_text(now - event.created_at))));
    for (const outbox_row& row : found.rows) {
        in.out.print(safe_lines(fmt::format("for       {}: {}", row.target_broker, store::to_string(row.status))));
    }
    const auto part = [&](const char* title, const std::string& text) {
        in.out.print(fmt::format("\n{}", title));
        in.out.print(indented(json::dump(operate::embedded(text), json::style::pretty), 2));
    };
    part("data", event.data);
    part("metadata", event.metadata);
    return exit_code::ok;
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
    tree_printer(const session& in, const event_trace& what) : in_{in}, what_{what} {
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
    const event_trace& what_;
    std::optional<date_time> start_;
};

trace_part part_of(const event_arguments& given) {
    if (given.causes && given.effects) throw wrong_usage("--causes and --effects contradict each other");
    if (given.causes) return trace_part::causes;
    return given.effects ? trace_part::effects : trace_part::all;
}

exit_code show_trace(const session& in, const event_arguments& given) {
    const trace_part part = part_of(given);
    const installation with = operate::open_installation(in.site);
    const event_trace trace = operate::read_trace(operate::open_all(with.parts), given.id);
    const std::vector<std::size_t> nodes = operate::nodes_of(trace, part, given.id);
    if (in.out.json()) {
        in.out.print_json(to_json(trace, part, given.id));
        return exit_code::ok;
    }
    if (!trace.correlation_id.empty()) {
        in.out.print(safe_lines("correlation " + trace.correlation_id));
    }
    tree_printer printer{in, trace};
    if (part == trace_part::causes) {
        printer.print_path(nodes);
    } else {
        for (const std::size_t root : nodes) printer.print(root);
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
