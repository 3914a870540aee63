#include <sluice/run.hpp>

#include <sluice/error.hpp>

#include "app/compose.hpp"
#include "app/plugin_loader.hpp"
#include "app/program.hpp"
#include "cli/cli.hpp"
#include "operate/host.hpp"

namespace sluice {

namespace app {

namespace {

class composed_host : public operate::host {
public:
    [[nodiscard]] config::providers providers() const override { return available_providers(); }
    [[nodiscard]] commit::adapters make_adapters(const config::configuration& configuration) const override {
        return app::make_adapters(configuration);
    }
};

class loading_host final : public composed_host {
public:
    [[nodiscard]] bool loads_domains() const override { return true; }
    [[nodiscard]] std::unique_ptr<domain> load_domain(const std::string& which) const override {
        return app::load_domain(which, places_of_this_process());
    }
};

class linked_host final : public composed_host {
public:
    explicit linked_host(const std::function<domain()>& factory) : factory_{factory} {}

    [[nodiscard]] bool loads_domains() const override { return false; }
    [[nodiscard]] std::unique_ptr<domain> load_domain(const std::string& /*which*/) const override {
        try {
            return std::make_unique<domain>(factory_());
        } catch (const std::exception& e) {
            throw configuration_error{std::string{"the factory of the domain failed: "} + e.what()};
        }
    }

private:
    const std::function<domain()>& factory_;
};

}  // namespace

int run_program(int argc, const char* const* argv) { return cli::run_cli(argc, argv, loading_host{}); }

}  // namespace app

int run(int argc, const char* const* argv, const std::function<domain()>& factory) {
    return cli::run_cli(argc, argv, app::linked_host{factory});
}

}  // namespace sluice
