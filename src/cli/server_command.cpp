#include <CLI/CLI.hpp>
#include <unistd.h>

#include <map>

#include <sluice/version.hpp>

#include "cli/commands.hpp"
#include "cli/failure.hpp"
#include "cli/stop_signals.hpp"
#include "engine/engine.hpp"
#include "observe/log.hpp"

namespace sluice::cli {

namespace {

using observe::log;

observe::log_settings to_log_settings(const config::log_section& from) {
    static const std::map<std::string, observe::level> levels{
        {"trace", observe::level::trace}, {"debug", observe::level::debug}, {"info", observe::level::info},
        {"warn", observe::level::warn},   {"error", observe::level::error}, {"off", observe::level::off}};
    return {.threshold = levels.at(from.level),
            .format = from.format == "json" ? observe::log_format::json : observe::log_format::text};
}

/// Says what runs, one line each, so that a log begins with the whole picture.
void announce(const commit::environment& env, const engine::engine& running) {
    const auto& with = env.configuration();
    for (const auto& [name, database] : env.parts().databases) {
        log(observe::level::info, "server.database", {{"name", name}, {"at", database->describe()}});
    }
    for (const auto& [name, broker] : env.parts().brokers) {
        log(observe::level::info, "server.broker", {{"name", name}, {"at", broker->describe()}});
    }
    for (const engine::worker_status& each : running.status()) {
        if (each.what == engine::worker_status::kind::lane) log(observe::level::info, "server.lane", {{"name", each.name}});
        if (each.what == engine::worker_status::kind::subscription) {
            log(observe::level::info, "server.subscription", {{"name", each.name}});
        }
    }
    log(observe::level::info, "server.ready",
        {{"domain", env.domain().name},
         {"configuration", with.file},
         {"environment", with.environment},
         {"version", version()},
         {"pid", std::to_string(getpid())}});
}

int serve(const session& in) {
    stop_signals signals;  // before the engine's threads, which inherit that they are blocked
    observe::configure_log(to_log_settings(load_configuration(in).log));
    const application opened = open_application(in);
    engine::engine running{*opened.env};
    running.start();
    announce(*opened.env, running);

    const int signal = signals.wait();
    signals.release();  // a second signal means: at once
    log(observe::level::info, "server.stopping", {{"signal", std::to_string(signal)}});
    if (running.stop()) return static_cast<int>(exit_code::ok);
    // A handler does not return. Its message was not committed and comes again; nothing here can be torn down safely.
    _exit(static_cast<int>(exit_code::failed));
}

}  // namespace

void add_server(CLI::App& app, session& in, action& chosen) {
    CLI::App* command = app.add_subcommand("server", "Run the domain: one lane per broker, and the subscriptions");
    command->callback([&] { chosen = [&in] { return serve(in); }; });
}

}  // namespace sluice::cli
