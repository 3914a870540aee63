#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include <sys/types.h>

#include "base/backoff.hpp"
#include "http/worker_health.hpp"

namespace sluice::cli {

/// How a process ended.
struct process_end {
    int code = 0;    ///< exit code, when no signal ended it
    int signal = 0;  ///< 0: none
};

/// Decides which worker processes run: one that ends is started again after 1, 2, 4 … 30 seconds, one that lived for a
/// minute after 1 second again. Pure: it is told what happened and the time.
///
/// A worker that says at its very first start that command line or configuration are wrong (exit codes 2 and 3) ends
/// the whole undertaking: starting it again cannot help, and whoever started the server is still there to read why.
///
/// Thread safety: none.
class worker_roster {
public:
    using instant = std::chrono::steady_clock::time_point;

    explicit worker_roster(int count, base::backoff pauses = {});

    /// The workers to start now, by their number from 1.
    [[nodiscard]] std::vector<int> due(instant now) const;
    /// When the next start is due; nothing while all run or none will.
    [[nodiscard]] std::optional<instant> next_start() const;

    void started(int index, pid_t pid, instant now);
    void could_not_start(int index, instant now);
    void ready(pid_t pid);
    /// What a process's end leads to.
    struct consequence {
        int index = 0;
        std::optional<duration> again_in{};  ///< nothing: it is not started again
    };
    consequence ended(pid_t pid, process_end how, instant now);
    /// From now on nobody is started, and workers may end. @param signal  that they are told with
    void stop(int signal) noexcept;

    [[nodiscard]] bool stopping() const noexcept { return stop_signal_.has_value(); }
    /// A start that cannot succeed; the code to end with.
    [[nodiscard]] std::optional<int> refusal() const noexcept { return refusal_; }
    [[nodiscard]] std::vector<pid_t> living() const;
    /// 0 when every worker left in order, the refusal's code, else 1.
    [[nodiscard]] int exit_code() const noexcept { return refusal_.value_or(all_in_order_ ? 0 : 1); }
    [[nodiscard]] std::vector<http::worker_health> health() const;

private:
    struct worker {
        std::optional<pid_t> pid{};
        bool ready = false;
        bool ever_started = false;
        int restarts = 0;
        int failures = 0;  ///< in a row
        instant since{};   ///< of the start, or when to start
    };

    [[nodiscard]] duration put_off(worker& one, bool long_lived, instant now);
    [[nodiscard]] bool may_start() const noexcept { return !stop_signal_ && !refusal_; }

    base::backoff pauses_;
    std::vector<worker> workers_;
    std::optional<int> stop_signal_{};
    std::optional<int> refusal_{};
    bool all_in_order_ = true;
};

}  // namespace sluice::cli
