#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace sluice {

/// How one handler's subscription reads and handles, where it is to differ from the rest. What is not set here is
/// decided by domain.toml and then by the defaults; docs/configuration.md has the precedence and the ranges. The names
/// are those of the keys in the file.
/// @code
/// domain.event_handler<notify_customer, OrderShipped>({.profile = "fast", .max_retries = 10});
/// @endcode
/// A value out of range, or an unknown profile, refuses the start with the handler's name.
///
/// Thread safety: a value.
struct subscription_options {
    std::string profile{};                            ///< built-in or of `[server.profiles]`, in any case; empty: none
    std::optional<std::size_t> messages_per_tick{};   ///< most messages read at once
    std::optional<std::size_t> bytes_per_tick{};      ///< most bytes read at once; one message in any case
    std::optional<int> max_retries{};                 ///< attempts in all before the dead letters
    std::optional<double> retry_delay_seconds{};      ///< after the first failure; doubles each time
    std::optional<double> max_retry_delay_seconds{};  ///< longest wait between two attempts
    std::optional<double> claim_seconds{};            ///< how long a silent consumer keeps its messages
    std::optional<std::size_t> max_held{};            ///< most messages in memory behind failing ones
    std::optional<std::size_t> max_held_bytes{};      ///< most bytes of messages in memory
    std::optional<std::size_t> concurrency{};         ///< messages of different keys handled side by side
    std::optional<bool> enable_dlq{};                 ///< false: what would become a dead letter is dropped, and logged
    std::optional<int> circuit_breaker_threshold{};   ///< failing messages in a row that open the breaker; 0: none
    std::optional<double> circuit_breaker_reset_seconds{};  ///< how long an open breaker reads nothing

    friend bool operator==(const subscription_options&, const subscription_options&) = default;
};

}  // namespace sluice
