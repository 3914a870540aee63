#pragma once

#include <optional>
#include <string>
#include <string_view>

/// The values of headers in the HTTP binding of CloudEvents (1.0.2, section 3.1.3.2), which that of NATS follows.
/// Pure.
namespace sluice::envelope {

/// Space, `"`, `%` and all outside of U+0021–U+007E become `%XX`, byte by byte of UTF-8, in upper case.
[[nodiscard]] std::string percent_encoded(std::string_view value);

/// Undone once; quotes around the value are taken off before. Nothing when what comes out is no UTF-8, or a `%` is not
/// followed by two hexadecimal digits.
[[nodiscard]] std::optional<std::string> percent_decoded(std::string_view value);

}  // namespace sluice::envelope
