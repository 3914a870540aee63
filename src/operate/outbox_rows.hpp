#pragma once

#include <string>
#include <vector>

#include <sluice/json.hpp>

#include "envelope/envelope.hpp"
#include "operate/installation.hpp"
#include "operate/open_databases.hpp"
#include "store/operations.hpp"

namespace sluice::operate {

/// An outbox row and the database that it lies in.
struct located_row {
    std::string database;
    store::outbox_row row;
};

/// The status that a word names. @throws request_error with the words that there are
[[nodiscard]] store::row_status row_status_named(const std::string& word);

/// Newest first; several databases are merged by time. At most `filter.limit`. @throws store_error
[[nodiscard]] std::vector<located_row> list_rows(const std::vector<open_database>& databases,
                                                 const store::outbox_filter& filter);
/// The newest first, at most `limit`.
void merge_rows(std::vector<located_row>& rows, std::size_t limit);

/// Why no row can be for the broker: no such broker is configured or has left a row. Empty when there is one.
/// @throws store_error
[[nodiscard]] std::string doubt_about(const std::string& broker, const config::configuration& with,
                                      const std::vector<open_database>& databases);

/// What some external brokers get of an event.
struct departure {
    std::vector<std::string> brokers;
    std::vector<envelope::rendered_message> messages;  ///< of an event in several versions: each of them
};

/// One message with all its rows.
struct message_view {
    std::string database;
    store::logged_event event;
    std::vector<located_row> rows;
    /// Brokers with the same terms share one. An event without an external row shows what would leave.
    /// Empty when it was not asked for.
    std::vector<departure> departures;
};

/// @param departures  whether they are wanted
/// @throws request_error (not_found), store_error
[[nodiscard]] message_view read_message(const installation& with, const std::string& id, bool departures);

[[nodiscard]] json::value to_json(const located_row& located);
[[nodiscard]] json::array to_json(const std::vector<located_row>& rows);
[[nodiscard]] json::value to_json(const message_view& message);

}  // namespace sluice::operate
