#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <sluice/time.hpp>

#include "broker/webhook/secrets.hpp"

namespace sluice::broker::webhook {

/// `webhook-timestamp`: whole seconds since 1970.
[[nodiscard]] std::string timestamp_text(date_time at);

/// The value of `webhook-signature`: one `v1,…` for each key, separated by spaces.
/// @param id, timestamp  as they are sent
/// @param body  the bytes that are sent
/// @throws error when the machine's OpenSSL offers no HMAC
[[nodiscard]] std::string sign(std::string_view id, std::string_view timestamp, std::string_view body,
                               const signing_keys& keys);

/// How far the sender's clock may be away from ours, either way.
inline constexpr duration clock_tolerance{std::chrono::minutes{5}};

/// What speaks against a request: one line for its sender; nothing when one of the signatures is ours. Signatures of
/// unknown versions are passed over. What is compared are the decoded digests, in constant time.
/// @param id, timestamp, signature  values of the headers
/// @param body  the bytes as they came, before any parser
[[nodiscard]] std::optional<std::string_view> why_not_genuine(std::string_view id, std::string_view timestamp,
                                                              std::string_view signature, std::string_view body,
                                                              const signing_keys& keys, date_time now);

}  // namespace sluice::broker::webhook
