#pragma once

#include <memory>
#include <string>

#include <sluice/domain.hpp>

#include "commit/environment.hpp"
#include "config/configuration.hpp"
#include "config/providers.hpp"

namespace sluice::operate {

/// What an installation needs of the program around it: where domains come from, and the concrete adapters.
class host {
public:
    virtual ~host() = default;

    /// True when domains are loaded from libraries, so that one must be named.
    [[nodiscard]] virtual bool loads_domains() const = 0;
    /// @param which  path or name of a library; meaningless when the domain is linked in
    /// @throws configuration_error naming what was tried and why it failed
    [[nodiscard]] virtual std::unique_ptr<domain> load_domain(const std::string& which) const = 0;
    [[nodiscard]] virtual config::providers providers() const = 0;
    /// @throws configuration_error
    [[nodiscard]] virtual commit::adapters make_adapters(const config::configuration& configuration) const = 0;
};

}  // namespace sluice::operate
