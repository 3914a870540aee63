#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include <sluice/time.hpp>

namespace sluice {

/// Where a consumer group that does not exist yet begins in its stream. A group that exists goes on where it is,
/// whatever this says.
///
/// `beginning`, the default, misses nothing that the broker still keeps; what was handled before is handled again only
/// if it was handled under another name. `now` passes over everything that is in the stream when the group is made,
/// which is when an engine first runs the handler. A time passes over what the broker took before it. An inline broker
/// forgets with its process, so for it a time means the beginning.
/// @code
/// domain.event_handler<send_offer, CustomerJoined>({.from = sluice::start::now});
/// domain.event_handler<send_offer, CustomerJoined>({.from = sluice::date_time::parse("2026-11-01T00:00:00Z")});
/// @endcode
///
/// Thread safety: a value.
class start {
public:
    enum class kind { beginning, now, time };

    static const start beginning;
    static const start now;
    // NOLINTNEXTLINE(google-explicit-constructor): an option is written as the time that it is.
    constexpr start(date_time first) noexcept : kind_{kind::time}, first_{first} {}

    [[nodiscard]] constexpr kind where() const noexcept { return kind_; }
    /// The first moment of which messages are read; the epoch unless `where` is a time.
    [[nodiscard]] constexpr date_time first() const noexcept { return first_; }

    friend constexpr bool operator==(const start&, const start&) = default;

private:
    constexpr explicit start(kind where) noexcept : kind_{where} {}

    kind kind_;
    date_time first_{};
};

inline constexpr start start::beginning{kind::beginning};
inline constexpr start start::now{kind::now};

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
    /// What the consumer group, the inbox marks and the lease of the handler are called: for ever, whatever becomes of
    /// the class. Its class name when empty (`shop.notify_customer`). At most 200 characters, no white space, no `@`.
    std::string name{};
    start from = start::beginning;                    ///< of a group that does not exist yet
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
    std::optional<std::size_t> messages_per_transaction{};  ///< of different keys, handled in one transaction
    std::optional<bool> enable_dlq{};                ///< false: what would become a dead letter is dropped, and logged
    std::optional<int> circuit_breaker_threshold{};  ///< failing messages in a row that open the breaker; 0: none
    std::optional<double> circuit_breaker_reset_seconds{};  ///< how long an open breaker reads nothing

    friend bool operator==(const subscription_options&, const subscription_options&) = default;
};

}  // namespace sluice
