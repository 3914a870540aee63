#pragma once

#include <optional>
#include <string_view>

namespace sluice::envelope {

/// Where in a stored metadata the parts stand that partners get. Views into the text that was read.
struct stored_form {
    std::string_view headers{};     ///< `"id":…,"time":…,"type":…,"stream":…,"traceparent":…`
    std::string_view origin{};      ///< `"fqn":…` to `"sequence_id":…` of the domain section
    std::string_view causes{};      ///< `"correlation_id":…,"causation_id":…`
    std::string_view extensions{};  ///< a JSON object, unread
    std::string_view id{};          ///< without quotes, like the following
    std::string_view type{};
    std::string_view time{};
    std::string_view trace_id{};  ///< empty: it is not traced
    std::string_view parent_id{};
    bool sampled = false;
    bool has_correlation = false;
    std::string_view correlation_id{};
};

/// Finds them without decoding the whole, in a text that is to the letter what `encode_metadata` writes and whose names
/// are printable ASCII without quotes and backslashes. Nothing for any other: it has to be decoded.
///
/// Nothing but the members named above is inside the views: what others a text may have, it is then not to the letter.
[[nodiscard]] std::optional<stored_form> read_stored_form(std::string_view metadata);

}  // namespace sluice::envelope
