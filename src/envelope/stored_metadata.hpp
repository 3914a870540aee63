#pragma once

#include <optional>
#include <string_view>

#include <sluice/metadata.hpp>

namespace sluice::envelope {

/// What a stored message says of itself, for those who only tell about it; nothing when it cannot be read.
/// @param stored  JSON text, as `encode_metadata` writes it
[[nodiscard]] std::optional<message_metadata> stored_metadata(std::string_view stored);

}  // namespace sluice::envelope
