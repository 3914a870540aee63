#include "broker/nats/subject.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/one_line.hpp"

namespace sluice::broker::nats {
namespace {

constexpr std::size_t most_shown = 60;

bool is_control_or_space(char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7F; }

bool is_plain(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/// Of the name of a header, as HTTP has it but for what is rare.
bool is_name_character(char c) { return is_plain(c) || c == '.' || c == '~' || c == '+' || c == '!'; }

}  // namespace

std::string problem_of_subject(std::string_view subject) {
    const auto wrong = [&](std::string_view what) {
        return fmt::format("the subject `{}` {}", base::one_line(subject, most_shown), what);
    };
    if (subject.empty()) return "the subject is empty";
    if (std::ranges::any_of(subject, is_control_or_space)) return wrong("has a space or a control character");
    if (subject.find_first_of("*>") != std::string_view::npos)
        return wrong("has a * or >, which NATS reads as wildcards");
    if (subject.front() == '.' || subject.back() == '.' || subject.find("..") != std::string_view::npos) {
        return wrong("has an empty part between its dots");
    }
    if (subject.front() == '$') return wrong("begins with a $, which is for the server itself");
    return {};
}

std::string problem_of_header(std::string_view name, std::string_view value) {
    if (name.empty() || !std::ranges::all_of(name, is_name_character)) {
        return fmt::format("`{}` cannot be the name of a header", base::one_line(name, most_shown));
    }
    const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
    if (std::ranges::any_of(value, is_control)) {
        return fmt::format("the header {} has a line end or another control character", name);
    }
    if (value.starts_with(' ') || value.ends_with(' ')) {
        return fmt::format("the header {} begins or ends with a space, which would be lost", name);
    }
    return {};
}

std::string token_of(std::string_view text) {
    std::string name;
    for (const char c : text) {
        if (is_plain(c)) {
            name += c;
        } else {
            name += fmt::format("={:02X}", static_cast<unsigned char>(c));
        }
    }
    return name;
}

}  // namespace sluice::broker::nats
