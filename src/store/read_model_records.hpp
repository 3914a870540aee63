#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/detail/rows.hpp>
#include <sluice/time.hpp>

/// Read models as a store keeps them: one real table for each generation of a read model, and a register of which
/// generation counts.
namespace sluice::store {

/// Insertion order within one database; 0 is "before everything".
using sequence = std::int64_t;

/// One generation of a read model's table. Rebuilding makes the next one.
struct row_table {
    const detail::table_layout* layout = nullptr;  ///< outlives the call
    std::int64_t generation = 0;                   ///< 0: the one that counts now, as people's SQL sees it
};

/// `order_summary__g3`; `order_summary`, which is a view, for the one that counts.
[[nodiscard]] std::string physical_name(const row_table& table);

/// A row, and what it says when it changes: each write gives it another random number.
struct stored_row {
    std::string row{};  ///< JSON object text, a member for each column, null for a missing value
    std::int64_t version = 0;
};

struct row_write {
    row_table table{};
    std::string key{};
    std::string row{};         ///< JSON object text with this key in it; empty: the row is removed
    std::int64_t version = 0;  ///< what the row gets; never 0
    /// The row must still have this version, 0: must not be there; nothing: whatever is there.
    std::optional<std::int64_t> expected{};
};

/// The batch counts only while this generation of the read model does.
struct projection_guard {
    std::string name{};
    std::int64_t generation = 0;
};

/// What a projector must know before it handles a message.
struct projection_gate {
    std::int64_t generation = 0;
    std::string layout{};        ///< fingerprint of the generation that counts
    bool built = false;          ///< false: events older than the table are not in it yet
    bool done = false;           ///< the message has a mark, or the rebuild that made this generation has applied it
    bool other_content = false;  ///< not done, and another message of the same id has a mark
};

/// A rebuild under way.
struct rebuild_status {
    std::int64_t generation = 0;
    std::string layout{};
    sequence position = 0;  ///< every event up to here is in the new table
    date_time started_at{};
    date_time updated_at{};
};

/// A row of the register.
struct projection_status {
    std::string name{};
    std::int64_t generation = 0;
    std::string layout{};
    bool built = false;
    sequence floor = 0;  ///< events up to here came in by a rebuild
    std::optional<date_time> rebuilt_at{};
    std::optional<rebuild_status> rebuild{};
    std::string reader{};  ///< the consumer group that feeds it; empty while none was registered
};

/// The end of the log, and who may still write below it.
struct log_end {
    sequence head = 0;                ///< the highest number seen
    std::set<std::string> writers{};  ///< running transactions that write events; none where commits do not overlap
};

/// One step of a rebuild: rows of the new table, and how far the log has been read with them.
struct rebuild_step {
    std::int64_t generation = 0;
    sequence from = 0;  ///< the position that the register must have, else another rebuild is at work
    sequence upto = 0;
    std::vector<row_write> rows{};
    date_time at{};
};

}  // namespace sluice::store
