#pragma once

#include <optional>
#include <string>
#include <vector>

#include <sluice/json.hpp>

#include "operate/open_databases.hpp"
#include "store/operations.hpp"

namespace sluice::operate {

/// An event with its place in the log, and the database that it lies in.
struct located_event {
    std::string database;
    store::stream_event at;
};

/// Events of several databases by time, as many as the filter lets through.
void merge_events(std::vector<located_event>& events, const store::event_filter& filter);
/// Of one database in the order of its log; several are merged by time. @throws store_error
[[nodiscard]] std::vector<located_event> list_events(const std::vector<open_database>& databases,
                                                     const store::event_filter& filter);
/// From whichever database has it. @throws store_error
[[nodiscard]] std::optional<located_event> find_event(const std::vector<open_database>& databases,
                                                      const std::string& id);
/// The outbox rows of an event. @throws store_error
[[nodiscard]] std::vector<store::outbox_row> rows_of(const std::vector<open_database>& databases,
                                                     const located_event& event);

/// One event and where its copies are.
struct event_view {
    located_event event;
    std::vector<store::outbox_row> rows;
};

/// @throws request_error (not_found), store_error
[[nodiscard]] event_view read_event(const std::vector<open_database>& databases, const std::string& id);

[[nodiscard]] json::object to_json(const located_event& event);
[[nodiscard]] json::array to_json(const std::vector<located_event>& events);
[[nodiscard]] json::value to_json(const event_view& event);
/// Of each copy its broker and its status.
[[nodiscard]] json::array copies_to_json(const std::vector<store::outbox_row>& rows);

}  // namespace sluice::operate
