#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "store/audit.hpp"
#include "store/confirmation.hpp"
#include "store/postgresql/connection.hpp"

namespace sluice::store::postgresql {

/// What the tables say of the events `after` < seq ≤ `upto` at one broker, in one snapshot.
/// @throws store_error
[[nodiscard]] audit_page read_audit_page(connection& db, const std::string& schema, std::string_view broker,
                                         sequence after, sequence upto);

/// What of them is published.
/// @throws store_error
[[nodiscard]] std::vector<confirmation> read_confirmations(connection& db, const std::string& schema,
                                                           std::string_view broker, sequence after, sequence upto);

}  // namespace sluice::store::postgresql
