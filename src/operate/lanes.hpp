#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <sluice/json.hpp>
#include <sluice/time.hpp>

#include "config/configuration.hpp"
#include "store/lane_name.hpp"
#include "store/operations.hpp"

namespace sluice::operate {

/// The outbox rows of one lane.
struct lane_rows {
    std::int64_t pending = 0;           ///< those that are being sent, too
    bool pending_is_estimated = false;  ///< from a sample
    std::int64_t failed = 0;            ///< refused, waiting for another attempt
    std::int64_t abandoned = 0;
    std::int64_t published = 0;         ///< that are still kept
    std::optional<date_time> oldest{};  ///< creation of the oldest unconfirmed row
    std::optional<duration> age{};      ///< of that row, when it was looked at; never negative

    /// Unconfirmed rows.
    [[nodiscard]] std::int64_t open() const noexcept { return pending + failed; }
};

/// A lane as its lease and its rows show it, whichever process owns it.
struct lane_view {
    std::string database{};
    std::string broker{};
    bool external = false;
    std::string state{"unknown"};      ///< of its owner's last report; `stopped` when nobody owns the lane
    std::string detail{};              ///< last error or reason
    std::string detail_at_release{};   ///< of a lane that was given back: the detail of its owner's last report
    std::string owner{};               ///< empty when stopped, or when shards have different ones
    double rate = 0;                   ///< rows per second, lately
    std::optional<date_time> since{};  ///< when the state was entered
    /// The lowest number of the log that a running transaction may still fill; a lane in strict order waits there.
    std::optional<store::sequence> horizon{};
    std::int64_t overtaken = 0;                ///< rows published behind later ones, since the owner took the lane
    std::optional<lane_rows> rows{};           ///< empty when they were not counted
    std::optional<store::lane_pause> pause{};  ///< an operator has told the lane to rest
    std::optional<store::audit_note> audit{};  ///< the last audit of everything; empty: there was none

    std::vector<lane_view> shards{};  ///< of a lane in shards, without rows; the lane shows the worst of them
    store::shard part{};

    [[nodiscard]] std::int64_t depth() const noexcept { return rows ? rows->open() : 0; }
    /// The state for people: an owner in the middle of publishing reports so only when it renews its lease, so `idle`
    /// with rows that wait is `flowing`.
    [[nodiscard]] std::string shown_state() const { return state == "idle" && depth() > 0 ? "flowing" : state; }
    [[nodiscard]] const std::string& last_detail() const noexcept {
        return detail.empty() ? detail_at_release : detail;
    }
};

/// What a database says of its lanes.
struct lane_records {
    std::vector<store::lane_status> leases{};
    std::optional<std::map<std::string, store::outbox_counts>> counts{};  ///< by broker; empty before they were asked
    store::lane_pauses pauses{};
    store::audit_notes audits{};
};

/// Every state a lane can show, healthiest first.
[[nodiscard]] const std::vector<std::string>& lane_states();
/// The place of a state among them: the worse, the higher.
[[nodiscard]] std::ptrdiff_t badness(const std::string& state);

/// The lanes that the configuration asks for, in its order: internal first. Pure; needs no running engine.
/// @param database  name of the database that the records come from
[[nodiscard]] std::vector<lane_view> view_lanes(const config::outbox_settings& outbox, const std::string& database,
                                                const lane_records& from, date_time now);
/// The same of a database that does not answer: their state is `unknown`.
[[nodiscard]] std::vector<lane_view> unknown_lanes(const config::outbox_settings& outbox, const std::string& database);

/// Of the transactions that write to the log those that hold a lane's horizon: what commits as usual takes no second.
[[nodiscard]] std::vector<store::open_writer> long_writers(std::vector<store::open_writer> writers);

/// A shard as one entry of its lane's `shards`.
[[nodiscard]] json::value shard_to_json(const lane_view& shard);

}  // namespace sluice::operate
