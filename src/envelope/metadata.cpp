#include <sluice/metadata.hpp>

#include <algorithm>

namespace sluice {

namespace {

constexpr std::size_t w3c_size = 55;  // 00-<32>-<16>-<2>

bool is_lower_hex(std::string_view text) {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_all_zero(std::string_view text) { return text.find_first_not_of('0') == std::string_view::npos; }

int hex_digit(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

}  // namespace

std::optional<trace_parent> trace_parent::from_w3c(std::string_view text) {
    if (text.size() != w3c_size || !text.starts_with("00-") || text[35] != '-' || text[52] != '-') return std::nullopt;
    const auto trace = text.substr(3, 32);
    const auto parent = text.substr(36, 16);
    const auto flags = text.substr(53, 2);
    if (!is_lower_hex(trace) || !is_lower_hex(parent) || !is_lower_hex(flags)) return std::nullopt;
    if (is_all_zero(trace) || is_all_zero(parent)) return std::nullopt;
    return trace_parent{std::string{trace}, std::string{parent}, (hex_digit(flags[1]) & 1) != 0};
}

std::string trace_parent::to_w3c() const { return "00-" + trace_id + "-" + parent_id + (sampled ? "-01" : "-00"); }

}  // namespace sluice
