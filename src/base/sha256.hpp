#pragma once

#include <array>
#include <string>
#include <string_view>

namespace sluice::base {

/// The SHA-256 of `bytes`.
///
/// Thread safety: may be called concurrently.
/// @throws error when the machine's OpenSSL offers no SHA-256
[[nodiscard]] std::array<unsigned char, 32> sha256(std::string_view bytes);

/// The same as 64 lower-case hexadecimal digits.
[[nodiscard]] std::string sha256_hex(std::string_view bytes);

}  // namespace sluice::base
