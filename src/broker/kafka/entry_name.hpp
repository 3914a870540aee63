#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::broker::kafka {

/// The name of an entry within its topic: `3:1042`.
struct entry_name {
    std::int32_t partition = 0;
    std::int64_t offset = 0;

    [[nodiscard]] std::string text() const { return std::to_string(partition) + ':' + std::to_string(offset); }

    [[nodiscard]] static std::optional<entry_name> parse(std::string_view text) {
        entry_name name;
        const char* const end = text.data() + text.size();
        const auto first = std::from_chars(text.data(), end, name.partition);
        if (first.ec != std::errc{} || first.ptr == end || *first.ptr != ':') return std::nullopt;
        const auto second = std::from_chars(first.ptr + 1, end, name.offset);
        if (second.ec != std::errc{} || second.ptr != end || name.partition < 0 || name.offset < 0) return std::nullopt;
        return name;
    }
};

}  // namespace sluice::broker::kafka
