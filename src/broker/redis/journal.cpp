#include "broker/redis/journal.hpp"

#include <charconv>

namespace sluice::broker::redis {
namespace {

constexpr char line_end = '\n';

/// A number and the mark behind it; both are taken from the text.
template <class Number>
bool take_number(std::string_view& text, char mark, Number& number) {
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failure != std::errc{} || end == text.data() + text.size() || *end != mark) return false;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
    return true;
}

/// The head of a page. Older builds wrote only its first line.
bool take_head(std::string_view& text, journal_page& page) {
    if (!take_number(text, line_end, page.number)) return false;
    if (text.empty() || text.front() == 'S' || text.front() == 'M') return true;
    return take_number(text, line_end, page.position) && take_number(text, line_end, page.since);
}

bool take_fingerprint(std::string_view digits, journal_page& page) {
    std::uint64_t number = 0;
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (failure != std::errc{} || end != digits.data() + digits.size() || page.items.empty()) return false;
    page.items.back().fingerprint = number;
    return true;
}

void append(std::string& out, char mark, std::string_view text) {
    out += mark;
    out += std::to_string(text.size());
    out += ':';
    out += text;
}

}  // namespace

std::string journal_field(std::size_t slot) { return "b" + std::to_string(slot); }

std::string write_journal_page(const journal_page& page) {
    std::string out = std::to_string(page.number) + line_end + std::to_string(page.position) + line_end +
                      std::to_string(page.since) + line_end;
    std::string_view stream;
    for (const auto& each : page.items) {
        if (each.stream != stream) append(out, 'S', each.stream);
        stream = each.stream;
        append(out, 'M', each.message_id);
        if (each.fingerprint) append(out, 'C', std::to_string(*each.fingerprint));
    }
    return out;
}

std::optional<journal_page> read_journal_page(std::string_view text) {
    journal_page page;
    if (!take_head(text, page)) return std::nullopt;
    std::string_view stream;
    while (!text.empty()) {
        const char mark = text.front();
        text.remove_prefix(1);
        std::size_t size = 0;
        if (!take_number(text, ':', size) || size > text.size()) return std::nullopt;
        const auto content = text.substr(0, size);
        text.remove_prefix(size);
        if (mark == 'S') {
            stream = content;
        } else if (mark == 'M') {
            page.items.push_back({.stream = std::string{stream}, .message_id = std::string{content}});
        } else if (mark != 'C' || !take_fingerprint(content, page)) {
            return std::nullopt;
        }
    }
    return page;
}

}  // namespace sluice::broker::redis
