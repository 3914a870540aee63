#include <unistd.h>

#include <memory>
#include <optional>
#include <thread>

#include <sluice/version.hpp>

#include "base/backoff.hpp"
#include "broker/broker.hpp"
#include "cli/commands/commands.hpp"
#include "cli/commands/log_settings.hpp"
#include "cli/terminal/failure.hpp"
#include "cli/terminal/stop_signals.hpp"
#include "cli/workers/init_process.hpp"
#include "cli/workers/worker_process.hpp"
#include "cli/workers/worker_supervisor.hpp"
#include "engine/engine.hpp"
#include "http/health_service.hpp"
#include "observe/log.hpp"

namespace sluice::cli {

namespace {

using observe::log;

/// Says what runs, one line each, so that a log begins with the whole picture.
void announce(const commit::environment& env, const engine::engine& running) {
    const auto& with = env.configuration();
    for (const auto& [name, database] : env.parts().databases) {
        const bool built_in = with.databases.at(name).built_in;
        log(observe::level::info, "server.database",
            {{"name", name}, {"at", database->describe()}, {"from", built_in ? "built-in" : "configuration"}});
    }
    for (const auto& [name, broker] : env.parts().brokers) {
        log(observe::level::info, "server.broker", {{"name", name}, {"at", broker->describe()}});
    }
    for (const engine::worker_status& each : running.status()) {
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
         {"pid", getpid()}});
}

/// A worker of a supervisor that was killed drains for some seconds, and has the port of its successor meanwhile. So a
/// port in use is not a mistake of the configuration when it is a worker's: the supervisor tries again.
void start_health(std::optional<http::health_service>& health, commit::environment& env, const worker_role* role) {
    try {
        health.emplace(env, http::health_options{.port_offset = role == nullptr ? 0 : role->index});
    } catch (const configuration_error& e) {
        if (role == nullptr) throw;
        throw failure{exit_code::unavailable, "port_in_use", e.what()};
    }
}

/// The engine in this process. @param role  of a worker; null when there is no supervisor
int serve(const session& in, const worker_role* role) {
    stop_signals signals;  // before the engine's threads, which inherit that they are blocked
    observe::configure_log(to_log_settings(operate::load_configuration(in.site).log));
    const application opened = open_application(in);
    const config::health_settings& probes = opened.env->configuration().server.health;
    engine::engine running{*opened.env};
    std::optional<http::health_service> health;
    if (probes.enabled) {
        start_health(health, *opened.env, role);
    }
    running.start();
    if (health) health->watch(running);
    announce(*opened.env, running);
    if (role != nullptr) role->tell_ready();

    const int signal = signals.wait();
    if (health) health->drain();
    signals.release();  // a second signal means: at once
    log(observe::level::info, "server.stopping", {{"signal", signal}});
    if (health) std::this_thread::sleep_for(base::from_seconds(probes.drain_delay_seconds));
    const bool stopped = running.stop();
    const bool left = !health || health->leave();
    if (stopped && left) return static_cast<int>(exit_code::ok);
    // A handler does not return: its message was not committed and comes again. Or a broker keeps a check waiting.
    // Nothing here can be torn down safely.
    observe::flush_log(std::chrono::seconds{1});
    _exit(static_cast<int>(stopped ? exit_code::ok : exit_code::failed));
}

struct server_arguments {
    int workers = 0;  ///< 0: no supervisor was asked for
};

int start_server(const session& in, const server_arguments& given) {
    in.out.wait_for_nobody();
    if (const auto code = stay_behind_as_init()) return *code;
    if (const std::optional<worker_role> role = take_worker_role()) return serve(in, &*role);
    return given.workers > 0 ? supervise(in, given.workers) : serve(in, nullptr);
}

}  // namespace

void add_server(command& root) {
    const auto given = std::make_shared<server_arguments>();
    root.add("server", "Run the domain: one lane per broker, and the subscriptions")
        .number("--workers", "N", given->workers, {1, most_workers},
                "Run N processes, and start again those that die (1 to 64)")
        .runs(start_server, given);
}

}  // namespace sluice::cli
