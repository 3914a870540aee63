#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/json.hpp>

namespace sluice::envelope {

/// The names of a path: `customer.email` is `customer`, `email`.
[[nodiscard]] std::vector<std::string_view> path_names(std::string_view path);

/// The payload without what partners must not see. A path goes through objects by name, and through each element of a
/// list on its way. Where it leads nowhere, there is nothing to take away. Pure.
/// @param with  what stands in place of each member; none: the members are left out
/// @returns `data` itself, byte for byte, when there are no paths
/// @throws decode_error  the text is no JSON
[[nodiscard]] std::string redacted(std::string_view data, const std::vector<std::string>& paths,
                                   const std::optional<std::string>& with);

}  // namespace sluice::envelope
