#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "store/operations.hpp"
#include "store/postgresql/connection.hpp"

namespace sluice::store::postgresql {

/// SQL with `@name` for each table or function of Sluice's, as SQL for one schema. No statement relies on the session's
/// search path. The name of the schema is a plain identifier, so it needs no quoting of its own.
[[nodiscard]] std::string in_schema(std::string_view sql, std::string_view schema);

/// The schema of the tables: what is there, and how to bring it up to date.
class migrations {
public:
    explicit migrations(std::string schema) : schema_{std::move(schema)} {}

    [[nodiscard]] schema_status read(connection& db) const;
    /// Applies what is missing, each step in a transaction of its own. Several processes may do it at once.
    /// @throws store_error  the tables were made by a newer Sluice, or the server is too old
    void apply(connection& db) const;
    /// @throws store_error  the tables are absent, older or newer than this build needs; names the remedy
    void require_current(connection& db) const;

private:
    [[nodiscard]] int applied(connection& db) const;

    std::string schema_;
};

}  // namespace sluice::store::postgresql
