#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::broker::rabbitmq {

/// Names a delivery: the server's number of it, which counts anew on each connection, and which connection it was.
struct delivery_tag {
    std::uint64_t generation = 0;
    std::uint64_t number = 0;

    [[nodiscard]] std::string text() const { return std::to_string(generation) + '-' + std::to_string(number); }
    /// Nothing for what is none.
    [[nodiscard]] static std::optional<delivery_tag> parse(std::string_view text) noexcept {
        delivery_tag tag;
        const char* const end = text.data() + text.size();
        const auto [dash, first] = std::from_chars(text.data(), end, tag.generation);
        if (first != std::errc{} || dash == end || *dash != '-') return std::nullopt;
        const auto [rest, second] = std::from_chars(dash + 1, end, tag.number);
        if (second != std::errc{} || rest != end) return std::nullopt;
        return tag;
    }
};

}  // namespace sluice::broker::rabbitmq
