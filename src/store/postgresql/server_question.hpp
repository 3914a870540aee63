#pragma once

#include "store/postgresql/connection.hpp"
#include "store/server_state.hpp"

namespace sluice::store::postgresql {

/// Any role may ask. @throws store_error
[[nodiscard]] server_state ask_server(connection& db);

}  // namespace sluice::store::postgresql
