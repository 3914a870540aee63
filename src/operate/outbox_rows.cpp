#include "operate/outbox_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include <sluice/error.hpp>

#include "config/section.hpp"
#include "operate/json_forms.hpp"
#include "operate/merging.hpp"
#include "operate/request_error.hpp"

namespace sluice::operate {

namespace {

const std::vector<std::string>& row_status_words() {
    static const std::vector<std::string> words{"pending", "processing", "published", "failed", "abandoned"};
    return words;
}

std::vector<departure> departures_of(const store::logged_event& event, const std::vector<located_row>& rows,
                                     const config::outbox_settings& outbox) {
    std::vector<std::pair<envelope::partner_terms, std::vector<std::string>>> by_terms;
    for (const auto& [database, row] : rows) {
        if (row.target_broker == outbox.broker) continue;
        const envelope::partner_terms terms = outbox.lane_of(row.target_broker).terms;
        auto same = std::ranges::find_if(by_terms, [&](const auto& each) { return each.first == terms; });
        if (same == by_terms.end()) same = by_terms.insert(by_terms.end(), {terms, {}});
        same->second.push_back(row.target_broker);
    }
    if (by_terms.empty()) by_terms.emplace_back();
    std::vector<departure> found;
    found.reserve(by_terms.size());
    for (auto& [terms, brokers] : by_terms) {
        found.push_back({std::move(brokers), envelope::render_for_partner(event.data, event.metadata, terms)});
    }
    return found;
}

json::object headers_json(const envelope::header_list& head) {
    json::object members;
    for (const envelope::header& each : head) members.set(each.name, each.value);
    return members;
}

json::array departures_json(const message_view& message) {
    json::array list;
    for (const auto& [brokers, messages] : message.departures) {
        for (const envelope::rendered_message& each : messages) {
            json::object one{{"brokers", json::array(brokers.begin(), brokers.end())},
                             {"message_id", message.event.message_id + each.id_suffix},
                             {"envelope", embedded(each.body)}};
            if (!each.head.empty()) one.set("headers", headers_json(each.head));
            list.push_back(std::move(one));
        }
    }
    return list;
}

}  // namespace

store::row_status row_status_named(const std::string& word) {
    try {
        return store::row_status_from(word);
    } catch (const decode_error&) {
        throw wrong_request(fmt::format("`{}` is no status of a row; {}", word,
                                        config::did_you_mean(word, row_status_words(), "there are")));
    }
}

void merge_rows(std::vector<located_row>& rows, std::size_t limit) {
    merge_by_time(rows, time_order::newest_first, limit, [](const located_row& each) { return each.row.created_at; });
}

std::vector<located_row> list_rows(const std::vector<open_database>& databases, const store::outbox_filter& filter) {
    auto found = from_all<located_row>(databases, [&](auto& session) { return session.list(filter); });
    merge_rows(found, filter.limit);
    return found;
}

std::string doubt_about(const std::string& broker, const config::configuration& with,
                        const std::vector<open_database>& databases) {
    std::set<std::string> known;
    for (const auto& [name, settings] : with.brokers) known.insert(name);
    if (known.contains(broker)) return {};
    for (const open_database& database : databases) {
        for (auto& name : database.session->brokers()) known.insert(std::move(name));
    }
    if (known.contains(broker)) return {};
    const std::vector<std::string> names{known.begin(), known.end()};
    return fmt::format("there is no broker `{}`, and no row for one; {}", broker,
                       config::did_you_mean(broker, names, "brokers are"));
}

message_view read_message(const installation& with, const std::string& id, bool departures) {
    const auto databases = open_all(with.parts);
    store::outbox_filter filter;
    filter.message_id = id;
    auto rows = list_rows(databases, filter);
    for (const open_database& database : databases) {
        auto event = database.session->event(id);
        if (!event) continue;
        message_view found{
            .database = database.name, .event = *std::move(event), .rows = std::move(rows), .departures = {}};
        if (departures) found.departures = departures_of(found.event, found.rows, with.configuration.outbox);
        return found;
    }
    throw not_found(fmt::format("no database has a message `{}`; `sluice outbox list` shows the ids", id));
}

json::value to_json(const located_row& located) {
    const store::outbox_row& row = located.row;
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

json::array to_json(const std::vector<located_row>& rows) {
    json::array list;
    for (const located_row& row : rows) list.push_back(to_json(row));
    return list;
}

json::value to_json(const message_view& message) {
    const store::logged_event& event = message.event;
    json::object result{{"message_id", event.message_id},
                        {"type", event.type},
                        {"stream", event.stream},
                        {"database", message.database},
                        {"created_at", event.created_at.to_string()},
                        {"data", embedded(event.data)},
                        {"metadata", embedded(event.metadata)},
                        {"rows", to_json(message.rows)}};
    if (!message.departures.empty()) {
        result.set("envelope", embedded(message.departures.front().messages.front().body));
        result.set("envelopes", departures_json(message));
    }
    return result;
}

}  // namespace sluice::operate
