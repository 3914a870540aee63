#pragma once

#include <optional>
#include <string>
#include <vector>

namespace sluice::envelope {

/// How a message looks to an external broker.
enum class message_form { sluice, cloudevents_structured, cloudevents_binary };

/// The extensions that may leave the context: those named, or all when there is no list. Keys that begin with `_` are
/// private to the context that wrote them and never leave.
using extension_list = std::optional<std::vector<std::string>>;

/// What of an event leaves to one partner, and in which form.
///
/// Thread safety: a value type.
struct partner_terms {
    message_form form = message_form::sluice;
    bool with_headers = false;  ///< the broker carries headers beside the body
    extension_list extensions{};
    std::vector<std::string> redact{};         ///< paths into the payload: `customer.email`
    std::optional<std::string> redact_with{};  ///< what stands there instead; none: the members are left out
    std::string source{};      ///< of CloudEvents, a URI reference; empty: the stream category as a path
    std::string dataschema{};  ///< of CloudEvents, a template of an absolute URI (text_template.hpp); empty: none

    friend bool operator==(const partner_terms&, const partner_terms&) = default;
};

}  // namespace sluice::envelope
