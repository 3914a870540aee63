#pragma once

#include <string>
#include <vector>

#include <sluice/json.hpp>

#include "operate/installation.hpp"
#include "store/store.hpp"

/// The schema and the history of databases. Databases are treated one after the other, so that what was done to one is
/// known although the next one fails.
namespace sluice::operate {

/// What `set_up` did to one database.
struct database_setup {
    std::string database;
    std::string provider;  ///< a few words for people: `sqlite shop.db`
    int before = 0;        ///< number of the newest migration; 0: it was empty
    int after = 0;
};

/// Applies the pending migrations, and claims the database for a domain. @param domain  empty: for none
/// @throws store_error
[[nodiscard]] database_setup set_up(const std::string& name, store::database& database, const std::string& domain);
/// Makes the tables of read models, which are declared by a domain; without one there are none to make. Returns the
/// names of those that were made.
/// @throws configuration_error, store_error
[[nodiscard]] std::vector<std::string> make_read_models(const site& at, const installation& with);

/// The schema of one database and what is known of its history.
struct schema_view {
    std::string database;
    std::string provider;
    store::schema_status schema{};
    store::database_history history{};  ///< empty unless the schema is current
    std::vector<store::history_fault> faults{};

    [[nodiscard]] bool is_current() const noexcept { return schema.applied == schema.expected; }
    [[nodiscard]] bool is_sound() const;
};

/// @throws store_error
[[nodiscard]] schema_view read_schema(const std::string& name, store::database& database);

/// What `db adopt` was asked for.
struct adoption_request {
    std::string database{};  ///< empty: all
    bool copy = false;       ///< it becomes a database of its own, apart from the one that it is a copy of
    bool rename = false;     ///< it goes to the domain's present name
};

/// What is to be done to each database.
/// @throws request_error for a database that is not configured, or a new name when no domain is known
[[nodiscard]] store::adoption to_adoption(const site& at, const installation& with, const adoption_request& asked);

/// What came of it, for one database.
struct adopted_database {
    std::string database;
    std::string provider;
    store::adopted done;
};

/// @throws store_error
[[nodiscard]] adopted_database adopt(const std::string& name, store::database& database, const store::adoption& how);

[[nodiscard]] json::value to_json(const std::vector<database_setup>& databases,
                                  const std::vector<std::string>& read_models);
[[nodiscard]] json::value to_json(const std::vector<schema_view>& databases);
[[nodiscard]] json::value to_json(const std::vector<adopted_database>& databases);

}  // namespace sluice::operate
