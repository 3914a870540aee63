#pragma once

#include <signal.h>
#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/unique_fd.hpp"

namespace sluice::cli {

/// What a worker knows of its parent; handed over in the environment variable SLUICE_WORKER.
struct worker_role {
    int index = 0;  ///< from 1
    base::unique_fd to_parent;

    /// It serves; also after it has read the configuration again.
    void tell_ready() const noexcept;
    /// It has read the configuration again and could not take it over.
    void tell_not_reloaded() const noexcept;

    static constexpr char ready = 'r';
    static constexpr char not_reloaded = 'n';
};

/// The role of this process, when a supervisor started it. Takes it out of the environment, so that what the worker
/// starts is no worker. Call it before the process has other threads.
[[nodiscard]] std::optional<worker_role> take_worker_role();

/// A worker that was started.
struct worker_process {
    pid_t pid = -1;
    base::unique_fd says;  ///< a `ready` or `not_reloaded` each time; its end when it has ended
};

/// Starts this program again with the same arguments, as workers. What belongs in the child between fork and exec is
/// prepared once, because nothing may allocate there.
///
/// A worker has a process group of its own, so that a Ctrl-C reaches it through its parent only; and it is told to stop
/// by the kernel when the parent is killed.
class worker_launcher {
public:
    /// @param signals  the mask that workers begin with
    /// @throws error when this program's own file or arguments cannot be found
    explicit worker_launcher(const sigset_t& signals);

    /// Call it from the thread that lives as long as the workers should.
    /// @throws std::system_error when there can be no more processes
    [[nodiscard]] worker_process start(int index);

private:
    sigset_t signals_;
    std::vector<std::string> arguments_;
    std::vector<std::string> environment_;  ///< without SLUICE_WORKER
};

}  // namespace sluice::cli
