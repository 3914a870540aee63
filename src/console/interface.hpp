#pragma once

#include <string>
#include <vector>

#include "console/console.hpp"

/// Parts of the REST interface.
namespace sluice::console {

/// Routes that change something. @param of  must outlive the table
void add_interface_actions(router& to, console& of);

/// `/api/v1/contexts/{context}` and what follows.
[[nodiscard]] std::string in_context(std::string_view rest);
/// `{context}` and others of a path.
[[nodiscard]] parameter path_parameter(std::string name, std::string purpose);
[[nodiscard]] parameter query_parameter(std::string name, std::string purpose,
                                        parameter::kind what = parameter::kind::text,
                                        std::vector<std::string> words = {});
[[nodiscard]] parameter body_parameter(std::string name, std::string purpose,
                                       parameter::kind what = parameter::kind::text, bool required = false);

}  // namespace sluice::console
