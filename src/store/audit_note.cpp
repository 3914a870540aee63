#include "store/audit_note.hpp"

#include <algorithm>

#include <sluice/error.hpp>

namespace sluice::store {
namespace {

constexpr std::string_view closed_word = "closed";
constexpr std::string_view open_word = "open";

/// Takes what stands before the next space.
std::string_view take_word(std::string_view& text) {
    const auto word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    return word;
}

}  // namespace

std::string to_text(const audit_note& note) {
    std::string text = note.at.to_string() + ' ';
    if (note.closes) return text.append(closed_word);
    text.append(open_word);
    return note.closed_at ? text + ' ' + note.closed_at->to_string() : text;
}

std::optional<audit_note> audit_note_from(std::string_view text) {
    try {
        audit_note note{.at = date_time::parse(take_word(text))};
        const auto word = take_word(text);
        if (word != closed_word && word != open_word) return std::nullopt;
        note.closes = word == closed_word;
        if (note.closes) {
            note.closed_at = note.at;
        } else if (!text.empty()) {
            note.closed_at = date_time::parse(text);
        }
        return note;
    } catch (const decode_error&) {
        return std::nullopt;
    }
}

}  // namespace sluice::store
