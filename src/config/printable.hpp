#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sluice::config {

/// Text from elsewhere, made safe for a terminal and kept on one line: control characters, characters that turn the
/// writing direction and malformed UTF-8 become escapes (`\n`, `\x1b`, `\u202e`).
/// @param limit  longer texts are cut after so many characters and end in `…`
[[nodiscard]] std::string printable(std::string_view text, std::size_t limit = std::string_view::npos);

/// Where a URI points, without user, password and query: `redis://cache:6379/0`. Of a text that allows a second reading
/// nothing but the scheme is shown (base/address_text.hpp).
[[nodiscard]] std::string masked_uri(std::string_view uri);

}  // namespace sluice::config
