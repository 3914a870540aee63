#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/time.hpp>

#include "store/kept_removal.hpp"
#include "store/read_model_records.hpp"

/// The rows of a store as plain values (docs/storage.md). Every adapter speaks these and nothing else.
namespace sluice::store {

/// Life of an outbox row. The leased lane needs no per-row claim, so no row of Sluice's own ever rests in `processing`;
/// the word stays valid because the pattern's readers and the reference's tools know it.
enum class row_status { pending, processing, published, failed, abandoned };

[[nodiscard]] const char* to_string(row_status status) noexcept;
/// @throws decode_error naming the word and the allowed ones
[[nodiscard]] row_status row_status_from(std::string_view word);

/// True while a lane still has work with the row.
[[nodiscard]] constexpr bool is_open(row_status status) noexcept {
    return status == row_status::pending || status == row_status::processing || status == row_status::failed;
}

/// Body of an event or asynchronous command, stored once.
struct logged_event {
    std::string message_id{};
    std::string stream{};           ///< per aggregate, `shop::order-o-1`
    std::string stream_category{};  ///< `shop::order`
    std::string type{};             ///< `Shop.OrderShipped.v1`
    std::string data{};             ///< JSON object text, spliced unparsed into every envelope
    std::string metadata{};         ///< JSON object text: the internal form's `metadata`
    date_time created_at{};
};

/// One event to write, with the brokers it forks to (internal first, then external in configured order).
struct event_write {
    logged_event event{};
    int priority = 0;
    std::vector<std::string> target_brokers{};
    /// For event-sourced aggregates: the position the event must get in its stream, else any.
    std::optional<std::int64_t> expected_position{};
};

struct state_write {
    enum class operation { insert, update, remove };
    operation what = operation::insert;
    std::string aggregate{};  ///< registered aggregate name
    std::string id{};
    std::int64_t version = 0;  ///< the version written; update and remove expect version - 1 in the database
    std::string state{};       ///< JSON object text; empty for remove
};

/// An event at its place in the log.
struct stream_event {
    sequence seq = 0;
    std::int64_t position = 0;  ///< within its stream, counted from 0
    logged_event event{};
};

/// State of an event-sourced aggregate at one version, so that loading need not begin at the first event. A cache: to
/// lose one costs time only.
struct snapshot_write {
    std::string aggregate{};  ///< registered aggregate name
    std::string id{};
    std::int64_t version = 0;  ///< position of the last event in it
    std::string layout{};      ///< fingerprint of the fields; a build with another one ignores the snapshot
    std::string state{};       ///< JSON object text
};

struct stored_snapshot {
    std::int64_t version = 0;
    std::string layout{};
    std::string state{};
};

/// What came of a command that had an idempotency key.
struct command_outcome {
    std::string key{};
    std::string command{};      ///< type of the command
    std::string fingerprint{};  ///< of its data: a key belongs to one command with one content
    bool succeeded = true;
    std::string content{};   ///< JSON text: the handler's result, or the error
    date_time expires_at{};  ///< the key is free again from then on
};

/// A message that enters the log and the outbox when its time has come.
struct scheduled_message {
    std::string id{};  ///< writing it again under the same id replaces it
    date_time due{};
    event_write message{};
};

/// Takes a scheduled message back.
struct cancellation {
    std::string id{};
    /// The message must still be there with this very time, else the batch is refused: somebody else has released,
    /// moved or cancelled it. Without it there may be none.
    std::optional<date_time> due{};
};

/// The batch counts only while this lease has this epoch.
struct lease_fence {
    std::string lane{};
    std::uint64_t epoch = 0;
};

/// Proof that a handler has dealt with a message; committed with the handler's own changes.
struct inbox_mark {
    std::string message_id{};
    std::string handler{};
    /// What the message was (envelope::content_of): another one may come under the same id. Empty: not known, which
    /// counts as any.
    std::string content{};

    friend bool operator==(const inbox_mark&, const inbox_mark&) = default;
};

/// What the inbox knows of a message.
enum class inbox_answer {
    unknown,
    handled,       ///< this message, or one of the id whose content was not recorded
    other_content  ///< only messages of the same id with another content
};

/// Everything one unit of work writes, in one transaction or not at all.
struct commit_batch {
    std::vector<state_write> states{};
    std::vector<event_write> events{};
    std::vector<inbox_mark> marks{};
    std::vector<snapshot_write> snapshots{};
    std::vector<command_outcome> outcomes{};
    std::vector<scheduled_message> scheduled{};
    std::vector<cancellation> cancelled{};
    std::vector<row_write> rows{};                 ///< of read models; each key once
    std::optional<lease_fence> fence{};            ///< does not make a batch worth writing
    std::optional<projection_guard> projection{};  ///< the same
    std::optional<kept_removal> kept{};            ///< the same
    date_time at{};

    [[nodiscard]] bool empty() const noexcept {
        return states.empty() && events.empty() && marks.empty() && snapshots.empty() && outcomes.empty() &&
               scheduled.empty() && cancelled.empty() && rows.empty();
    }
};

struct stored_state {
    std::string id{};
    std::int64_t version = 0;
    std::string state{};
};

/// One outbox row, for operators and read models.
struct outbox_row {
    sequence seq = 0;
    std::string message_id{};
    std::string target_broker{};
    std::string stream{};
    row_status status = row_status::pending;
    int priority = 0;
    int retry_count = 0;
    std::optional<date_time> next_retry_at{};
    std::string last_error{};  ///< JSON object text, empty when there was none
    std::optional<date_time> published_at{};
    std::string receipt{};  ///< the broker's own id or offset
    std::string type{};
    date_time created_at{};
};

/// An open row as its lane needs it: with the body to render.
struct due_row {
    sequence seq = 0;
    row_status status = row_status::pending;
    int priority = 0;
    int retry_count = 0;
    std::optional<date_time> next_retry_at{};
    std::string last_error{};
    logged_event event{};
};

/// What a lane decided for one row after the broker's verdict.
struct settlement {
    sequence seq = 0;
    row_status status = row_status::published;
    int retry_count = 0;
    std::optional<date_time> next_retry_at{};
    std::string last_error{};
    std::optional<date_time> published_at{};
    std::string receipt{};
    /// When the row was given up: starts its retention. Without it an abandoned row is never purged.
    std::optional<date_time> abandoned_at{};
};

}  // namespace sluice::store
