#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sluice::broker::webhook {

/// Keys of HMAC-SHA256, the newest first. While a secret is exchanged there are two, and each signs.
using signing_keys = std::vector<std::string>;

/// Reads secrets as Standard Webhooks writes them: `whsec_` and the base64 of 24 to 64 bytes; several separated by
/// spaces or line ends. Pure.
/// @param text  empty: no keys
/// @throws configuration_error saying which of them is wrong and what is expected; nothing of it is quoted
[[nodiscard]] signing_keys read_secrets(std::string_view text);

}  // namespace sluice::broker::webhook
