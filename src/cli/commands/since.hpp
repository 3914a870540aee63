#pragma once

#include <string>

#include <sluice/time.hpp>

namespace sluice::cli {

/// The value of an option that takes an age, or a time as it stands in a log.
/// @param option  its name, for the error
/// @throws failure (usage)
[[nodiscard]] date_time read_since(const std::string& option, const std::string& text, date_time now);

}  // namespace sluice::cli
