#pragma once

#include <string_view>

#include <sluice/registry.hpp>

#include "commit/environment.hpp"
#include "config/configuration.hpp"

/// Are the tables of a domain's databases there, and of this build.
namespace sluice::engine {

/// Sets up embedded databases that are empty; refuses those that an older or newer Sluice, or another domain, has set
/// up, and servers' databases that nobody has.
/// @param remedy  what makes or updates the tables: "run `sluice db setup`"
/// @throws store_error naming the database, both schemas and the remedy
void require_current_schemas(const detail::registry& domain, const config::configuration& configuration,
                             const commit::adapters& parts, std::string_view remedy);

/// Applies the pending migrations of every database and claims it for the domain, and makes the tables of read models.
/// @throws store_error
void set_up(const detail::registry& domain, const commit::adapters& parts);

}  // namespace sluice::engine
