#include "engine/worker.hpp"

#include <pthread.h>

#include <exception>

#include "base/one_line.hpp"
#include "observe/log.hpp"

namespace sluice::engine {

namespace {

/// A loop that lived this long is not one that fails at once: its next pause is the first one again.
constexpr auto long_life = std::chrono::minutes{1};

/// Shows in debuggers and `top -H`; the kernel keeps 15 bytes.
void name_this_thread(const std::string& name) {
    constexpr std::size_t kept = 15;
    pthread_setname_np(pthread_self(), name.substr(0, kept).c_str());
}

}  // namespace

void worker::start() {
    set_running(true);
    try {
        thread_ = std::jthread{[this, log = observe::log_route_of_this_thread()](const std::stop_token& stop) {
            const observe::log_scope scope{log};
            supervise(stop);
        }};
    } catch (...) {
        set_running(false);
        throw;
    }
}

bool worker::ended_by(std::chrono::steady_clock::time_point deadline) {
    std::unique_lock lock{mutex_};
    return changed_.wait_until(lock, deadline, [this] { return !health_.running; });
}

worker::health worker::state() const {
    const std::lock_guard lock{mutex_};
    return health_;
}

void worker::supervise(const std::stop_token& stop) {
    name_this_thread(name_);
    int failures = 0;
    while (!stop.stop_requested()) {
        const auto begin = std::chrono::steady_clock::now();
        const std::string failure = attempt(stop);
        if (stop.stop_requested() && failure.empty()) break;

        failures = std::chrono::steady_clock::now() - begin >= long_life ? 1 : failures + 1;
        const duration pause = pauses_.delay(failures);
        observe::log(
            observe::level::error, "engine.worker_failed",
            {{"worker", name_}, {"reason", failure}, {"again_in", std::to_string(pause.count() / 1000) + "ms"}});
        std::unique_lock lock{mutex_};
        health_.last_failure = failure;
        ++health_.restarts;
        health_.waiting = true;
        changed_.wait_for(lock, stop, pause, [] { return false; });
        health_.waiting = false;
    }
    set_running(false);
}

/// Empty when the loop returned because of the stop.
std::string worker::attempt(const std::stop_token& stop) {
    try {
        body_(stop);
        return stop.stop_requested() ? "" : "it ended by itself";
    } catch (const std::exception& e) {
        return base::one_line(e.what());
    } catch (...) {
        return "something that is no std::exception";
    }
}

void worker::set_running(bool running) {
    const std::lock_guard lock{mutex_};
    health_.running = running;
    changed_.notify_all();
}

}  // namespace sluice::engine
