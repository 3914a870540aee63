#include "console/target.hpp"

#include <algorithm>

#include "base/address_text.hpp"
#include "base/utf8.hpp"

namespace sluice::console {

namespace {

constexpr std::size_t most_values = 2000;

}  // namespace

std::string percent_encoded(std::string_view text) {
    std::string result;
    for (const char c : base::percent_encoded(text)) {
        if (c == '/') {
            result += "%2F";
        } else {
            result += c;
        }
    }
    return result;
}

std::optional<std::string> percent_decoded(std::string_view text, bool plus_is_blank) {
    std::string written{text};
    if (plus_is_blank) std::ranges::replace(written, '+', ' ');
    auto result = base::strictly_percent_decoded(written);
    if (result && (!base::is_utf8(*result) || result->find('\0') != std::string::npos)) return std::nullopt;
    return result;
}

std::optional<form_values> form_values::read(std::string_view text) {
    form_values result;
    while (!text.empty()) {
        const std::string_view pair = text.substr(0, text.find('&'));
        text.remove_prefix(std::min(text.size(), pair.size() + 1));
        if (pair.empty()) continue;
        if (result.values_.size() == most_values) return std::nullopt;
        const auto equals = pair.find('=');
        auto name = percent_decoded(pair.substr(0, equals), true);
        auto value = percent_decoded(equals == std::string_view::npos ? "" : pair.substr(equals + 1), true);
        if (!name || !value) return std::nullopt;
        result.add(*std::move(name), *std::move(value));
    }
    return result;
}

const std::string& form_values::get(std::string_view name) const noexcept {
    static const std::string none;
    const auto found = std::ranges::find_if(values_, [name](const auto& each) { return each.first == name; });
    return found == values_.end() ? none : found->second;
}

bool form_values::has(std::string_view name) const noexcept {
    return std::ranges::any_of(values_, [name](const auto& each) { return each.first == name; });
}

std::vector<std::string> form_values::all(std::string_view name) const {
    std::vector<std::string> found;
    for (const auto& [each, value] : values_) {
        if (each == name) found.push_back(value);
    }
    return found;
}

void form_values::set(std::string name, std::string value) {
    erase(name);
    add(std::move(name), std::move(value));
}

void form_values::erase(std::string_view name) {
    std::erase_if(values_, [name](const auto& each) { return each.first == name; });
}

std::string form_values::to_query() const {
    std::string text;
    for (const auto& [name, value] : values_) {
        if (value.empty()) continue;
        if (!text.empty()) text += '&';
        text += percent_encoded(name) + '=' + percent_encoded(value);
    }
    return text;
}

std::optional<std::vector<std::string>> segments_of(std::string_view path) {
    if (!path.starts_with('/')) return std::nullopt;
    path.remove_prefix(1);
    if (path.ends_with('/')) path.remove_suffix(1);
    std::vector<std::string> segments;
    while (!path.empty()) {
        const std::string_view segment = path.substr(0, path.find('/'));
        path.remove_prefix(std::min(path.size(), segment.size() + 1));
        auto decoded = percent_decoded(segment);
        if (!decoded || decoded->empty() || *decoded == "." || *decoded == "..") return std::nullopt;
        segments.push_back(*std::move(decoded));
    }
    return segments;
}

std::string target(const std::vector<std::string>& segments, const form_values& query) {
    std::string text;
    for (const std::string& each : segments) text += '/' + percent_encoded(each);
    const std::string behind = query.to_query();
    return behind.empty() ? text : text + '?' + behind;
}

}  // namespace sluice::console
