#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/error.hpp>

#include "store/records.hpp"

namespace sluice::store {

/// A simple finder: aggregates whose top-level state field equals a JSON scalar, ordered by id.
struct state_query {
    std::string field{};   ///< empty: all of them
    std::string equals{};  ///< JSON text of a string, number, boolean or null; an absent field equals null
    std::size_t limit = 1000;
};

/// What a unit of work needs of a database: reads, and one atomic write.
///
/// There is no open transaction between calls: a unit reads what it needs and hands over everything it wants written
/// at once, so a handler that touches nothing opens nothing and a commit is one round trip. Lost updates are prevented
/// by the versions in `state_write`.
///
/// Thread safety: one session is used by one thread at a time; each has a connection of its own.
class unit_session {
public:
    virtual ~unit_session() = default;

    /// False when the database that it was opened for is no longer in its place: open another one.
    [[nodiscard]] virtual bool is_current() const { return true; }

    [[nodiscard]] virtual std::optional<stored_state> load(std::string_view aggregate, std::string_view id) = 0;
    /// @throws usage_error  `equals` is no JSON scalar, or the field's name holds a quote or a backslash
    [[nodiscard]] virtual std::vector<stored_state> find(std::string_view aggregate, const state_query& query) = 0;
    /// Events of one stream from a position on, ascending, at most `limit`.
    [[nodiscard]] virtual std::vector<stream_event> read_stream(std::string_view stream, std::int64_t from,
                                                                std::size_t limit) = 0;
    [[nodiscard]] virtual std::optional<stream_event> last_of_stream(std::string_view stream) = 0;
    [[nodiscard]] virtual std::optional<stored_snapshot> load_snapshot(std::string_view aggregate,
                                                                       std::string_view id) = 0;
    /// What came of the command with this key; nothing when there was none, or it has expired.
    [[nodiscard]] virtual std::optional<command_outcome> outcome_of(std::string_view key, date_time now) = 0;
    /// Scheduled messages whose time has come at `now`, those due longest first, at most `limit`.
    [[nodiscard]] virtual std::vector<scheduled_message> due_messages(date_time now, std::size_t limit) = 0;
    /// When the next scheduled message is due, if there is one.
    [[nodiscard]] virtual std::optional<date_time> next_due() = 0;

    /// The state of a read model, and whether its projector has to handle a message. One look for both, so they are of
    /// one moment. Nothing when it is not registered.
    [[nodiscard]] virtual std::optional<projection_gate> look_at_projection(std::string_view name,
                                                                            const inbox_mark& message) = 0;
    [[nodiscard]] virtual std::optional<stored_row> load_row(const row_table& table, std::string_view key) = 0;
    /// Rows as JSON objects. Columns and values are those that `detail::require_usable` lets through.
    [[nodiscard]] virtual std::vector<std::string> find_rows(const row_table& table,
                                                             const detail::row_query& query) = 0;
    /// All that meet the conditions, whatever limit and offset say.
    [[nodiscard]] virtual std::int64_t count_rows(const row_table& table, const detail::row_query& query) = 0;

    /// Waits until no other session holds this key, and holds it until `unlock` or the session's end. It keeps out
    /// those who lock the same key only: versions prevent lost updates all the same. A session may hold several keys;
    /// locking one that it holds is an error of the caller, which may block.
    ///
    /// The lock counts in all processes that use the database; behind a connection pooler, and for a database in
    /// memory, in this process only.
    /// @param key  as `contended_keys.hpp` makes them
    /// @throws store_error  retryable when it was not granted within the store's lock timeout
    virtual void lock(std::string_view key) = 0;
    /// Gives all keys back.
    virtual void unlock() noexcept = 0;

    /// Whether the handler has already dealt with that message.
    [[nodiscard]] virtual inbox_answer look_in_inbox(const inbox_mark& message) = 0;
    /// True when the handler has dealt with any message of that id.
    [[nodiscard]] bool is_marked(std::string_view message_id, std::string_view handler) {
        return look_in_inbox({.message_id = std::string{message_id}, .handler = std::string{handler}}) !=
               inbox_answer::unknown;
    }
    /// Which of these ids are those of messages that the handler has dealt with, whatever their content. In no order.
    [[nodiscard]] virtual std::vector<std::string> marked_of(std::span<const std::string> message_ids,
                                                             std::string_view handler) {
        std::vector<std::string> marked;
        for (const std::string& id : message_ids) {
            if (is_marked(id, handler)) marked.push_back(id);
        }
        return marked;
    }

    /// Writes the batch in one durable transaction. Appends events in the order given; gives each the next `seq` and
    /// its stream's next position, counted from 0. A snapshot does not replace one of a higher version; an outcome
    /// replaces one that has expired at `batch.at`. On any error nothing was written, unless the error says
    /// `in_doubt()`.
    ///
    /// @throws expected_version_error  an aggregate was inserted twice, is gone or has moved on, a stream position
    ///         is taken, a scheduled message to cancel is not there any more, a read model's row has changed, or the
    ///         read model has another generation; names the thing and what was expected
    /// @throws duplicate_message  an inbox mark or a message id exists already
    /// @throws duplicate_outcome  the key of an outcome is in use
    /// @throws lease_lost  the fence has another epoch
    /// @throws store_error  retryable when the database was busy or unreachable before the commit was sent
    virtual void commit(const commit_batch& batch) = 0;
};

/// A command with the same idempotency key was committed meanwhile: the whole batch was rolled back; read its outcome.
class duplicate_outcome : public error {
public:
    using error::error;
    [[nodiscard]] const char* code() const noexcept override { return "duplicate_outcome"; }
};

/// The batch was written under a lease that somebody else has now. Nothing was written; the new owner does the work.
class lease_lost : public error {
public:
    using error::error;
    [[nodiscard]] const char* code() const noexcept override { return "lease_lost"; }
};

/// The message was handled before: the whole batch was rolled back and the caller acknowledges the message.
class duplicate_message : public error {
public:
    using error::error;
    [[nodiscard]] const char* code() const noexcept override { return "duplicate_message"; }
};

}  // namespace sluice::store
