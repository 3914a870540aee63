#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sluice::store {

/// Texts as a JSON array, the form in which a column holds several.
[[nodiscard]] std::string text_list(const std::vector<std::string>& texts);
/// @throws decode_error  the list is no JSON array of strings
[[nodiscard]] std::vector<std::string> texts_in(std::string_view list);

}  // namespace sluice::store
