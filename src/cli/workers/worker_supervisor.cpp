#include "cli/workers/worker_supervisor.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <memory>
#include <mutex>
#include <system_error>

#include <sluice/error.hpp>
#include <sluice/version.hpp>

#include "base/one_line.hpp"
#include "base/unique_fd.hpp"
#include "cli/commands/log_settings.hpp"
#include "cli/service/service_manager.hpp"
#include "cli/terminal/controlling_terminal.hpp"
#include "cli/terminal/stop_signals.hpp"
#include "cli/workers/reload_round.hpp"
#include "cli/workers/worker_process.hpp"
#include "cli/workers/worker_roster.hpp"
#include "engine/engine.hpp"
#include "http/metrics.hpp"
#include "http/server.hpp"
#include "http/worker_health.hpp"
#include "observe/log.hpp"
#include "observe/log_threshold.hpp"

namespace sluice::cli {

namespace {

using observe::level;
using observe::log;
using steady = std::chrono::steady_clock;

/// What a worker may need beyond its drain before it is killed.
constexpr auto grace = std::chrono::seconds{5};
constexpr int port_limit = 65535;

void require_several_can_run(const config::configuration& with, int workers) {
    for (const auto& [name, database] : with.databases) {
        if (database.kind->is_shared_between_processes()) continue;
        throw configuration_error{"databases." + name +
                                  " is in memory, so that each worker would have one of its own; use a database that "
                                  "processes share, or run without --workers"};
    }
    const config::health_settings& health = with.server.health;
    if (health.enabled && health.port != 0 && health.port + workers > port_limit) {
        throw configuration_error{"server.health.port = " + std::to_string(health.port) + " leaves no ports for " +
                                  std::to_string(workers) + " workers, which use those after it; choose a lower one"};
    }
}

/// SIGCHLD as something to wait for; other threads inherit that it is blocked.
base::unique_fd watch_children() {
    ::signal(SIGCHLD, SIG_DFL);  // ignored by whoever started us, it would take the exit codes away
    sigset_t child{};
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    pthread_sigmask(SIG_BLOCK, &child, nullptr);
    base::unique_fd fd{signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK)};
    if (!fd) throw std::system_error{errno, std::generic_category(), "cannot wait for workers"};
    return fd;
}

sigset_t current_mask() {
    sigset_t mask{};
    pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    return mask;
}

process_end end_of(int status) {
    if (WIFSIGNALED(status)) return {.code = 0, .signal = WTERMSIG(status)};
    return {.code = WEXITSTATUS(status), .signal = 0};
}

std::string to_text(const process_end& how) {
    return how.signal != 0 ? "signal " + std::to_string(how.signal) : "exit code " + std::to_string(how.code);
}

/// What the HTTP thread may read while the supervisor works.
class notice_board {
public:
    explicit notice_board(std::vector<http::worker_health> workers) : workers_{std::move(workers)} {}

    void post(http::phase at, std::vector<http::worker_health> workers) {
        const std::lock_guard lock{mutex_};
        at_ = at;
        workers_ = std::move(workers);
    }

    [[nodiscard]] http::http_answer answer(const http::http_request& request) const {
        using http::readiness;
        const std::string& path = request.path;
        if (path == "/healthz" || path == "/livez") {
            return {.body = json::dump(
                        json::object{{"status", "ok"}, {"checks", json::object{{"event_loop", "responsive"}}}},
                        json::style::python)};
        }
        const std::lock_guard lock{mutex_};
        if (path == "/readyz") {
            const bool ready = http::decide(at_, workers_) == readiness::ok;
            return {.status = ready ? 200U : 503U,
                    .body = json::dump(http::to_json(at_, workers_), json::style::python)};
        }
        if (path == "/metrics") {
            const http::metrics_format format = http::choose_metrics_format(request.list("accept"));
            const auto uptime = std::chrono::duration_cast<duration>(steady::now() - begin_);
            return {.content_type = http::content_type_of(format),
                    .body = http::render_metrics(workers_, uptime, format)};
        }
        return {.status = 404, .body = R"({"error": "Not Found"})"};
    }

private:
    const steady::time_point begin_ = steady::now();
    mutable std::mutex mutex_;
    http::phase at_ = http::phase::running;
    std::vector<http::worker_health> workers_;
};

/// The shell around the roster: starts, waits, hands signals on, collects.
class supervisor {
public:
    supervisor(const operate::site& site, const config::configuration& with, int workers,
               const sigset_t& worker_signals)
        : site_{site},
          server_{with.server},
          launcher_{worker_signals},
          roster_{workers},
          round_{base::from_seconds(with.server.health.drain_delay_seconds) + engine::usual_patience(with) + grace},
          board_{roster_.health()} {
        const config::health_settings& health = server_.health;
        if (!health.enabled) return;
        constexpr int most_increments = 100;
        probes_ = std::make_unique<http::http_server>(
            http::http_settings{.host = health.host,
                                .port = static_cast<std::uint16_t>(health.port),
                                .ports_to_try = health.port_auto_increment ? most_increments : 1},
            [this](const http::http_request& request) { return board_.answer(request); }, "server.health.port");
        log(level::info, "health.listening", {{"address", probes_->address()}});
    }

    int run(stop_signals& signals) {
        for (;;) {
            start_due();
            reload_next();
            post();
            wait(signals);
            read_words();
            collect();
            if (const auto signal = signals.poll()) obey(*signal, signals);
            tell_manager();
            if (roster_.refusal() && !told_) tell(SIGTERM);
            kill_late();
            if (told_ && roster_.living().empty()) break;
        }
        post();
        log(level::info, "supervisor.stopped", {{"exit_code", roster_.exit_code()}});
        return roster_.exit_code();
    }

private:
    void start_due() {
        for (const int index : roster_.due(steady::now())) {
            try {
                worker_process process = launcher_.start(index);
                roster_.started(index, process.pid, steady::now());
                pipes_.insert_or_assign(process.pid, std::move(process.says));
                log(level::info, "supervisor.worker_started", {{"worker", index}, {"pid", process.pid}});
            } catch (const std::system_error& e) {
                roster_.could_not_start(index, steady::now());
                log(level::error, "supervisor.no_worker", {{"worker", index}, {"reason", e.what()}});
            }
        }
    }

    /// Until something happened, or something is due.
    void wait(const stop_signals& signals) const {
        std::vector<pollfd> waited{{.fd = signals.fd(), .events = POLLIN, .revents = 0},
                                   {.fd = children_.get(), .events = POLLIN, .revents = 0}};
        for (const auto& [pid, pipe] : pipes_) waited.push_back({.fd = pipe.get(), .events = POLLIN, .revents = 0});
        auto until = roster_.next_start();
        if (told_ && !killed_) until = kill_at_;
        if (const auto late = round_.until()) until = std::min(until.value_or(*late), *late);
        if (const auto interval = manager_.interval(); interval && !told_) {
            until = std::min(until.value_or(steady::time_point::max()), steady::now() + *interval);
        }
        int timeout = -1;
        if (until) {
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(*until - steady::now()).count();
            timeout = static_cast<int>(std::max<decltype(left)>(left, 0));
        }
        ::poll(waited.data(), waited.size(), timeout);  // whatever ended it: look again
    }

    void read_words() {
        for (auto at = pipes_.begin(); at != pipes_.end();) {
            char word = 0;
            ssize_t count = 0;
            while ((count = ::read(at->second.get(), &word, 1)) == 1) hear(at->first, word);
            const bool waits = count < 0 && (errno == EAGAIN || errno == EINTR);
            at = waits ? std::next(at) : pipes_.erase(at);
        }
    }

    void hear(pid_t pid, char word) {
        const bool is_ready = word == worker_role::ready;
        if (is_ready) roster_.ready(pid);
        round_.answered(pid, is_ready);
    }

    void collect() {
        signalfd_siginfo ignored{};
        while (::read(children_.get(), &ignored, sizeof ignored) > 0) {
        }
        for (const pid_t pid : roster_.living()) {  // only ours: the application may have other children
            int status = 0;
            if (::waitpid(pid, &status, WNOHANG) == pid) bury(pid, end_of(status));
        }
    }

    void bury(pid_t pid, const process_end& how) {
        pipes_.erase(pid);
        round_.ended(pid);
        const bool expected = roster_.stopping();
        const auto [index, again_in] = roster_.ended(pid, how, steady::now());
        constexpr int micros_per_milli = 1000;
        log(expected ? level::info : level::error, "supervisor.worker_ended",
            {{"worker", index},
             {"pid", pid},
             {"by", to_text(how)},
             {"again_in", again_in ? std::to_string(again_in->count() / micros_per_milli) + "ms" : "never"}});
    }

    void obey(int signal, stop_signals& signals) {
        if (signal == SIGHUP && !terminal_.has_hung_up()) {
            reload();
        } else {
            stop(signal, signals);
        }
    }

    /// Each worker reads the configuration again by itself, those that serve one after the other; what is of the parent
    /// alone is the level of its log.
    void reload() {
        log(level::info, "supervisor.reloading", {{"workers", roster_.living().size()}});
        std::vector<pid_t> serving;
        for (const http::worker_health& each : roster_.health()) {
            if (each.pid == 0) continue;
            if (each.ready) {
                serving.push_back(each.pid);
            } else {
                ::kill(each.pid, SIGHUP);  // it may have read the former one
            }
        }
        round_.begin(std::move(serving));
        try {
            observe::change_log_threshold(observe::level_named(operate::load_configuration(site_).log.level));
        } catch (const error& e) {
            log(level::error, "supervisor.not_reloaded", {{"reason", base::one_line(e.what())}});
        }
    }

    void reload_next() {
        if (told_) return;
        round_.time_is(steady::now());
        if (const auto left_alone = round_.left_alone()) {
            log(level::error, "supervisor.not_reloaded",
                {{"reason", "a worker did not take the new configuration over"},
                 {"left_alone", *left_alone},
                 {"remedy", "see its log, mend it and send SIGHUP again"}});
        }
        if (const auto pid = round_.next(steady::now())) ::kill(*pid, SIGHUP);
    }

    /// Ready when every worker has been so once: from then on the parent starts again what dies.
    void tell_manager() {
        if (told_) return;
        const auto workers = roster_.health();
        if (!is_ready_ && std::ranges::all_of(workers, [](const auto& each) { return each.ready; })) {
            is_ready_ = true;
            manager_.tell_ready("Running " + std::to_string(workers.size()) + " workers");
        } else {
            manager_.tell_alive();
        }
    }

    void stop(int signal, stop_signals& signals) {
        log(level::info, "supervisor.stopping", {{"signal", signal}});
        manager_.tell_stopping();
        tell(signal == SIGHUP ? SIGTERM : signal);
        post();
        signals.release();  // a second signal means: at once; the kernel tells the workers
    }

    void tell(int signal) {
        if (told_) return;
        told_ = true;
        roster_.stop(signal);
        kill_at_ = steady::now() + base::from_seconds(server_.health.drain_delay_seconds) +
                   base::from_seconds(server_.shutdown_seconds) + grace;
        for (const pid_t pid : roster_.living()) ::kill(pid, signal);
    }

    void kill_late() {
        if (!told_ || killed_ || steady::now() < kill_at_) return;
        killed_ = true;
        for (const pid_t pid : roster_.living()) {
            log(level::error, "supervisor.worker_killed", {{"pid", pid}, {"reason", "did not stop"}});
            ::kill(pid, SIGKILL);
        }
    }

    void post() {
        using http::phase;
        board_.post(told_ ? phase::draining : phase::running, roster_.health());
    }

    const operate::site& site_;
    const config::server_settings server_;
    const service_manager manager_;
    const controlling_terminal terminal_;
    base::unique_fd children_ = watch_children();  // before the HTTP thread, which inherits the mask
    worker_launcher launcher_;
    worker_roster roster_;
    reload_round round_;
    std::map<pid_t, base::unique_fd> pipes_;  ///< of those that may say something
    bool told_ = false;                       ///< to stop
    bool killed_ = false;
    bool is_ready_ = false;  ///< as the service manager was told
    steady::time_point kill_at_{};
    notice_board board_;
    std::unique_ptr<http::http_server> probes_;  // last: gone before the board
};

}  // namespace

int supervise(const session& in, int workers) {
    const sigset_t worker_signals = current_mask();
    stop_signals signals;
    const config::configuration with = operate::load_configuration(in.site);
    observe::configure_log(to_log_settings(with.log));
    require_several_can_run(with, workers);
    supervisor all{in.site, with, workers, worker_signals};
    log(level::info, "supervisor.ready", {{"workers", workers}, {"version", version()}, {"pid", ::getpid()}});
    return all.run(signals);
}

}  // namespace sluice::cli
