#pragma once

#include <string>
#include <string_view>

namespace sluice::base {

/// RFC 4648 section 4: the standard alphabet with padding, on one line.
[[nodiscard]] std::string base64_encode(std::string_view bytes);

/// Reverses `base64_encode`. Strict: padding is required, and white space and unused bits that are set are refused.
/// @throws decode_error with the reason; the text is not quoted
[[nodiscard]] std::string base64_decode(std::string_view text);

}  // namespace sluice::base
