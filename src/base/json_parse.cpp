#include "base/json_text.hpp"
#include "base/utf8.hpp"

#include <sluice/error.hpp>
#include <sluice/json.hpp>

namespace sluice::json {
namespace {

/// Reads one text in a single pass by recursive descent.
class reader {
public:
    explicit reader(std::string_view text) noexcept
        : begin_{text.data()}, next_{text.data()}, end_{text.data() + text.size()} {}

    value read_document() {
        skip_space();
        value document = read_value();
        skip_space();
        if (next_ != end_) fail("text after the value");
        return document;
    }

private:
    static constexpr unsigned deepest = 200;

    [[noreturn]] void fail(const char* reason) const {
        throw decode_error{"invalid JSON at byte " + std::to_string(next_ - begin_) + ": " + reason};
    }

    [[nodiscard]] bool at_end() const noexcept { return next_ == end_; }
    [[nodiscard]] bool sees(char c) const noexcept { return next_ != end_ && *next_ == c; }
    [[nodiscard]] bool sees_digit() const noexcept { return next_ != end_ && *next_ >= '0' && *next_ <= '9'; }

    bool skip(char c) noexcept {
        if (!sees(c)) return false;
        ++next_;
        return true;
    }

    void skip_space() noexcept {
        while (next_ != end_ && (*next_ == ' ' || *next_ == '\n' || *next_ == '\r' || *next_ == '\t')) ++next_;
    }

    void expect_word(std::string_view word) {
        if (!std::string_view{next_, end_}.starts_with(word)) fail("expected a value");
        next_ += word.size();
    }

    value read_value() {
        if (at_end()) fail("expected a value, found the end");
        switch (*next_) {
            case '{':
                return read_object();
            case '[':
                return read_array();
            case '"':
                return read_string();
            case 't':
                expect_word("true");
                return true;
            case 'f':
                expect_word("false");
                return false;
            case 'n':
                expect_word("null");
                return nullptr;
            case 'N':
                expect_word("NaN");
                return number{"NaN"};
            case 'I':
                expect_word("Infinity");
                return number{"Infinity"};
            default:
                return read_number();
        }
    }

    void enter() {
        if (++depth_ > deepest) fail("nested more than 200 deep");
        ++next_;
        skip_space();
    }

    void leave() noexcept { --depth_; }

    /// After an element: true when another one follows.
    bool another(char closing) {
        skip_space();
        if (skip(',')) {
            skip_space();
            return true;
        }
        if (!skip(closing)) fail(closing == '}' ? "expected ',' or '}'" : "expected ',' or ']'");
        return false;
    }

    value read_object() {
        std::vector<object::member> members;
        enter();
        if (!skip('}')) {
            do {
                if (!sees('"')) fail("expected a key in double quotes");
                std::string key = read_string();
                skip_space();
                if (!skip(':')) fail("expected ':'");
                skip_space();
                members.emplace_back(std::move(key), read_value());
            } while (another('}'));
        }
        leave();
        return object(std::move(members));
    }

    value read_array() {
        array elements;
        enter();
        if (!skip(']')) {
            do {
                elements.push_back(read_value());
            } while (another(']'));
        }
        leave();
        return elements;
    }

    value read_number() {
        const char* const first = next_;
        const bool negative = skip('-');
        if (negative && sees('I')) {
            expect_word("Infinity");
        } else {
            if (!negative && !sees_digit()) fail("expected a value");
            if (!skip('0')) skip_digits();
            if (skip('.')) skip_digits();
            if (skip('e') || skip('E')) {
                if (!skip('+')) skip('-');
                skip_digits();
            }
        }
        return number{std::string{first, next_}};
    }

    void skip_digits() {
        if (!sees_digit()) fail("expected a digit");
        while (sees_digit()) ++next_;
    }

    std::string read_string() {
        ++next_;
        std::string text;
        for (;;) {
            const char* const first = next_;
            skip_verbatim();
            text.append(first, next_);
            if (at_end()) fail("the string has no closing quote");
            if (skip('"')) return text;
            if (!sees('\\')) fail("a control character in a string; write it as an escape");
            read_escape(text);
        }
    }

    /// Moves to the next quote, backslash or control character, checking UTF-8 on the way.
    void skip_verbatim() {
        for (;;) {
            next_ = find_not_plain(next_, end_);
            if (at_end()) return;
            const auto byte = static_cast<std::uint8_t>(*next_);
            if (byte < 0x7F) return;
            const auto sequence = base::decode_utf8({next_, end_});
            if (!sequence.well_formed) fail("invalid UTF-8");
            next_ += sequence.length;
        }
    }

    void read_escape(std::string& out) {
        const char* const backslash = next_++;
        if (at_end()) fail("the string has no closing quote");
        const char letter = *next_++;
        if (letter == 'u') {
            base::append_utf8(out, read_code_point(backslash));
        } else if (const std::size_t place = escape_letters.find(letter); place != std::string_view::npos) {
            out += escaped_characters[place];
        } else {
            next_ = backslash;
            fail("an unknown escape");
        }
    }

    char32_t read_code_point(const char* backslash) {
        const char32_t first = read_hex4();
        const bool high = first >= 0xD800 && first <= 0xDBFF;
        if (high && skip('\\') && skip('u')) {
            const char32_t second = read_hex4();
            if (second >= 0xDC00 && second <= 0xDFFF) return 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
        }
        if (first >= 0xD800 && first <= 0xDFFF) {
            next_ = backslash;
            fail("a lone surrogate");
        }
        return first;
    }

    char32_t read_hex4() {
        char32_t code_unit = 0;
        for (int i = 0; i < 4; ++i, ++next_) {
            if (at_end()) fail("expected four hexadecimal digits");
            code_unit = (code_unit << 4) | hex_digit(*next_);
        }
        return code_unit;
    }

    [[nodiscard]] char32_t hex_digit(char c) const {
        if (c >= '0' && c <= '9') return static_cast<char32_t>(c - '0');
        if (c >= 'a' && c <= 'f') return static_cast<char32_t>(c - 'a' + 10);
        if (c >= 'A' && c <= 'F') return static_cast<char32_t>(c - 'A' + 10);
        fail("expected four hexadecimal digits");
    }

    const char* begin_;
    const char* next_;
    const char* end_;
    unsigned depth_ = 0;
};

}  // namespace

value parse(std::string_view text) { return reader{text}.read_document(); }

}  // namespace sluice::json
