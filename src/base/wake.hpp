#pragma once

#include "base/unique_fd.hpp"

#include <sluice/time.hpp>

#include <filesystem>
#include <string>

/// How a sleeping thread is woken on Linux: by another thread, by another process that writes a file, or by time.
namespace sluice::base {

/// A latch that stays set until it is drained: however often it is notified, the sleeper wakes once.
///
/// Thread safety: `notify()` may be called by any thread; the rest belongs to the thread that waits.
class wake_signal {
public:
    /// @throws error when the process may open no more files
    wake_signal();

    void notify() noexcept;
    void drain() noexcept;
    [[nodiscard]] int fd() const noexcept { return fd_.get(); }

private:
    unique_fd fd_;
};

/// Notices writes to files of one directory whose names begin with a prefix, by whatever process: the `-wal` of an
/// SQLite database tells of a commit.
///
/// It is a hint, never a promise. Without the directory, or when the kernel grants no watch, it stays silent and is
/// armed again by the next wait.
///
/// Thread safety: none; it belongs to the thread that waits.
class file_watch {
public:
    file_watch(std::filesystem::path directory, std::string name_prefix);

    /// Reads all that happened since the last call. True when it was about a watched file.
    [[nodiscard]] bool drain();
    /// Arms a silent watch. True when it came back to life: what happened before went unseen, so look for yourself.
    [[nodiscard]] bool rearm();
    /// -1 while the kernel grants no watch.
    [[nodiscard]] int fd() const noexcept { return fd_.get(); }

private:
    std::filesystem::path directory_;
    std::string name_prefix_;
    unique_fd fd_;
    int watch_ = -1;
};

enum class wake_reason { signalled, file_changed, timed_out };

/// Sleeps until the signal is notified, a watched file changes or the time has passed; that which ended the sleep is
/// drained. A set signal is seen before a changed file. Files without the watch's prefix do not end the sleep.
/// A thread that shall stop is woken by `signal.notify()` from a `std::stop_callback`.
/// @param watch  may be null
/// @param timeout  `duration::max()` waits for as long as it takes; zero only looks
/// @throws error when the kernel cannot wait (out of memory)
[[nodiscard]] wake_reason wait_any(wake_signal& signal, file_watch* watch, duration timeout);

}  // namespace sluice::base
