#pragma once

#include <memory>
#include <string>

#include <sluice/domain.hpp>

#include "commit/environment.hpp"
#include "config/providers.hpp"

namespace sluice::cli {

/// What the commands need of the program around them: where domains come from, and the concrete adapters.
class cli_host {
public:
    virtual ~cli_host() = default;

    /// True when domains are loaded from libraries: then there is a `--domain`.
    [[nodiscard]] virtual bool loads_domains() const = 0;
    /// @param which  value of `--domain`; meaningless when the domain is linked in
    /// @throws configuration_error naming what was tried and why it failed
    [[nodiscard]] virtual std::unique_ptr<domain> load_domain(const std::string& which) const = 0;
    [[nodiscard]] virtual config::providers providers() const = 0;
    /// @throws configuration_error
    [[nodiscard]] virtual commit::adapters make_adapters(const config::configuration& configuration) const = 0;
};

/// The whole command line: reads the arguments, runs one command, returns its exit code. Never throws.
/// Call it before the process has other threads: `server` and `process -` wait for SIGINT and SIGTERM.
[[nodiscard]] int run_cli(int argc, const char* const* argv, const cli_host& host) noexcept;

}  // namespace sluice::cli
