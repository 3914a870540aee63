#pragma once

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

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

    [[nodiscard]] virtual std::optional<stored_state> load(std::string_view aggregate, std::string_view id) = 0;
    /// @throws usage_error  `equals` is no JSON scalar, or the field's name holds a quote or a backslash
    [[nodiscard]] virtual std::vector<stored_state> find(std::string_view aggregate, const state_query& query) = 0;
    /// True when the handler has already dealt with that message.
    [[nodiscard]] virtual bool is_marked(std::string_view message_id, std::string_view handler) = 0;

    /// Writes the batch in one durable transaction. Appends events in the order given; gives each the next `seq` and
    /// its stream's next position, counted from 0. On any error nothing was written, unless the error says
    /// `in_doubt()`.
    ///
    /// @throws expected_version_error  an aggregate was inserted twice, is gone or has moved on, or a stream position
    ///         is taken; names aggregate, id and expected version
    /// @throws duplicate_message  an inbox mark or a message id exists already
    /// @throws store_error  retryable when the database was busy or unreachable before the commit was sent
    virtual void commit(const commit_batch& batch) = 0;
};

/// The message was handled before: the whole batch was rolled back and the caller acknowledges the message.
class duplicate_message : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

}  // namespace sluice::store
