#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "broker/operations.hpp"
#include "broker/reader.hpp"

/// The JSON text of a dead letter (docs/wire-format.md): the original message with `_dlq_metadata` as its last member.
namespace sluice::broker::redis {

/// Beside the keys that Protean writes stand `failure_reason`, which its tools show, `code`, and `buried_at`, the
/// microsecond at which it was written. A body that is no JSON object is kept whole: base64 under `raw`.
///
/// @param original_entry  in the stream that the message came from
[[nodiscard]] std::string dead_letter_text(const delivery& message, std::string_view original_entry,
                                           const membership& by, const death& why, date_time buried_at);

/// A dead letter read back; `buried_at` orders those that different streams got within one millisecond.
struct dead_letter_parts {
    dead_letter_entry entry;  ///< without `id`; `body` is what was published, byte for byte if we wrote the letter
    date_time buried_at;
};

/// Tolerant: keys that are missing or of another kind are empty. Nothing when this is no dead letter.
[[nodiscard]] std::optional<dead_letter_parts> read_dead_letter(std::string_view text);

/// The same dead letter as one of another group, its body byte for byte. What is no dead letter is returned as it is.
[[nodiscard]] std::string dead_letter_of_group(std::string_view text, std::string_view group);

}  // namespace sluice::broker::redis
