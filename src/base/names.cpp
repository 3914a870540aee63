#include "base/names.hpp"

#include "base/utf8.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace sluice::base {
namespace {

// Names on the wire are ASCII, whatever the locale says.
constexpr bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
constexpr bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_letter(char c) { return is_lower(c) || is_upper(c); }
constexpr bool is_alphanumeric(char c) { return is_letter(c) || is_digit(c); }
constexpr char to_lower(char c) { return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c; }
constexpr char to_upper(char c) { return is_lower(c) ? static_cast<char>(c - 'a' + 'A') : c; }

/// U+00C0 to U+017F: the letters of Latin-1 and Latin Extended-A.
constexpr char32_t first_latin_letter = 0xC0;
constexpr std::array<std::string_view, 192> latin_letters{
    "A", "A", "A",  "A",  "A", "A", "",  "C", "E", "E", "E", "E", "I", "I", "I", "I",   // U+00C0
    "",  "N", "O",  "O",  "O", "O", "O", "",  "",  "U", "U", "U", "U", "Y", "",  "",    // U+00D0
    "a", "a", "a",  "a",  "a", "a", "",  "c", "e", "e", "e", "e", "i", "i", "i", "i",   // U+00E0
    "",  "n", "o",  "o",  "o", "o", "o", "",  "",  "u", "u", "u", "u", "y", "",  "y",   // U+00F0
    "A", "a", "A",  "a",  "A", "a", "C", "c", "C", "c", "C", "c", "C", "c", "D", "d",   // U+0100
    "",  "",  "E",  "e",  "E", "e", "E", "e", "E", "e", "E", "e", "G", "g", "G", "g",   // U+0110
    "G", "g", "G",  "g",  "H", "h", "",  "",  "I", "i", "I", "i", "I", "i", "I", "i",   // U+0120
    "I", "",  "IJ", "ij", "J", "j", "K", "k", "",  "L", "l", "L", "l", "L", "l", "L",   // U+0130
    "l", "",  "",   "N",  "n", "N", "n", "N", "n", "n", "",  "",  "O", "o", "O", "o",   // U+0140
    "O", "o", "",   "",   "R", "r", "R", "r", "R", "r", "S", "s", "S", "s", "S", "s",   // U+0150
    "S", "s", "T",  "t",  "T", "t", "",  "",  "U", "u", "U", "u", "U", "u", "U", "u",   // U+0160
    "U", "u", "U",  "u",  "W", "w", "Y", "y", "Y", "Z", "z", "Z", "z", "Z", "z", "s"};  // U+0170

/// Every run of other characters becomes one dash, none at either end; letters become lower-case.
std::string parameterize(std::string_view ascii) {
    std::string text;
    for (const char c : ascii) {
        if (is_alphanumeric(c) || c == '_') {
            text += to_lower(c);
        } else if (!text.empty() && text.back() != '-') {
            text += '-';
        }
    }
    if (text.ends_with('-')) text.pop_back();
    return text;
}

/// Counts insertions, deletions, replacements and swaps of neighbours, with three rows of the usual table.
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before(b.size() + 1);
    std::vector<std::size_t> above(b.size() + 1);
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        before.swap(above);
        above.swap(row);
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            row[j] = std::min({above[j] + 1, row[j - 1] + 1, replaced});
            const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
        }
    }
    return row.back();
}

bool is_anonymous(std::string_view scope) { return scope == "(anonymous namespace)" || scope == "{anonymous}"; }

}  // namespace

std::string lower(std::string_view name) {
    std::string text{name};
    for (char& c : text) c = to_lower(c);
    return text;
}

bool is_same_but_for_case(std::string_view one, std::string_view other) noexcept {
    return std::ranges::equal(one, other, [](char a, char b) { return to_lower(a) == to_lower(b); });
}

std::string transliterate(std::string_view utf8) {
    std::string ascii;
    while (!utf8.empty()) {
        const utf8_sequence sequence = decode_utf8(utf8);
        utf8.remove_prefix(sequence.length);
        if (!sequence.well_formed) continue;
        if (sequence.code_point < 0x80) {
            ascii += static_cast<char>(sequence.code_point);
        } else if (sequence.code_point >= first_latin_letter &&
                   sequence.code_point < first_latin_letter + latin_letters.size()) {
            ascii += latin_letters[sequence.code_point - first_latin_letter];
        }
    }
    return ascii;
}

std::string underscore(std::string_view name) {
    std::string text;
    for (std::size_t i = 0; i < name.size(); ++i) {
        if (i > 0 && is_upper(name[i])) {
            const char previous = name[i - 1];
            const bool word_begins = is_lower(previous) || is_digit(previous);
            const bool acronym_ends = is_upper(previous) && i + 1 < name.size() && is_lower(name[i + 1]);
            if (word_begins || acronym_ends) text += '_';
        }
        text += name[i] == '-' ? '_' : to_lower(name[i]);
    }
    return text;
}

std::string normalized_domain_name(std::string_view domain) { return underscore(parameterize(transliterate(domain))); }

std::string camel_domain_name(std::string_view domain) {
    std::string words = transliterate(domain);
    std::replace(words.begin(), words.end(), '-', ' ');
    words = underscore(words);
    if (words.ends_with("_id")) words.resize(words.size() - 3);  // the reference drops it, so its types lack it

    std::string camel;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (!is_alphanumeric(words[i])) continue;
        const bool word_begins = i == 0 || !is_letter(words[i - 1]);
        const bool after_apostrophe = i > 1 && words[i - 1] == '\'' && is_alphanumeric(words[i - 2]);
        camel += word_begins && !after_apostrophe ? to_upper(words[i]) : words[i];
    }
    return camel;
}

std::string dotted(std::string_view cpp_qualified_name) {
    constexpr std::string_view separator = "::";
    std::string text;
    while (!cpp_qualified_name.empty()) {
        const std::size_t end = std::min(cpp_qualified_name.find(separator), cpp_qualified_name.size());
        const std::string_view scope = cpp_qualified_name.substr(0, end);
        if (!scope.empty() && !is_anonymous(scope)) {
            if (!text.empty()) text += '.';
            text += scope;
        }
        cpp_qualified_name.remove_prefix(std::min(end + separator.size(), cpp_qualified_name.size()));
    }
    return text;
}

std::string suggest(std::string_view word, std::span<const std::string> candidates) {
    std::string nearest;
    std::size_t limit = std::max<std::size_t>(1, word.size() / 3) + 1;
    for (const std::string& candidate : candidates) {
        const std::size_t distance = edit_distance(word, candidate);
        if (distance < limit) {
            limit = distance;
            nearest = candidate;
        }
    }
    return nearest;
}

}  // namespace sluice::base
