#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <sluice/json.hpp>
#include <sluice/registry.hpp>
#include <sluice/time.hpp>

#include "operate/installation.hpp"
#include "store/backfill.hpp"

/// Giving a broker events that were committed before it was there, or was meant to have them.
namespace sluice::operate {

/// Which events a broker is to get. Only published ones that its lane would get today are meant at all.
struct backfill_request {
    std::string broker{};
    std::string database{};                  ///< only of this one; empty: of each that has such events
    std::optional<store::sequence> first{};  ///< from this number in the log on
    std::optional<date_time> since{};        ///< from the first event on that was created then or later
    std::vector<std::string> types{};        ///< names or types, `*` stands for any characters; empty: all
    std::vector<std::string> streams{};      ///< streams or stream categories; empty: all
    double rate = 0;                         ///< events per second in each database; 0: as fast as the lane can
};

/// A backfill and the database that it is in.
struct located_backfill {
    std::string database;
    store::backfill what;
};

/// What a request would give.
struct counted_backfill {
    std::string database;
    store::sequence after = 0;
    store::backfill_count found;
};

/// What is in the log for a request, by database. Walks the log. Writes nothing.
/// @throws request_error  the broker is none of `outbox.external_brokers`, or no published event is meant; store_error
[[nodiscard]] std::vector<counted_backfill> count_backfill(const detail::registry& domain, const installation& with,
                                                           const backfill_request& asked);
/// Orders it. From now on the lanes to the broker send what it is about, in the order of the log, and then what is
/// newer.
/// @throws request_error  as above, and when another one has not ended: then nothing was ordered; store_error
[[nodiscard]] std::vector<located_backfill> begin_backfill(const detail::registry& domain, const installation& with,
                                                           const backfill_request& asked, date_time now);
/// Pauses, resumes or cancels what has not ended, in all databases.
/// @param rate  events per second from now on; nothing: as before
/// @throws request_error (conflict when there is none), store_error
[[nodiscard]] std::vector<located_backfill> change_backfill(const installation& with, const std::string& broker,
                                                            store::backfill_state to, std::optional<double> rate,
                                                            date_time now);
/// The newest first, at most `limit` of each database.
/// @param broker  empty: of all
/// @throws store_error
[[nodiscard]] std::vector<located_backfill> list_backfills(const installation& with, const std::string& broker,
                                                           std::size_t limit);

[[nodiscard]] json::value to_json(const std::vector<counted_backfill>& counted);
[[nodiscard]] json::value to_json(const std::vector<located_backfill>& found);

}  // namespace sluice::operate
