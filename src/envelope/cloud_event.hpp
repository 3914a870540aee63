#pragma once

#include <string>
#include <string_view>

#include <sluice/json.hpp>
#include <sluice/message.hpp>
#include <sluice/metadata.hpp>

#include "envelope/envelope.hpp"
#include "envelope/header.hpp"
#include "envelope/partner_terms.hpp"

/// Messages as CloudEvents 1.0.2 (docs/wire-format.md, "CloudEvents"). Pure.
namespace sluice::envelope {

/// Before the name of each attribute among the headers of a message. An adapter writes it as the binding of its
/// protocol wants it.
inline constexpr std::string_view cloud_event_prefix = "ce-";

/// @param metadata  as it leaves: that of an older version for an older version
/// @param extensions  the members that may leave
/// @param data  the payload as JSON text
/// @throws usage_error  an attribute would break the rules of CloudEvents; it is named
[[nodiscard]] rendered_message render_cloud_event(const message_metadata& metadata, const json::object& extensions,
                                                  std::string data, const partner_terms& terms);

/// True for a JSON object that is a CloudEvent in structured form.
[[nodiscard]] bool is_cloud_event(const json::value& body);
/// True when the headers are those of a CloudEvent in binary form.
[[nodiscard]] bool is_cloud_event(const header_list& head);

/// What a CloudEvent says of itself, as far as the wire format has a place for it; its other attributes are among the
/// extensions. The stream is its `partitionkey`, else its `subject`.
/// @throws decode_error  an attribute that must be there is missing, or is no text
[[nodiscard]] message_metadata metadata_of_cloud_event(const json::value& event);

/// The structured form of a CloudEvent in binary form.
/// @throws decode_error  the body is no JSON
[[nodiscard]] json::value structured_form(std::string_view body, const header_list& head);

}  // namespace sluice::envelope
