#include "http/watch.hpp"

#include <pthread.h>

#include <exception>

#include "base/one_line.hpp"
#include "observe/log.hpp"

namespace sluice::http {

void watch::start() {
    running_ = true;
    try {
        thread_ = std::jthread{[this, log = observe::log_route_of_this_thread()](const std::stop_token& stop) {
            const observe::log_scope scope{log};
            run(stop);
        }};
    } catch (...) {
        running_ = false;
        throw;
    }
}

bool watch::ended_by(instant deadline) {
    std::unique_lock lock{mutex_};
    return changed_.wait_until(lock, deadline, [this] { return !running_; });
}

vital_sign watch::sign() const {
    const std::lock_guard lock{mutex_};
    return signs_.at(instant_now());
}

void watch::run(const std::stop_token& stop) {
    constexpr std::size_t kept_by_kernel = 15;
    pthread_setname_np(pthread_self(), name_.substr(0, kept_by_kernel).c_str());
    while (!stop.stop_requested()) {
        look();
        std::unique_lock lock{mutex_};
        changed_.wait_for(lock, stop, timing_.interval, [] { return false; });
    }
    const std::lock_guard lock{mutex_};
    running_ = false;
    changed_.notify_all();
}

void watch::look() {
    {
        const std::lock_guard lock{mutex_};
        signs_.asked(instant_now());
    }
    std::string trouble;
    bool failed = false;
    try {
        check_();
    } catch (const std::exception& e) {
        failed = true;
        trouble = base::one_line(e.what());
    } catch (...) {
        failed = true;
        trouble = "something that is no std::exception";
    }
    const std::lock_guard lock{mutex_};
    if (failed) {
        signs_.failed(instant_now(), std::move(trouble));
    } else {
        signs_.answered(instant_now());
    }
}

}  // namespace sluice::http
