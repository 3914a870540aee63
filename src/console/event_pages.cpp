#include "console/console.hpp"
#include "console/layout.hpp"
#include "console/widgets.hpp"
#include "operate/pages.hpp"
#include "operate/request_error.hpp"

namespace sluice::console {

namespace {

constexpr std::size_t events_on_a_page = 50;

http::http_answer show_events(const console& in, const visit& of) {
    store::event_filter filter;
    filter.stream = of.query.get("stream");
    filter.type = of.query.get("type");
    filter.correlation_id = of.query.get("correlation");
    filter.created_from = time_in(of.query.get("after"), "after");
    filter.created_before = time_in(of.query.get("before"), "before");
    filter.limit = events_on_a_page;
    const auto events = operate::page_of_events(operate::open_all(of.where->with().parts), filter,
                                                operate::position_from(of.query.get("from")));
    table list{"Events, newest first"};
    list.column("Number", true)
        .column("Type")
        .column("Stream")
        .column("Position", true)
        .column("Message")
        .column("Written");
    for (const auto& [database, at] : events.elements) {
        form_values stream;
        stream.set("stream", at.event.stream);
        list.row({amount(at.seq), at.event.type, link(target(path_in(of, {"events"}), stream), at.event.stream),
                  at.position, link(target(path_in(of, {"messages", at.event.message_id})), at.event.message_id),
                  time_ago(at.event.created_at, in.now())});
    }
    const char* const form_of_time = "2026-11-29 or 2026-11-29T08:00:00Z";
    markup content =
        search_form(target(path_in(of, {"events"})),
                    text_field("stream", "Stream or category", of.query.get("stream")) +
                        text_field("type", "Type", of.query.get("type"), "With its version, as the table has it.") +
                        text_field("correlation", "Correlation", of.query.get("correlation"),
                                   "Reads all that the rest lets through: name a time, too, where there is much.") +
                        text_field("after", "From", of.query.get("after"), form_of_time) +
                        text_field("before", "Before", of.query.get("before"), form_of_time));
    content += list.render(events.is_cut_short ? "No event was found yet." : "No event matches.");
    content += pager(path_in(of, {"events"}), of.query, events.has_more ? operate::to_text(events.next) : "",
                     events.is_cut_short);
    return page(in, of, {.title = "Events", .section = "events", .content = content});
}

}  // namespace

void add_event_pages(router& to, console& of) {
    to.add({.method = "GET", .path = "/console/contexts/{context}/events", .answer = [&of](const visit& by) {
                return show_events(of, by);
            }});
}

}  // namespace sluice::console
