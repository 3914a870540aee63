#pragma once

#include <string>

#include "store/placeable_event.hpp"

struct sqlite3;

namespace sluice::store {

/// Writes an event on somebody else's connection, in the transaction that is open there, whole or not at all. Returns
/// its message id.
/// @throws usage_error  no transaction is open; store_error  the database refused, the transaction goes on
std::string enqueue(sqlite3& connection, const placeable_event& event);

}  // namespace sluice::store
