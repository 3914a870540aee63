#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "store/postgresql/exchange.hpp"
#include "store/postgresql/failure.hpp"
#include "store/postgresql/inside_sql.hpp"
#include "store/postgresql/kept_removals.hpp"
#include "store/postgresql/row_statements.hpp"
#include "store/records.hpp"

namespace sluice::store::postgresql {

/// The statements that a commit is made of. Each ends the transaction when it finds something not as expected, so all
/// can be sent together with the commit.
///
/// Thread safety: used by one thread at a time.
class commit_statements {
public:
    explicit commit_statements(const std::string& schema);

    statement mark;                ///< $1 message, $2 handler, $3 content, $4 time, $5 our time
    statement insert_state;        ///< $1 aggregate, $2 id, $3 version, $4 state, $5 the stream to lock then, or NULL
    statement update_state;        ///< the same
    statement remove_state;        ///< $1 aggregate, $2 id, $3 version, $4 the stream to lock then, or NULL
    statement transaction;         ///< answers with the transaction's id
    statement lock_stream;         ///< $1 stream; answers with the transaction's id
    statement lock_streams;        ///< $1 streams; answers with the transaction's id, for each of them
    statement lock_one_more;       ///< $1 stream, unless the transaction has locked many
    statement check_position;      ///< $1 stream, $2 expected
    statement next_position;       ///< $1 stream
    statement require_generation;  ///< $1 read model, $2 generation
    kept_removals kept;

    /// Adds an event that goes to so many brokers to the log, with the parameters of `values_of`. Refused when one of
    /// them has no number. Valid as long as the object.
    [[nodiscard]] const statement& append(std::size_t brokers);
    /// The same, but then it does nothing; it answers with a row when it has, unless there are no brokers.
    [[nodiscard]] statement append_if_numbered(std::size_t brokers) const;

private:
    std::map<std::size_t, statement> appends_;  ///< by the number of brokers
    std::string schema_;
};

/// $1 message, $2 stream, $3 category, $4 type, $5 time, $6 data, $7 metadata, $8 priority, $9 and on the brokers.
[[nodiscard]] parameters values_of(const event_write& write);

/// The log's next number is in use: its sequence is behind its table.
[[nodiscard]] bool is_number_in_use(const statement_error& refusal) noexcept;

/// A unit's batch as statements in one transaction, and their refusals in a person's words.
///
/// The order is: marks, outcomes, states, snapshots, scheduled messages, the fence, the read model with its rows, the
/// kept message, streams, events, and each kind is sorted by its key. So two units take their locks in the same order
/// and never wait for each other in a circle; and numbers are drawn last, under the locks of their streams, which are
/// held until the transaction has ended. Within a stream the order of the numbers, of the positions and of the commits
/// is therefore the same.
///
/// Outcomes come before states because a command that was done before has moved its aggregates on, too, and is to be
/// told that it is repeated. The lease is locked late: who waits for a rival's row does not hold it back meanwhile. The
/// lease's owner settles under it, but never takes one of the locks before it.
///
/// Lifetime: shorter than the batch's.
class commit_call {
public:
    /// @param schema  for the statements of read models, which have their tables' names in them
    /// @param server  its name, for errors
    /// @param our_time  see shared_state
    commit_call(commit_statements& sql, const inside_statements& inside, const std::string& schema,
                const commit_batch& batch, const std::string& server, const std::optional<date_time>& our_time);

    /// Adds the whole batch. Returns the place of the transaction's id, if it is there.
    /// @param tell  the server is asked to hand over the transaction's id before it goes on
    std::optional<std::size_t> add_to(exchange& trip, bool tell);

    /// Another writer of a stream without a lock was faster: nothing was written, and the same batch fits behind it.
    [[nodiscard]] bool may_be_repeated(const statement_error& refusal) const;
    /// The brokers of an event that was refused because one of them has no number yet; none when it is something else.
    /// Nothing was written, and the same batch fits once they have.
    [[nodiscard]] std::vector<std::string> brokers_without_number(const statement_error& refusal) const;
    /// Throws what the refusal means to a unit of work.
    /// @throws expected_version_error, duplicate_message, duplicate_outcome, lease_lost
    /// @throws statement_error  anything else
    [[noreturn]] void explain(const statement_error& refusal) const;

private:
    /// What a statement of the round trip is about.
    using subject =
        std::variant<std::monostate, const inbox_mark*, const command_outcome*, const state_write*, const cancellation*,
                     const lease_fence*, const projection_guard*, const row_write*, const event_write*>;

    void add(exchange& trip, const statement& what, const parameters& with, subject about);
    [[nodiscard]] std::size_t tell_transaction(exchange& trip);
    void add_marks(exchange& trip);
    void add_outcomes(exchange& trip);
    /// The stream of all events when one lock after the one state's is all they need; else null.
    [[nodiscard]] const std::string* stream_behind_one_state() const noexcept;
    /// @param stream  to lock with the state; null: none
    void add_states(exchange& trip, const std::string* stream);
    void add_snapshots(exchange& trip);
    void add_schedule(exchange& trip);
    void add_fence(exchange& trip);
    void add_rows(exchange& trip);
    void add_kept(exchange& trip);
    [[nodiscard]] std::size_t lock_streams(exchange& trip);
    void check_positions(exchange& trip);
    void append_events(exchange& trip);

    commit_statements& sql_;
    const inside_statements& inside_;
    const std::string& schema_;
    const std::string& server_;
    const commit_batch& batch_;
    std::optional<date_time> our_time_;
    /// The event whose position another transaction took at the same time; null when it is something else.
    [[nodiscard]] const event_write* loser_of_race(const statement_error& refusal) const;

    std::vector<subject> subjects_;  ///< by place
};

}  // namespace sluice::store::postgresql
