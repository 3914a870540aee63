#include "broker/kafka/place_note.hpp"

#include <charconv>

#include <fmt/format.h>

#include "base/address_text.hpp"

namespace sluice::broker::kafka {
namespace {

constexpr std::string_view note_mark = "sluice=1&";
constexpr std::size_t longest_note = 3500;
// Others may write there, too: what is read must stay small.
constexpr std::int64_t farthest = std::int64_t{1} << 40U;
constexpr std::size_t most_offsets = 100'000;

/// A whole number at the beginning, which is taken away.
std::optional<std::int64_t> take_number(std::string_view& text) {
    std::int64_t number = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failure != std::errc{} || number < 0 || number > farthest) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return number;
}

/// `0-2.5` of 10, 11, 12 and 15, relative to 10.
std::string write_runs(const std::vector<std::int64_t>& offsets, std::int64_t floor, std::size_t room) {
    std::string text;
    for (std::size_t i = 0; i < offsets.size();) {
        std::size_t last = i;
        while (last + 1 < offsets.size() && offsets[last + 1] == offsets[last] + 1) ++last;
        std::string run = text.empty() ? "" : ".";
        run += std::to_string(offsets[i] - floor);
        if (last > i) run += '-' + std::to_string(offsets[last] - floor);
        if (text.size() + run.size() > room) break;
        text += run;
        i = last + 1;
    }
    return text;
}

std::vector<std::int64_t> read_runs(std::string_view text, std::int64_t floor) {
    std::vector<std::int64_t> offsets;
    while (!text.empty()) {
        const auto first = take_number(text);
        if (!first) return {};
        auto last = first;
        if (text.starts_with('-')) {
            text.remove_prefix(1);
            last = take_number(text);
        }
        if (!last || *last < *first) return {};
        if (static_cast<std::size_t>(*last - *first) >= most_offsets - offsets.size()) return {};
        for (std::int64_t each = *first; each <= *last; ++each) offsets.push_back(floor + each);
        if (text.starts_with('.')) {
            text.remove_prefix(1);
        } else if (!text.empty()) {
            return {};
        }
    }
    return offsets;
}

}  // namespace

std::string write_note(const place_note& note, std::int64_t floor) {
    std::string text = fmt::format("{}stream={}&domain={}&next={}", note_mark, base::percent_encoded(note.stream),
                                   base::percent_encoded(note.domain), note.next - floor);
    if (!note.done.empty() && text.size() < longest_note) {
        text += "&done=" + write_runs(note.done, floor, longest_note - text.size());
    }
    return text;
}

std::optional<place_note> read_note(std::string_view text, std::int64_t floor) {
    if (!text.starts_with(note_mark)) return std::nullopt;
    const auto parts = base::read_query(text.substr(note_mark.size()));
    const auto part = [&](std::string_view name) -> std::string_view {
        const auto found = parts.find(name);
        return found == parts.end() ? std::string_view{} : std::string_view{found->second};
    };
    if (part("stream").empty()) return std::nullopt;
    std::string_view next = part("next");
    return place_note{.stream = std::string{part("stream")},
                      .domain = std::string{part("domain")},
                      .next = floor + take_number(next).value_or(0),
                      .done = read_runs(part("done"), floor)};
}

}  // namespace sluice::broker::kafka
