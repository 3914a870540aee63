#include "store/kept_text.hpp"

#include <charconv>
#include <optional>

#include "base/hex.hpp"
#include "base/utf8.hpp"

namespace sluice::store {

namespace {

constexpr std::string_view escaped = "\\x";

void append_netstring(std::string& out, std::string_view bytes) {
    out += std::to_string(bytes.size());
    out += ':';
    out += bytes;
    out += ',';
}

/// Takes one from the front; none when there is no whole one.
std::optional<std::string> take_netstring(std::string_view& from) {
    std::size_t size = 0;
    const auto [end, failure] = std::from_chars(from.data(), from.data() + from.size(), size);
    if (failure != std::errc{}) return std::nullopt;
    const auto colon = static_cast<std::size_t>(end - from.data());
    if (colon >= from.size() || from[colon] != ':' || from.size() - colon - 1 <= size) return std::nullopt;
    std::string bytes{from.substr(colon + 1, size)};
    from.remove_prefix(colon + 1 + size);
    if (from.front() != ',') return std::nullopt;
    from.remove_prefix(1);
    return bytes;
}

}  // namespace

std::string to_kept_text(std::string_view bytes) {
    if (base::is_storable(bytes) && !bytes.starts_with(escaped)) return std::string{bytes};
    return std::string{escaped} + base::hex_of(bytes);
}

std::string from_kept_text(std::string_view text) {
    if (!text.starts_with(escaped)) return std::string{text};
    text.remove_prefix(escaped.size());
    std::string bytes;
    for (; text.size() >= 2; text.remove_prefix(2)) {
        unsigned byte = 0;
        std::from_chars(text.data(), text.data() + 2, byte, 16);
        bytes += static_cast<char>(byte);
    }
    return bytes;
}

std::string to_kept_text(const envelope::header_list& head) {
    std::string bytes;
    for (const auto& [name, value] : head) {
        append_netstring(bytes, name);
        append_netstring(bytes, value);
    }
    return to_kept_text(bytes);
}

envelope::header_list headers_from_kept_text(std::string_view text) {
    const std::string bytes = from_kept_text(text);
    std::string_view rest = bytes;
    envelope::header_list head;
    while (!rest.empty()) {
        auto name = take_netstring(rest);
        auto value = name ? take_netstring(rest) : std::nullopt;
        if (!value) break;
        head.push_back({.name = *std::move(name), .value = *std::move(value)});
    }
    return head;
}

}  // namespace sluice::store
