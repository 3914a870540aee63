#pragma once

#include <optional>
#include <string>

#include <sluice/context.hpp>
#include <sluice/message.hpp>
#include <sluice/time.hpp>

/// When a command must have begun. What has begun is finished.
namespace sluice::command {

using latest_start = std::optional<date_time>;  ///< nothing: whenever

/// `from + time`, or the end of time when there is no such instant.
[[nodiscard]] date_time later_by(date_time from, duration time) noexcept;

[[nodiscard]] latest_start earlier(const latest_start& one, const latest_start& other) noexcept;

/// What the caller asks for: the earlier of `deadline` and `timeout`.
[[nodiscard]] latest_start deadline_in(const process_options& options, date_time now) noexcept;

/// What the headers of a submitted command say. @throws decode_error when it is no time
[[nodiscard]] latest_start deadline_of(const message& m);

/// @throws deadline_error naming the command and both times, when it has passed
void require_time_left(const std::string& command, const latest_start& until, date_time now);

}  // namespace sluice::command
