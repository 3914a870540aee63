#pragma once

#include <span>

#include "store/operations.hpp"
#include "store/sqlite/driver.hpp"

namespace sluice::store::sqlite {

/// One numbered step of the schema. Steps are applied in order and never changed once released.
struct migration {
    int number = 0;
    const char* name = nullptr;
    const char* sql = nullptr;
    /// Instead, where the step is applied to a file that has just been made. Leads to the same tables.
    const char* sql_of_new_file = nullptr;
};

[[nodiscard]] std::span<const migration> migrations();

[[nodiscard]] schema_status read_schema(connection& db);
/// Applies what is missing, in one transaction. Several processes may do it at once.
/// @throws store_error  the file was made by a newer Sluice
void migrate(connection& db);
/// @throws store_error  the schema is absent, older or newer than this build needs; names the remedy
void require_current(connection& db);

}  // namespace sluice::store::sqlite
