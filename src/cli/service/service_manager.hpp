#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace sluice::cli {

/// The service manager that has started this process, systemd, as far as it wants to be told something. Without one
/// (`NOTIFY_SOCKET` is not set) nothing is told.
///
/// Thread safety: one thread uses it.
class service_manager {
public:
    /// Reads what the manager wants. Call it before the process has other threads.
    service_manager();

    /// The work has begun, or goes on after `reloading`.
    void tell_ready(const std::string& status) const;
    /// The configuration is read again. @param longest  for so long more than usual nothing may be heard
    void tell_reloading(std::chrono::microseconds longest) const;
    void tell_stopping() const;
    /// The process lives: to be told at least as often as `interval` says.
    void tell_alive() const;
    /// How often the manager wants to hear that; nothing when it does not.
    [[nodiscard]] std::optional<std::chrono::milliseconds> interval() const noexcept { return interval_; }
    /// For how long a lane may be in one step: ten times as long as the manager waits for a sign of life. Five minutes
    /// where it has no watchdog, which the deadlines of databases and brokers do not allow.
    [[nodiscard]] std::chrono::microseconds longest_step() const noexcept;

private:
    std::chrono::microseconds patience_{};  ///< of its watchdog; 0: it has none
    std::optional<std::chrono::milliseconds> interval_{};
};

}  // namespace sluice::cli
