#include "operate/events.hpp"

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "operate/json_forms.hpp"
#include "operate/merging.hpp"
#include "operate/request_error.hpp"

namespace sluice::operate {

namespace {

/// Events of one stream and type at the same instant: more are not looked through.
constexpr std::size_t most_of_an_instant = 10'000;

}  // namespace

void merge_events(std::vector<located_event>& events, const store::event_filter& filter) {
    const time_order order = filter.newest_first ? time_order::newest_first : time_order::oldest_first;
    merge_by_time(events, order, filter.limit, [](const located_event& each) { return each.at.event.created_at; });
}

std::vector<located_event> list_events(const std::vector<open_database>& databases, const store::event_filter& filter) {
    auto found = from_all<located_event>(databases, [&](auto& session) { return session.events(filter); });
    if (databases.size() > 1) merge_events(found, filter);
    return found;
}

std::optional<located_event> find_event(const std::vector<open_database>& databases, const std::string& id) {
    for (const open_database& database : databases) {
        const auto event = database.session->event(id);
        if (!event) continue;
        // The id knows no place, but few events of its stream and type are of the same instant.
        store::event_filter in_stream;
        in_stream.stream = event->stream;
        in_stream.type = event->type;
        in_stream.created_from = event->created_at;
        in_stream.created_before = event->created_at + std::chrono::microseconds{1};
        in_stream.limit = most_of_an_instant;
        for (store::stream_event& each : database.session->events(in_stream)) {
            if (each.event.message_id == id) return located_event{database.name, std::move(each)};
        }
        return located_event{database.name, {.event = *event}};
    }
    return std::nullopt;
}

std::vector<store::outbox_row> rows_of(const std::vector<open_database>& databases, const located_event& event) {
    store::outbox_filter filter;
    filter.message_id = event.at.event.message_id;
    for (const open_database& database : databases) {
        if (database.name == event.database) return database.session->list(filter);
    }
    return {};
}

event_view read_event(const std::vector<open_database>& databases, const std::string& id) {
    auto found = find_event(databases, id);
    if (!found) throw not_found(fmt::format("no database has an event `{}`; `sluice events list` shows the ids", id));
    auto rows = rows_of(databases, *found);
    return {.event = *std::move(found), .rows = std::move(rows)};
}

json::object to_json(const located_event& event) {
    const auto& [database, at] = event;
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

json::array to_json(const std::vector<located_event>& events) {
    json::array list;
    for (const located_event& each : events) list.emplace_back(to_json(each));
    return list;
}

json::value to_json(const event_view& event) {
    json::object result = to_json(event.event);
    result.set("rows", copies_to_json(event.rows));
    return result;
}

json::array copies_to_json(const std::vector<store::outbox_row>& rows) {
    json::array all;
    for (const store::outbox_row& row : rows) {
        all.emplace_back(json::object{{"target_broker", row.target_broker}, {"status", store::to_string(row.status)}});
    }
    return all;
}

}  // namespace sluice::operate
