#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/message.hpp>
#include <sluice/metadata.hpp>

#include "envelope/header.hpp"
#include "envelope/partner_terms.hpp"

/// The forms in which a message leaves the process (docs/wire-format.md). The payload is spliced in as the text that
/// was stored; it is never parsed on the way out.
namespace sluice::envelope {

/// `metadata` of the internal form as stored in the event log: every key present, nulls included.
[[nodiscard]] std::string encode_metadata(const message_metadata& metadata);

/// Tolerant reader of internal, external and legacy flat metadata: unknown keys ignored, missing ones empty,
/// traceparent as object or W3C text, version as number or `v2`, sequence_id as text or number.
/// @throws decode_error when the value is no object
[[nodiscard]] message_metadata decode_metadata(const json::value& metadata);

/// `{"data": …, "metadata": …}` for the internal broker: both texts spliced as stored.
[[nodiscard]] std::string render_internal(std::string_view data, std::string_view metadata);

/// The external form, built from the allow-list in docs/wire-format.md; what is not listed cannot leave.
/// @param metadata  stored metadata text; parsed here (small), the payload is not
[[nodiscard]] std::string render_external(std::string_view data, std::string_view metadata,
                                          const extension_list& allowed = {});

/// Among the extensions of a stored event: its payloads for partners of older versions, `{"1": {…}}`. Private.
inline constexpr std::string_view older_versions_key = "_also_published";

/// One message, ready to be sent.
struct rendered_message {
    std::string id_suffix{};  ///< after the event's own id: nothing, or `~v1` for the older version 1
    std::string body;
    header_list head{};                                 ///< beside the body, where the broker carries that
    std::string_view content_type{"application/json"};  ///< of the body; a constant
};

/// All that an external broker gets of an event: the event, and after it one message for each older version that was
/// stored with it. That one has the id `{id}~v1`, the type and the number of its version; all else is the same.
/// @throws decode_error when the metadata cannot be read
/// @throws usage_error when the message would break the rules of its form
[[nodiscard]] std::vector<rendered_message> render_for_partner(std::string_view data, std::string_view metadata,
                                                               const partner_terms& terms);

/// Lower-case hex SHA-256 of the canonical JSON of a payload (docs/wire-format.md, "Checksum").
[[nodiscard]] std::string checksum_of(const json::value& data);

}  // namespace sluice::envelope
