#pragma once

#include <charconv>
#include <compare>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::broker::redis {

/// The id of a stream entry: `1795421921058-0`.
struct entry_id {
    std::uint64_t milliseconds = 0;
    std::uint64_t sequence = 0;

    friend auto operator<=>(const entry_id&, const entry_id&) = default;

    [[nodiscard]] std::string text() const { return std::to_string(milliseconds) + "-" + std::to_string(sequence); }

    /// The id right before this one, which is not 0-0.
    [[nodiscard]] entry_id before() const noexcept {
        if (sequence > 0) return {milliseconds, sequence - 1};
        return {milliseconds - 1, std::numeric_limits<std::uint64_t>::max()};
    }

    /// The greatest id of a millisecond.
    [[nodiscard]] static entry_id last_of(std::int64_t milliseconds) {
        return {static_cast<std::uint64_t>(milliseconds), std::numeric_limits<std::uint64_t>::max()};
    }
    /// Nothing when the text is no such id.
    [[nodiscard]] static std::optional<entry_id> parse(std::string_view text) {
        entry_id id;
        const char* const end = text.data() + text.size();
        const auto first = std::from_chars(text.data(), end, id.milliseconds);
        if (first.ec != std::errc{} || first.ptr == end || *first.ptr != '-') return std::nullopt;
        const auto second = std::from_chars(first.ptr + 1, end, id.sequence);
        if (second.ec != std::errc{} || second.ptr != end) return std::nullopt;
        return id;
    }
};

}  // namespace sluice::broker::redis
