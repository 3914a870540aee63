#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/audit.hpp"
#include "store/audit_note.hpp"
#include "store/confirmation.hpp"
#include "store/lane_pause.hpp"
#include "store/records.hpp"

namespace sluice::store {

/// Counts of one broker's rows.
struct outbox_counts {
    std::map<row_status, std::int64_t> by_status{};
    std::optional<date_time> oldest_open{};  ///< creation time of the oldest unconfirmed row
    // Too many to count one by one: the number is from a sample.
    bool published_is_estimated = false;
    bool pending_is_estimated = false;
};

/// A lease row with its last report.
struct lane_status {
    std::string lane{};
    std::string owner{};  ///< empty when released
    std::uint64_t epoch = 0;
    date_time expires_at{};
    sequence mark = 0;
    std::string state{};
    std::string detail{};
    std::int64_t published = 0;
    std::int64_t refused = 0;
    double rate = 0;
    date_time since{};
    std::optional<sequence> horizon{};  ///< the lowest number that a running transaction may still fill, if any
    std::int64_t overtaken = 0;         ///< rows that came after the lane had gone past their number
};

/// A transaction that has written events and not ended yet: what the gap at a lane's horizon waits for.
struct open_writer {
    int pid = 0;                    ///< of the server's process; 0 for a prepared transaction
    std::optional<duration> age{};  ///< since it began; hidden when it belongs to another user
    std::string application{};
    std::string state{};  ///< the server's word: `idle in transaction`
};

struct outbox_filter {
    std::string target_broker{};  ///< empty: any
    std::optional<row_status> status{};
    std::string stream{};      ///< exact per-aggregate stream, or a category; empty: any
    std::string message_id{};  ///< empty: any
    std::string type{};        ///< `Shop.OrderShipped.v1`, or `OrderShipped` for all versions; empty: any
    std::string error{};       ///< part of the last error's JSON text, in any case of letters; empty: any
    std::optional<date_time> created_before{};
    sequence after = 0;              ///< only `seq` above this
    std::optional<sequence> upto{};  ///< only `seq` up to this
    bool oldest_first = false;       ///< of `list` only
    std::size_t limit = 100;
};

/// Which events of the log.
struct event_filter {
    std::string stream{};                          ///< exact per-aggregate stream, or a category; empty: any
    std::vector<std::string> stream_categories{};  ///< any of these; empty: any
    std::string type{};                            ///< `Shop.OrderShipped.v1`; empty: any
    std::string correlation_id{};    ///< of the metadata; empty: any. Reads all that the rest lets through
    sequence after = 0;              ///< only `seq` above this
    std::optional<sequence> upto{};  ///< only `seq` up to this
    std::optional<date_time> created_from{};
    std::optional<date_time> created_before{};
    bool newest_first = false;
    std::size_t limit = 100;
};

struct schema_status {
    int applied = 0;                     ///< number of the newest applied migration, 0 on an empty database
    int expected = 0;                    ///< number this build needs
    std::vector<std::string> pending{};  ///< names of migrations to apply
};

/// What operators need: read models and a few writes that respect the lanes' fences.
///
/// Thread safety: one session is used by one thread at a time.
class operations_session {
public:
    virtual ~operations_session() = default;

    /// Counts per target broker found in the outbox (also brokers that are no longer configured). Looks at what is
    /// above the lanes' marks and at a bounded number of rows below them, so it may be asked often at any length of
    /// history.
    [[nodiscard]] virtual std::map<std::string, outbox_counts> outbox_summary() = 0;
    /// By `seq`, newest first unless the filter says otherwise; rows of one event by broker.
    [[nodiscard]] virtual std::vector<outbox_row> list(const outbox_filter& filter) = 0;
    [[nodiscard]] virtual std::optional<logged_event> event(std::string_view message_id) = 0;
    /// The log, by `seq`. Walks the log's own key, or the stream's when the filter names a stream of one aggregate.
    [[nodiscard]] virtual std::vector<stream_event> events(const event_filter& filter) = 0;
    /// Streams of one category that have events, by name, those after the name given, at most `limit`.
    [[nodiscard]] virtual std::vector<std::string> streams(std::string_view category, std::string_view after,
                                                           std::size_t limit) = 0;
    /// Every broker that an event of this database was ever meant for, by name.
    [[nodiscard]] virtual std::vector<std::string> brokers() = 0;
    /// What an audit compares of the events `after` < seq ≤ `upto` at one broker, in one snapshot. Reads all of them:
    /// ask for tens of thousands at a time.
    [[nodiscard]] virtual audit_page audit(std::string_view broker, sequence after, sequence upto) = 0;
    /// What the broker has confirmed of the events `after` < seq ≤ `upto`, by `seq`, in one snapshot. Reads all of
    /// them, like `audit`.
    [[nodiscard]] virtual std::vector<confirmation> confirmations(std::string_view broker, sequence after,
                                                                  sequence upto) = 0;
    /// Where the messages of these ids stand in the log, in any order; those that it does not have are left out.
    [[nodiscard]] virtual std::vector<located_event> locate(const std::vector<std::string>& message_ids) = 0;
    /// Keeps what came of the last whole audit of the broker.
    virtual void note_audit(std::string_view broker, const audit_note& note) = 0;
    [[nodiscard]] virtual audit_notes noted_audits() = 0;
    [[nodiscard]] virtual std::vector<lane_status> lanes() = 0;
    /// Oldest first. None where commits do not overlap.
    [[nodiscard]] virtual std::vector<open_writer> open_writers() { return {}; }

    /// Gives failed and abandoned rows that match, oldest first and at most `filter.limit`, a full new budget (pending,
    /// no attempts, no waiting) and makes their lanes look again. The last error stays until the row is published.
    /// Returns how many. Rows of other states are left alone.
    [[nodiscard]] virtual std::size_t retry(const outbox_filter& filter) = 0;
    /// Turns open and abandoned rows that match, oldest first and at most `filter.limit`, into `abandoned` with the
    /// error `{"reason":"discarded","message":…,"at":…}`, so they are not sent. Returns how many changed. Used for
    /// `outbox discard` and to retire a broker that left the configuration.
    [[nodiscard]] virtual std::size_t discard(const outbox_filter& filter, std::string_view reason, date_time now) = 0;

    /// Makes the broker's lanes look from this event on for what is neither published nor given up, and send it.
    virtual void look_again(std::string_view broker, sequence from) = 0;

    /// The lanes of the broker are to rest: their owners finish what is on its way and send nothing more. Replaces an
    /// earlier pause.
    virtual void pause_lanes(std::string_view broker, const lane_pause& pause) = 0;
    /// They may go on. False: they were not paused.
    virtual bool resume_lanes(std::string_view broker) = 0;
    [[nodiscard]] virtual lane_pauses paused_lanes() = 0;

    /// Gives what a handler has left here to another name: its inbox marks, its lease and the read models that it
    /// feeds. Where both have a mark the other's stays. Returns how many marks the former name had.
    virtual std::size_t rename_handler(std::string_view from, std::string_view to) = 0;
    /// Deletes a handler's inbox marks and its lease. Returns how many marks.
    virtual std::size_t forget_handler(std::string_view name) = 0;

    /// Deletes inbox marks older than `before`, at most `limit`. Returns how many.
    [[nodiscard]] virtual std::size_t purge_inbox(date_time before, std::size_t limit) = 0;
    /// Deletes outcomes of commands that expired before `before`, at most `limit`. Returns how many.
    [[nodiscard]] virtual std::size_t purge_outcomes(date_time before, std::size_t limit) = 0;
};

}  // namespace sluice::store
