#include "cli/service/service_manager.hpp"

#include <fmt/format.h>
#include <systemd/sd-daemon.h>

#include <algorithm>
#include <cstdint>
#include <ctime>

namespace sluice::cli {

namespace {

/// A manager that does not listen is none of our trouble: it decides what follows from silence.
void tell(const std::string& what) { static_cast<void>(sd_notify(0, what.c_str())); }

std::int64_t monotonic_micros() {
    constexpr std::int64_t micros_per_second = 1'000'000;
    constexpr std::int64_t nanos_per_micro = 1000;
    std::timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * micros_per_second + now.tv_nsec / nanos_per_micro;
}

}  // namespace

service_manager::service_manager() {
    std::uint64_t micros = 0;
    if (sd_watchdog_enabled(0, &micros) <= 0) return;
    patience_ = std::chrono::microseconds{micros};
    // A third: what is late once is still in time.
    constexpr int parts = 3;
    interval_ = std::max(std::chrono::duration_cast<std::chrono::milliseconds>(patience_ / parts),
                         std::chrono::milliseconds{1});
}

std::chrono::microseconds service_manager::longest_step() const noexcept {
    constexpr int patiences = 10;
    return interval_ ? patiences * patience_ : std::chrono::minutes{5};
}

void service_manager::tell_ready(const std::string& status) const {
    std::string text = "READY=1\nSTATUS=" + status;
    if (interval_) text += fmt::format("\nWATCHDOG_USEC={}\nWATCHDOG=1", patience_.count());
    tell(text);
}

void service_manager::tell_reloading(std::chrono::microseconds longest) const {
    std::string text =
        fmt::format("RELOADING=1\nMONOTONIC_USEC={}\nSTATUS=Reading the configuration again", monotonic_micros());
    if (interval_) text += fmt::format("\nWATCHDOG_USEC={}\nWATCHDOG=1", (patience_ + longest).count());
    tell(text);
}

void service_manager::tell_stopping() const { tell("STOPPING=1\nSTATUS=Finishing the work in hand"); }

void service_manager::tell_alive() const {
    if (interval_) tell("WATCHDOG=1");
}

}  // namespace sluice::cli
