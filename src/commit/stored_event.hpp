#pragma once

#include <optional>

#include <sluice/json.hpp>
#include <sluice/registry.hpp>

#include "store/records.hpp"

namespace sluice::commit {

/// An event of the log, in its current version.
struct stored_event {
    const detail::event_entry* entry = nullptr;
    json::value data;
};

/// Reads an event of the log; nothing when the domain does not know its type.
/// @throws decode_error when its data is no JSON, or an upcaster threw
[[nodiscard]] std::optional<stored_event> read_stored_event(const detail::registry& domain,
                                                            const store::logged_event& event);

}  // namespace sluice::commit
