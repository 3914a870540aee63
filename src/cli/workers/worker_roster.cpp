#include "cli/workers/worker_roster.hpp"

#include <algorithm>

#include "cli/terminal/exit_code.hpp"

namespace sluice::cli {

namespace {

/// A worker that lived this long is not one that fails at once.
constexpr auto long_life = std::chrono::minutes{1};

bool is_hopeless(const process_end& how) {
    return how.signal == 0 &&
           (how.code == static_cast<int>(exit_code::usage) || how.code == static_cast<int>(exit_code::configuration));
}

}  // namespace

worker_roster::worker_roster(int count, base::backoff pauses)
    : pauses_{pauses}, workers_(static_cast<std::size_t>(count)) {}

std::vector<int> worker_roster::due(instant now) const {
    std::vector<int> indexes;
    if (!may_start()) return indexes;
    for (std::size_t i = 0; i < workers_.size(); ++i) {
        if (!workers_[i].pid && workers_[i].since <= now) indexes.push_back(static_cast<int>(i) + 1);
    }
    return indexes;
}

std::optional<worker_roster::instant> worker_roster::next_start() const {
    std::optional<instant> next;
    if (!may_start()) return next;
    for (const worker& each : workers_) {
        if (!each.pid) next = next ? std::min(*next, each.since) : each.since;
    }
    return next;
}

void worker_roster::started(int index, pid_t pid, instant now) {
    worker& one = workers_.at(static_cast<std::size_t>(index) - 1);
    if (one.ever_started) ++one.restarts;
    one.ever_started = true;
    one.pid = pid;
    one.since = now;
}

void worker_roster::could_not_start(int index, instant now) {
    static_cast<void>(put_off(workers_.at(static_cast<std::size_t>(index) - 1), false, now));
}

void worker_roster::ready(pid_t pid) {
    for (worker& each : workers_) each.ready = each.ready || each.pid == pid;
}

worker_roster::consequence worker_roster::ended(pid_t pid, process_end how, instant now) {
    const auto found =
        std::find_if(workers_.begin(), workers_.end(), [&](const worker& each) { return each.pid == pid; });
    if (found == workers_.end()) return {};
    const int index = static_cast<int>(found - workers_.begin()) + 1;
    const bool first_start = found->restarts == 0 && !found->ready;
    const bool long_lived = now - found->since >= long_life;
    found->pid.reset();
    found->ready = false;
    if (stop_signal_) {
        // One that was still starting dies of the signal itself.
        all_in_order_ = all_in_order_ && how.code == 0 && (how.signal == 0 || how.signal == *stop_signal_);
        return {index, std::nullopt};
    }
    if (first_start && is_hopeless(how)) refusal_ = how.code;
    if (!may_start()) return {index, std::nullopt};
    return {index, put_off(*found, long_lived, now)};
}

void worker_roster::stop(int signal) noexcept {
    if (!stop_signal_) stop_signal_ = signal;
}

std::vector<pid_t> worker_roster::living() const {
    std::vector<pid_t> pids;
    for (const worker& each : workers_) {
        if (each.pid) pids.push_back(*each.pid);
    }
    return pids;
}

std::vector<http::worker_health> worker_roster::health() const {
    std::vector<http::worker_health> all;
    for (const worker& each : workers_) {
        all.push_back({.index = static_cast<int>(all.size()) + 1,
                       .pid = each.pid.value_or(0),
                       .ready = each.ready,
                       .restarts = each.restarts});
    }
    return all;
}

duration worker_roster::put_off(worker& one, bool long_lived, instant now) {
    one.failures = long_lived ? 1 : one.failures + 1;
    const duration pause = pauses_.delay(one.failures);
    one.since = now + pause;
    return pause;
}

}  // namespace sluice::cli
