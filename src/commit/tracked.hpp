#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sluice/aggregate.hpp>
#include <sluice/error.hpp>
#include <sluice/registry.hpp>

#include "store/records.hpp"

namespace sluice::commit {

enum class standing { loaded, added, removed };

/// An aggregate that a unit of work holds.
struct tracked {
    const detail::aggregate_entry* type = nullptr;
    std::string id{};
    std::unique_ptr<aggregate_root> object{};
    standing state = standing::loaded;
    int raised = 0;                            ///< events so far in this unit
    std::optional<store::event_write> fact{};  ///< of what changed so far in this unit

    /// Stored as state: the encoded state as read, to see what changed.
    std::string baseline{};

    /// Stored as events: what was read, and after `collect` what the new events make of it.
    std::unique_ptr<aggregate_root> told{};
    std::int64_t snapshot_version = -1;  ///< of the snapshot that loading began with
};

/// For error texts: Order `o-1`.
[[nodiscard]] inline std::string quoted(const detail::aggregate_entry& type, std::string_view id) {
    return type.name + " `" + std::string{id} + "`";
}

/// Adds every rule that the aggregate breaks, its field as `Order.total`.
inline void add_violations(const tracked& entry, std::vector<violation>& to) {
    for (violation& broken : entry.type->validate(*entry.object)) {
        to.push_back({entry.type->name + "." + broken.field, std::move(broken.message)});
    }
}

/// The version that the commit will write: one more for any change of a state, one more for each event of a history.
[[nodiscard]] inline std::int64_t next_version(const tracked& entry) {
    return entry.object->version() + (entry.type->sourcing ? entry.raised : 1);
}

}  // namespace sluice::commit
