#pragma once

#include <string>
#include <string_view>

#include "base/random.hpp"

/// What proves who somebody is.
namespace sluice::console {

/// 256 bits as 64 hexadecimal digits. @param random  fit for secrets
[[nodiscard]] std::string make_secret(base::random_source& random);
/// Whether two texts are equal, in a time that depends on their lengths only.
[[nodiscard]] bool is_same(std::string_view a, std::string_view b) noexcept;
/// HMAC-SHA256, in hexadecimal digits.
[[nodiscard]] std::string keyed_digest(std::string_view key, std::string_view text);

/// The hash of a password by yescrypt, as crypt(3) writes it: `$y$j9T$…`. Takes a good part of a second's tenth.
/// @throws error when the machine's libcrypt does not know the method
[[nodiscard]] std::string hash_password(const std::string& password, base::random_source& random);
/// Whether it is the password of the hash. Any method that libcrypt knows; one that it does not know matches nothing.
///
/// Thread safety: may be called concurrently.
[[nodiscard]] bool is_password(const std::string& password, const std::string& hash);

}  // namespace sluice::console
