#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <sys/types.h>

namespace sluice::chaos {

/// A child process that a test may kill at any time. Its output goes to a log file; its standard input is a pipe.
///
/// Thread safety: one thread uses it.
class service_process {
public:
    /// @param directory  working directory
    service_process(std::vector<std::string> command, std::filesystem::path directory, std::filesystem::path log);
    service_process(const service_process&) = delete;
    service_process& operator=(const service_process&) = delete;
    /// Kills what still runs.
    ~service_process();

    void start();
    /// SIGKILL, then waits for the end. No-op when it does not run.
    void kill();
    /// SIGTERM, as soon as the process takes that for a request to end, then waits for the end. @returns the exit code,
    /// -1 when a signal ended it
    int terminate();
    /// Ends its input and waits until it has ended by itself. @returns the exit code, -1 when a signal ended it
    int finish();
    /// SIGSTOP, as a machine that hangs: it does nothing, and its connections stay open. Returns when it has stopped.
    void freeze() const;
    void thaw() const;
    [[nodiscard]] bool running();
    /// -1 when it was not started, or has ended.
    [[nodiscard]] pid_t pid() const noexcept { return pid_; }

    /// False when the process does not read any more.
    bool write_line(const std::string& line);

private:
    int wait();
    void close_input();

    std::vector<std::string> command_;
    std::filesystem::path directory_;
    std::filesystem::path log_;
    pid_t pid_ = -1;
    int input_ = -1;
};

}  // namespace sluice::chaos
