#pragma once

#include <memory>

#include "broker/broker.hpp"
#include "config/configuration.hpp"
#include "config/provider.hpp"

namespace sluice::broker {

/// What a broker's adapter says of itself, and how to make one.
class provider : public config::broker_provider {
public:
    /// Opens nothing.
    /// @param settings  of one broker of this provider, as the loader has checked them
    /// @throws configuration_error  the address cannot be used; it is not quoted
    [[nodiscard]] virtual std::unique_ptr<broker> make(const config::broker_settings& settings) const = 0;
};

}  // namespace sluice::broker
