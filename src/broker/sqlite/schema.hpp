#pragma once

#include "broker/sqlite/driver.hpp"

namespace sluice::broker::sqlite {

/// Switches the file to WAL and applies the numbered migrations that it lacks. Safe from several processes at once. A
/// file that can only be read must have them.
/// @throws outage also when the file was made by a newer Sluice
void prepare_schema(connection& db, const std::filesystem::path& file);

}  // namespace sluice::broker::sqlite
