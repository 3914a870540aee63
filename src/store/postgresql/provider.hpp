#pragma once

#include "store/postgresql/postgresql_database.hpp"
#include "store/provider.hpp"

namespace sluice::store {

[[nodiscard]] const provider& postgresql_provider();

/// What the settings of one such database come to.
[[nodiscard]] postgresql_options read_postgresql_options(const config::database_settings& settings);

}  // namespace sluice::store
