#pragma once

#include <optional>
#include <string>

#include "cli/commands/workspace.hpp"
#include "cli/terminal/exit_code.hpp"
#include "operate/log_feed.hpp"

namespace sluice::cli {

class follow_output;

/// Follows all databases until a signal comes or the reader of the output goes, which is no failure. A database that
/// goes away is told on standard error and tried again.
/// @param header  written first, once all databases have answered; none for JSON
/// @throws store_error when one is away at the beginning
exit_code follow(const session& in, const installation& with, operate::log_feed& what, follow_output& out,
                 const std::optional<std::string>& header);

}  // namespace sluice::cli
