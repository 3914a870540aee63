#include <unistd.h>

#include <chrono>
#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include <sluice/error.hpp>

#include "base/backoff.hpp"
#include "base/one_line.hpp"
#include "base/seconds.hpp"
#include "cli/commands/commands.hpp"
#include "cli/commands/log_settings.hpp"
#include "cli/service/running_server.hpp"
#include "cli/service/service_manager.hpp"
#include "cli/terminal/controlling_terminal.hpp"
#include "cli/terminal/stop_signals.hpp"
#include "cli/workers/init_process.hpp"
#include "cli/workers/worker_process.hpp"
#include "cli/workers/worker_supervisor.hpp"
#include "observe/log.hpp"
#include "observe/log_threshold.hpp"
#include "operate/configured_files.hpp"

namespace sluice::cli {

namespace {

using observe::log;

/// Where no manager wants to hear more often how the lanes are.
constexpr std::chrono::seconds look_at_lanes{10};

/// Nothing can be torn down safely when a handler does not return (its message was not committed and comes again) or a
/// broker keeps a check waiting.
[[noreturn]] void leave_at_once(running_server::end how) {
    observe::flush_log(std::chrono::seconds{1});
    _exit(static_cast<int>(how == running_server::end::stuck ? exit_code::failed : exit_code::ok));
}

/// A server from one signal to the next.
class service {
public:
    service(const session& in, const worker_role* role) : in_{in}, role_{role} {}

    int run() {
        server_ = std::make_unique<running_server>(in_.site, open_application(in_), role_);
        fingerprint_ = operate::fingerprint(server_->configuration());
        tell_ready();
        if (role_ != nullptr) role_->tell_ready();
        const int signal = wait_for_the_end();
        tell([](const service_manager& manager) { manager.tell_stopping(); });
        server_->drain();
        signals_.release();  // a second signal means: at once
        log(observe::level::info, "server.stopping", {{"signal", signal}});
        std::this_thread::sleep_for(drain_delay());
        const auto how = server_->stop();
        if (how != running_server::end::clean) leave_at_once(how);
        return static_cast<int>(exit_code::ok);
    }

private:
    int wait_for_the_end() {
        for (;;) {
            const auto signal = signals_.wait(manager_.interval().value_or(look_at_lanes));
            if (!signal) {
                tell_alive();
            } else if (*signal == SIGHUP && !terminal_.has_hung_up()) {
                reload();
            } else {
                return *signal;
            }
        }
    }

    /// A lane that hangs is told to the log once; the manager hears nothing as long as it does.
    void tell_alive() {
        const auto hanging = server_->find_hanging_lane(manager_.longest_step());
        const bool is_known = std::exchange(hangs_, hanging.has_value());
        if (!hanging) return tell([](const service_manager& manager) { manager.tell_alive(); });
        if (is_known) return;
        log(observe::level::error, "server.lane_hangs",
            {{"lane", hanging->name},
             {"seconds", base::seconds(hanging->in_step)},
             {"remedy", "start the process again, as the watchdog of systemd does"}});
    }

    /// A worker's manager is its parent.
    template <class Tell>
    void tell(const Tell& what) const {
        if (role_ == nullptr) what(manager_);
    }
    void tell_ready() const {
        const std::string status = "Running " + server_->configuration().file;
        tell([&](const service_manager& manager) { manager.tell_ready(status); });
    }
    [[nodiscard]] duration drain_delay() const {
        const config::health_settings& probes = server_->configuration().server.health;
        return probes.enabled ? base::from_seconds(probes.drain_delay_seconds) : duration{0};
    }

    /// Reads the configuration again. A level of the log holds at once; when anything else has changed, or a file with
    /// a certificate or a secret, the engine is replaced. What cannot be read or opened changes nothing.
    void reload() {
        tell([&](const service_manager& manager) {
            manager.tell_reloading(engine::usual_patience(server_->configuration()));
        });
        bool is_taken_over = true;
        try {
            const config::configuration next = operate::load_configuration(in_.site);
            observe::change_log_threshold(observe::level_named(next.log.level));
            std::string now = operate::fingerprint(next);
            const bool is_same = now == fingerprint_;
            if (!is_same) replace_with(open_application(in_));
            fingerprint_ = std::move(now);
            log(observe::level::info, "server.reloaded",
                {{"configuration", next.file},
                 {"log_level", next.log.level},
                 {"engine", is_same ? "kept" : "replaced"}});
        } catch (const error& e) {
            log(observe::level::error, "server.not_reloaded",
                {{"reason", base::one_line(e.what())}, {"remedy", "mend it and send SIGHUP again"}});
            if (!server_) throw;  // the former engine is gone: only a new process helps
            is_taken_over = false;
        }
        if (role_ != nullptr) is_taken_over ? role_->tell_ready() : role_->tell_not_reloaded();
        tell_ready();
    }

    /// What was opened has shown that its databases can be reached, before anything is given up for it.
    void replace_with(application opened) {
        const auto how = server_->stop();
        if (how != running_server::end::clean) leave_at_once(how);
        server_.reset();
        server_ = std::make_unique<running_server>(in_.site, std::move(opened), role_);
    }

    const session& in_;
    const worker_role* role_;
    const service_manager manager_;  // before there are other threads
    const controlling_terminal terminal_;
    stop_signals signals_;  // before the engine's threads, which inherit that they are blocked
    std::unique_ptr<running_server> server_;
    bool hangs_ = false;  ///< a lane does, and the log knows it
    std::string fingerprint_;
};

/// The engine in this process. @param role  of a worker; null when there is no supervisor
int serve(const session& in, const worker_role* role) {
    service served{in, role};
    observe::configure_log(to_log_settings(operate::load_configuration(in.site).log));
    return served.run();
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
