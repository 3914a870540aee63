#include "cli/service/running_server.hpp"

#include <unistd.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <sluice/version.hpp>

#include "base/random.hpp"
#include "broker/broker.hpp"
#include "cli/terminal/failure.hpp"
#include "observe/log.hpp"

namespace sluice::cli {

namespace {

using observe::log;

/// The configuration says how long what is left of the telemetry may take.
constexpr duration longest_farewell = std::chrono::hours{1};

/// A worker of a supervisor that was killed drains for some seconds, and has the port of its successor meanwhile. So a
/// port in use is not a mistake of the configuration when it is a worker's: the supervisor tries again.
void start_health(std::optional<http::health_service>& health, commit::environment& env, const worker_role* role,
                  http::http_mount mounted) {
    try {
        health.emplace(
            env, http::health_options{
                     .port_offset = role == nullptr ? 0 : role->index, .timing = {}, .mounted = std::move(mounted)});
    } catch (const configuration_error& e) {
        if (role == nullptr) throw;
        throw failure{exit_code::unavailable, "port_in_use", e.what()};
    }
}

/// The console beside the probes, on their port; nothing where it is switched off or would be open to others.
std::unique_ptr<sluice::console::console> make_console(const operate::site& at, commit::environment& env) {
    const std::string& host = env.configuration().server.health.host;
    config::console_settings settings = sluice::console::load_settings(at);
    if (!sluice::console::is_wanted_at(settings, host, "server.health")) {
        log(observe::level::info, "console.off",
            {{"reason", settings.enabled ? "console.enabled is false"
                                         : "others can reach " + host + ", and nobody could prove who they are"}});
        return nullptr;
    }
    std::vector<std::unique_ptr<sluice::console::context>> contexts;
    contexts.push_back(std::make_unique<sluice::console::context>([at] { return operate::read_settings(at, ""); }, env,
                                                                  system_clock()));
    return std::make_unique<sluice::console::console>(
        sluice::console::console::options{.settings = std::move(settings), .host = host}, std::move(contexts),
        system_clock(), base::system_random());
}

}  // namespace

running_server::running_server(const operate::site& at, application opened, const worker_role* role)
    : opened_{std::move(opened)}, engine_{*opened_.env} {
    if (configuration().server.health.enabled) {
        console_ = make_console(at, *opened_.env);
        start_health(health_, *opened_.env, role,
                     console_ ? console_->mount(configuration().console_tls) : http::http_mount{});
    }
    metrics_.emplace(*opened_.env, opened_.exporter.get(), health_);
    engine_.start();
    if (health_) health_->watch(engine_);
    metrics_->watch(engine_);
    announce();
}

/// Says what runs, one line each, so that a log begins with the whole picture.
void running_server::announce() const {
    const commit::environment& env = *opened_.env;
    const auto& with = env.configuration();
    for (const auto& [name, database] : env.parts().databases) {
        const bool built_in = with.databases.at(name).built_in;
        log(observe::level::info, "server.database",
            {{"name", name}, {"at", database->describe()}, {"from", built_in ? "built-in" : "configuration"}});
    }
    for (const auto& [name, broker] : env.parts().brokers) {
        log(observe::level::info, "server.broker", {{"name", name}, {"at", broker->describe()}});
    }
    for (const engine::worker_status& each : engine_.status()) {
        if (each.what == engine::worker_status::kind::lane)
            log(observe::level::info, "server.lane", {{"name", each.name}});
        if (each.what == engine::worker_status::kind::subscription) {
            log(observe::level::info, "server.subscription", {{"name", each.name}});
        }
    }
    log(observe::level::info, "server.ready",
        {{"domain", env.domain().name},
         {"configuration", with.file},
         {"environment", with.environment},
         {"version", version()},
         {"pid", ::getpid()}});
}

void running_server::drain() noexcept {
    if (health_) health_->drain();
}

running_server::end running_server::stop() {
    const bool stopped = engine_.stop();
    if (opened_.exporter) static_cast<void>(opened_.exporter->flush_within(longest_farewell));
    const bool left = !health_ || health_->leave();
    if (!stopped) return end::stuck;
    return left ? end::clean : end::not_left;
}

}  // namespace sluice::cli
