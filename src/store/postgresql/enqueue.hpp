#pragma once

#include <string>

#include "store/placeable_event.hpp"

struct pg_conn;

namespace sluice::store {

/// Writes an event on somebody else's connection, in the transaction that is open there. Returns its message id.
/// Three round trips. Other writers of the stream wait until that transaction ends.
/// @param schema  of Sluice's tables
/// @throws usage_error  no usable transaction is open; store_error  the server refused, the transaction is lost
std::string enqueue(pg_conn& connection, const std::string& schema, const placeable_event& event);

}  // namespace sluice::store
