#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <string_view>

#include "store/kept_messages.hpp"

namespace sluice::consume {

inline constexpr std::string_view kept_prefix = "kept/";

/// What a message that the database keeps is called, as an entry and as a dead letter: `kept/17`.
[[nodiscard]] inline std::string kept_entry(store::sequence number) {
    return std::string{kept_prefix} + std::to_string(number);
}

/// None when the text is no such name.
[[nodiscard]] inline std::optional<store::sequence> kept_number(std::string_view text) {
    if (!text.starts_with(kept_prefix)) return std::nullopt;
    text.remove_prefix(kept_prefix.size());
    store::sequence number = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

}  // namespace sluice::consume
