#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/keyed_locks.hpp"
#include "base/wake.hpp"
#include "store/audit_note.hpp"
#include "store/backfill.hpp"
#include "store/kept_messages.hpp"
#include "store/lane_pause.hpp"
#include "store/records.hpp"

namespace sluice::store::memory {

struct memory_row {
    row_status status = row_status::pending;
    int priority = 0;
    int retry_count = 0;
    std::optional<date_time> next_retry_at{};
    std::string last_error{};
    std::optional<date_time> published_at{};
    std::optional<date_time> abandoned_at{};
    std::string receipt{};
};

struct memory_lease {
    std::string owner{};
    std::uint64_t epoch = 0;
    date_time expires_at{};
    sequence mark = 0;
    std::uint64_t rescan = 0;
    std::string former{};
    std::string state{};
    std::string detail{};
    std::int64_t published = 0;
    std::int64_t refused = 0;
    double rate = 0;
    date_time since{};
};

/// One engine that stands by for one lane.
struct memory_stand_by {
    date_time expires_at{};
    std::uint64_t heir_of = 0;  ///< epoch of the lease that it is to take over; 0: it has not been chosen
};

/// A read model with all its tables.
struct memory_read_model {
    projection_status status{};
    std::int64_t last_generation = 0;
    std::map<std::int64_t, std::map<std::string, stored_row, std::less<>>> tables{};  ///< by generation
};

struct memory_kept {
    kept_message message;
    std::string owner{};  ///< of the claim; empty: nobody
    date_time until{};
};

/// Message, handler, content.
using inbox_key = std::tuple<std::string, std::string, std::string>;

/// The tables of one memory database.
///
/// Thread safety: a session holds `mutex` for as long as it touches anything here.
struct memory_data {
    using rows_of_broker = std::map<sequence, memory_row>;

    mutable std::mutex mutex{};
    base::keyed_locks locks{};  ///< of units, by themselves

    std::string identity{};
    std::string domain{};
    std::uint64_t incarnation = 0;

    std::vector<logged_event> event_log{};  ///< event `seq` is at index `seq - 1`
    std::map<std::string, sequence, std::less<>> seq_of_message{};
    std::map<std::string, std::vector<sequence>, std::less<>> streams{};  ///< index is the position
    std::map<std::string, rows_of_broker, std::less<>> outbox{};
    std::map<std::string, memory_lease, std::less<>> leases{};
    std::map<std::pair<std::string, std::string>, memory_stand_by> stand_bys{};  ///< by lane and owner
    lane_pauses pauses{};
    audit_notes audits{};
    std::vector<backfill> backfills{};  ///< by their numbers, from 1
    std::map<inbox_key, date_time> inbox{};
    std::map<std::pair<std::string, std::string>, stored_state> states{};        ///< by aggregate and id
    std::map<std::pair<std::string, std::string>, stored_snapshot> snapshots{};  ///< by aggregate and id
    std::map<std::string, command_outcome, std::less<>> outcomes{};              ///< by key
    std::map<std::string, scheduled_message, std::less<>> scheduled{};           ///< by id

    std::map<std::string, memory_read_model, std::less<>> read_models{};  ///< by name
    std::map<sequence, memory_kept> kept{};
    sequence last_kept = 0;

    std::uint64_t news = 0;                        ///< grows with everything that a waiting lane must look at
    std::multiset<base::wake_signal*> sleepers{};  ///< each registered only while its lane waits

    [[nodiscard]] const logged_event& event(sequence seq) const {
        return event_log.at(static_cast<std::size_t>(seq) - 1);
    }

    /// The kept message, when it is there and this owner's. The caller holds `mutex`.
    [[nodiscard]] memory_kept* kept_by(std::string_view owner, sequence number);

    /// What the inbox knows of the message. The caller holds `mutex`.
    [[nodiscard]] inbox_answer find_mark(const inbox_mark& message) const;

    /// The rows of a table, none when it does not exist.
    [[nodiscard]] std::map<std::string, stored_row, std::less<>>* rows_of(const row_table& table);

    /// The one of the broker that has not ended, or null. The caller holds `mutex`.
    [[nodiscard]] backfill* open_backfill(std::string_view broker);

    /// The lanes of the broker begin again below `first`. The caller holds `mutex`.
    void look_again(std::string_view broker, sequence first);

    /// Wakes every waiting lane. The caller holds `mutex`.
    void tell_lanes();
};

}  // namespace sluice::store::memory
