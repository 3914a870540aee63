#pragma once

#include <exception>
#include <optional>
#include <string_view>

#include "sqlite/connection.hpp"
#include "sqlite/statement.hpp"
#include "sqlite/time_text.hpp"
#include "sqlite/transaction.hpp"
#include "store/sqlite/sqlite_database.hpp"

/// SQLite as this store uses it.
namespace sluice::store::sqlite {

using sluice::sqlite::any_value;
using sluice::sqlite::connection;
using sluice::sqlite::rows;
using sluice::sqlite::savepoint;
using sluice::sqlite::statement;
using sluice::sqlite::to_sql;
using sluice::sqlite::transaction;

/// A `store_error` with the file's name, SQLite's own words and a remedy: an outage when the file cannot be used,
/// retryable when it was busy, in doubt when the disk failed while a commit was being written.
[[nodiscard]] std::exception_ptr to_store_error(const sluice::sqlite::failure& what);

[[nodiscard]] sluice::sqlite::connection_options driver_options(const sqlite_options& options);

/// NULL instead of an empty text.
[[nodiscard]] std::optional<std::string_view> or_null(std::string_view text);

}  // namespace sluice::store::sqlite
