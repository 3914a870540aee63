#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include <sluice/time.hpp>

#include "broker/webhook/secrets.hpp"
#include "envelope/header.hpp"

/// What becomes of a request that somebody posts to us. Pure.
namespace sluice::broker::webhook {

/// A message that was posted by somebody who knows the secret.
struct received_message {
    std::string stream;
    std::string id;  ///< `webhook-id`
    std::string key;
    std::string body;
    envelope::header_list head{};
    std::string content_type{};
};

/// Why a request is not taken.
struct turned_down {
    unsigned status = 400;
    std::string reason{};  ///< for the sender, one line
};

/// What a receiver goes by.
struct receiving_terms {
    signing_keys keys{};   ///< at least one
    std::string stream{};  ///< that all requests go to; empty: the last part of the path names it
    /// What speaks against a stream: what nobody reads is not taken, as it would be kept for nobody.
    std::function<std::optional<turned_down>(const std::string& stream)> objection_to{};
};

/// A request without its body.
struct incoming_head {
    std::string_view method;
    std::string_view target;
    const envelope::header_list& headers;  ///< names in lower case
};

/// The stream that a request goes to; empty: it names none.
[[nodiscard]] std::string stream_of(std::string_view target, const receiving_terms& terms);

/// Asked before the body is read.
[[nodiscard]] std::optional<turned_down> why_not_read(const incoming_head& head, const receiving_terms& terms);

/// Asked with the body as it came. The signature is verified before anything else of it is looked at.
/// @param head  that `why_not_read` had no objection to
[[nodiscard]] std::variant<received_message, turned_down> receive(const incoming_head& head, std::string body,
                                                                  const receiving_terms& terms, date_time now);

}  // namespace sluice::broker::webhook
