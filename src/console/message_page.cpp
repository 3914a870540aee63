#include <fmt/format.h>

#include <cstddef>
#include <utility>

#include <sluice/error.hpp>

#include "console/console.hpp"
#include "console/layout.hpp"
#include "console/widgets.hpp"
#include "operate/event_trace.hpp"
#include "operate/json_forms.hpp"
#include "operate/outbox_rows.hpp"

namespace sluice::console {

namespace {

using operate::causation_tree;
using operate::message_view;

markup show_copies(const visit& of, const message_view& message, date_time now) {
    table list{"Copies"};
    list.column("Broker")
        .column("Status")
        .column("Attempts", true)
        .column("Next")
        .column("Published")
        .column("Receipt")
        .column("Last error");
    for (const auto& [database, row] : message.rows) {
        list.row({link(target(path_in(of, {"lanes", database, row.target_broker})), row.target_broker),
                  state_badge(store::to_string(row.status)), row.retry_count, time_ago(row.next_retry_at, now),
                  time_ago(row.published_at, now), row.receipt.empty() ? faint("–") : code(row.receipt),
                  error_text(row.last_error)});
    }
    return list.render("No copy of it is kept.");
}

markup actions_on_copies(const visit& of, const message_view& message) {
    if (!may_act(of)) return why_no_actions(of);
    markup fields;
    bool can_act = false;
    for (const auto& [database, row] : message.rows) {
        if (row.status == store::row_status::published) continue;
        can_act = true;
        const std::string id = fmt::format("row-{}", row.target_broker);
        fields += element("div", {{"class", "check"}},
                          void_element("input", {{"type", "checkbox"},
                                                 {"id", id},
                                                 {"name", "row"},
                                                 {"value", row.target_broker + " " + row.message_id},
                                                 {"checked", true}}) +
                              element("label", {{"for", id}}, row.target_broker));
    }
    if (!can_act) return faint("All copies are published.");
    const auto to = [&](const char* action) { return target(path_in(of, {"rows", action})); };
    fields += element("div", {{"class", "buttons"}},
                      text_field("reason", "Reason of a discard", "") + button("Retry", tone::good, to("retry")) +
                          button("Discard", tone::bad, to("discard")));
    return change_form(to("retry"), of.form_token, fields);
}

markup show_departures(const console& in, const visit& of, const message_view& message) {
    markup content;
    for (const auto& [brokers, messages] : message.departures) {
        std::string names;
        for (const std::string& each : brokers) names += (names.empty() ? "" : ", ") + each;
        content += element("h3", names.empty() ? std::string{"What would leave"} : "To " + names);
        for (const auto& each : messages) {
            if (in.hides().sees_payloads(of.who.role)) {
                for (const auto& header : each.head) content += paragraph(code(header.name + ": " + header.value));
            }
            content += code_block(in.hides().shown_text(each.body, of.who.role));
        }
    }
    return content;
}

/// One message of the tree and, as a list below it, what came of it.
markup show_node(const visit& of, const causation_tree& tree, std::size_t index, const std::string& here, int depth) {
    constexpr int deepest = 60;
    const auto& node = tree.nodes()[index];
    markup text;
    if (node.message) {
        const auto& event = node.message->at.event;
        text = node.id == here ? element("strong", event.type)
                               : link(target(path_in(of, {"messages", node.id})), event.type);
        text += " " + code(event.stream);
    } else {
        text = faint("not in the log") + " " + code(node.id);
    }
    markup effects;
    for (const std::size_t effect : node.effects) {
        if (depth > deepest) break;
        effects += show_node(of, tree, effect, here, depth + 1);
    }
    if (!effects.empty()) text += element("ul", effects);
    return element("li", text);
}

markup show_causes(const visit& of, const std::vector<operate::open_database>& databases, const std::string& id) {
    constexpr operate::trace_bounds bounds{.with_rows = false};
    const operate::event_trace trace = operate::read_trace_near(databases, id, bounds);
    markup roots;
    for (const std::size_t root : trace.tree.roots()) {
        roots += show_node(of, trace.tree, root, id, 0);
    }
    markup content = element("ul", {{"class", "tree"}}, roots);
    if (!trace.correlation_id.empty()) {
        form_values query;
        query.set("correlation", trace.correlation_id);
        content += paragraph(
            faint(fmt::format("What led to it, and the next {} of the {} numbers of the log before and after it. ",
                              bounds.most, bounds.numbers)) +
            "Correlation " + link(target(path_in(of, {"events"}), query), trace.correlation_id));
    }
    return content;
}

http::http_answer show_message(const console& in, const visit& of) {
    const message_view message = operate::read_message(of.where->with(), of.at("id"), true);
    const auto& event = message.event;
    const auto hidden = [&](const std::string& text) {
        return json_block(in.hides().shown(operate::embedded(text), of.who.role));
    };
    form_values stream;
    stream.set("stream", event.stream);
    markup content = facts({{"Type", event.type},
                            {"Message", code(event.message_id)},
                            {"Stream", link(target(path_in(of, {"events"}), stream), event.stream)},
                            {"Written", time_ago(event.created_at, in.now())},
                            {"Database", message.database}});
    content += panel("Copies", show_copies(of, message, in.now()) + actions_on_copies(of, message));
    content += panel("Payload", hidden(event.data));
    content += panel("As partners get it", show_departures(in, of, message));
    content +=
        panel("Causes and effects", show_causes(of, operate::open_all(of.where->with().parts), event.message_id));
    content += panel("Metadata", hidden(event.metadata));
    return page(in, of, {.title = event.type, .section = "rows", .content = content});
}

}  // namespace

void add_message_page(router& to, console& of) {
    to.add({.method = "GET", .path = "/console/contexts/{context}/messages/{id}", .answer = [&of](const visit& by) {
                return show_message(of, by);
            }});
}

}  // namespace sluice::console
