#include "operate/event_trace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "operate/events.hpp"
#include "operate/json_forms.hpp"
#include "operate/request_error.hpp"

namespace sluice::operate {

namespace {

constexpr std::size_t most_traced = 10'000;
/// From a message up: more is no chain of causes that somebody follows.
constexpr int most_causes = 50;

/// The events of one correlation; none has none. @param filter  which part of the log is read
std::vector<located_event> events_of_correlation(const std::vector<open_database>& databases,
                                                 const std::string& correlation, store::event_filter filter) {
    if (correlation.empty()) return {};
    filter.correlation_id = correlation;
    filter.limit = most_traced;
    return list_events(databases, filter);
}

/// Of its correlation, before and after it. The numbers of another database mean another time.
std::vector<located_event> neighbours_of(const std::vector<open_database>& databases, const located_event& start,
                                         const std::string& correlation, const trace_bounds& bounds) {
    std::vector<located_event> found;
    const auto in = std::ranges::find(databases, start.database, &open_database::name);
    if (correlation.empty() || in == databases.end()) return found;
    store::event_filter before;
    before.correlation_id = correlation;
    before.after = std::max<store::sequence>(start.at.seq - bounds.numbers - 1, 0);
    before.upto = start.at.seq - 1;
    before.newest_first = true;
    before.limit = bounds.most / 2;
    store::event_filter after;
    after.correlation_id = correlation;
    after.after = start.at.seq;
    after.upto = start.at.seq + bounds.numbers;
    after.limit = bounds.most - before.limit;
    for (const store::event_filter& side : {before, after}) {
        for (store::stream_event& each : in->session->events(side)) found.push_back({start.database, std::move(each)});
    }
    return found;
}

/// What led to it, wherever that is in the log.
void add_causes(const std::vector<open_database>& databases, const located_event& start,
                std::vector<located_event>& found) {
    std::string cause = make_traced(start.database, start.at).causation_id;
    for (int step = 0; step < most_causes && !cause.empty() && cause != start.at.event.message_id; ++step) {
        auto known =
            std::ranges::find(found, cause, [](const located_event& each) { return each.at.event.message_id; });
        if (known == found.end()) {
            auto earlier = find_event(databases, cause);
            if (!earlier) return;
            known = found.insert(found.end(), *std::move(earlier));
        }
        cause = make_traced(known->database, known->at).causation_id;
    }
}

/// @param start  the message that was asked for, which is drawn also when it belongs to no correlation or lies beyond
///               `most_traced`
event_trace make_trace(const std::vector<open_database>& databases, const std::string& correlation,
                       std::optional<located_event> start, std::vector<located_event> found, bool with_rows) {
    std::optional<std::string> asked;
    if (start) {
        asked = start->at.event.message_id;
        const auto is_asked = [&](const located_event& each) { return each.at.event.message_id == *asked; };
        if (std::ranges::none_of(found, is_asked)) found.push_back(*std::move(start));
    }
    std::vector<traced_message> messages;
    for (located_event& each : found) {
        std::vector<store::outbox_row> rows;
        if (with_rows) rows = rows_of(databases, each);
        messages.push_back(make_traced(std::move(each.database), std::move(each.at)));
        messages.back().rows = std::move(rows);
    }
    return {.correlation_id = correlation, .asked = std::move(asked), .tree = causation_tree{std::move(messages)}};
}

json::value node_json(const causation_tree& tree, std::size_t index, bool with_effects) {
    const causation_tree::node& node = tree.nodes()[index];
    json::object result{{"message_id", node.id}, {"logged", node.message.has_value()}};
    if (node.message) {
        const store::logged_event& event = node.message->at.event;
        result.set("kind", text_or_null(node.message->kind));
        result.set("type", event.type);
        result.set("stream", event.stream);
        result.set("database", node.message->database);
        result.set("created_at", event.created_at.to_string());
        result.set("rows", copies_to_json(node.message->rows));
    }
    if (with_effects) {
        json::array effects;
        for (const std::size_t effect : node.effects) effects.push_back(node_json(tree, effect, true));
        result.set("effects", std::move(effects));
    }
    return result;
}

}  // namespace

event_trace read_trace(const std::vector<open_database>& databases, const std::string& word) {
    std::optional<located_event> start = find_event(databases, word);
    const std::string correlation = start ? correlation_of(start->at.event) : word;
    std::vector<located_event> found = events_of_correlation(databases, correlation, {});
    if (!start && found.empty()) {
        throw not_found(
            fmt::format("no event has the id or the correlation `{}`; `sluice events list` shows the ids", word));
    }
    return make_trace(databases, correlation, std::move(start), std::move(found), true);
}

event_trace read_trace_near(const std::vector<open_database>& databases, const std::string& message_id,
                            const trace_bounds& bounds) {
    std::optional<located_event> start = find_event(databases, message_id);
    if (!start) throw not_found(fmt::format("no database has a message `{}`", message_id));
    const std::string correlation = correlation_of(start->at.event);
    std::vector<located_event> found = neighbours_of(databases, *start, correlation, bounds);
    add_causes(databases, *start, found);
    return make_trace(databases, correlation, std::move(start), std::move(found), bounds.with_rows);
}

std::vector<std::size_t> nodes_of(const event_trace& trace, trace_part part, const std::string& word) {
    if (part == trace_part::all) return trace.tree.roots();
    if (!trace.asked) {
        throw wrong_request(
            fmt::format("`{}` is a correlation; --causes and --effects want the id of a message", word));
    }
    const std::size_t asked = *trace.tree.find(*trace.asked);
    return part == trace_part::causes ? trace.tree.path_to(asked) : std::vector{asked};
}

json::value to_json(const event_trace& trace, trace_part part, const std::string& word) {
    const bool with_effects = part != trace_part::causes;
    json::array nodes;
    for (const std::size_t node : nodes_of(trace, part, word)) {
        nodes.push_back(node_json(trace.tree, node, with_effects));
    }
    return json::object{{"correlation_id", text_or_null(trace.correlation_id)},
                        {with_effects ? "roots" : "causes", std::move(nodes)}};
}

}  // namespace sluice::operate
