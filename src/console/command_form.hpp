#pragma once

#include <sluice/json.hpp>

#include "console/markup.hpp"
#include "console/target.hpp"
#include "operate/domain_view.hpp"

namespace sluice::console {

/// Inputs for the fields of a command, filled with what was given before.
[[nodiscard]] markup command_fields(const operate::declared_command& command, const form_values& given);
/// The command's data as those inputs give it. What is empty and not required is left out. Pure.
/// @throws request_error naming the field whose text is not of its kind
[[nodiscard]] json::object command_data(const operate::declared_command& command, const form_values& given);

}  // namespace sluice::console
