#pragma once

#include <cstdint>
#include <exception>
#include <string_view>

namespace sluice::base {

/// What a failed attempt at a message, a command or a scheduled message says, and about what. The one place where it is
/// decided what counts against a message (docs/failures.md).
enum class failure_cause : std::uint8_t {
    outage,    ///< the surroundings: every other attempt fails, too, so nothing is tried before a pause
    conflict,  ///< another writer was faster: the same attempt with fresh state may succeed
    /// The database was there and could not do this now: a lock that was not granted in time, a deadline, a connection
    /// that broke on the way. Whether the surroundings or the message are to blame, only other messages can tell.
    statement,
    message  ///< the message itself, or its handler: this counts as a failed attempt
};

/// Decides by class and nature of the error, never by its text. Pure.
///
/// Thread safety: may be called concurrently.
[[nodiscard]] failure_cause cause_of(const std::exception& failure) noexcept;

/// `outage`, `conflict`, `statement`, `message`.
[[nodiscard]] std::string_view to_string(failure_cause cause) noexcept;

}  // namespace sluice::base
