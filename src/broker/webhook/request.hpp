#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <sluice/time.hpp>

#include "broker/publisher.hpp"
#include "broker/webhook/endpoint.hpp"
#include "broker/webhook/secrets.hpp"

namespace sluice::broker::webhook {

/// What of a message no request can carry; nothing when it can. Asked before anything is sent. Pure.
[[nodiscard]] std::optional<refused> why_not_sent(const outgoing& message);

/// The same in every request of one endpoint.
struct request_terms {
    endpoint to{};
    signing_keys keys{};
    std::string authorization{};  ///< value of the header; empty: none
};

/// The head of the request that carries the message; its body is `message.body`. Each time it is sent its time and its
/// signature are new, its id is not. Pure.
[[nodiscard]] std::string request_head(const outgoing& message, const request_terms& terms, date_time now);

}  // namespace sluice::broker::webhook
