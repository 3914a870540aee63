#pragma once

#include <memory>

#include "config/configuration.hpp"
#include "config/provider.hpp"
#include "store/store.hpp"

namespace sluice::store {

/// What a store's adapter says of itself, and how to make one.
class provider : public config::database_provider {
public:
    /// Opens nothing.
    /// @param settings  of one database of this provider, as the loader has checked them
    /// @throws configuration_error  the address cannot be used; it is not quoted
    [[nodiscard]] virtual std::unique_ptr<database> make(const config::database_settings& settings) const = 0;
};

}  // namespace sluice::store
