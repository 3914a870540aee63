#include "base/hex.hpp"
#include "base/json_text.hpp"
#include "base/utf8.hpp"

#include <sluice/json.hpp>

#include <algorithm>

namespace sluice::json {
namespace {

enum class charset { utf8, ascii };

constexpr char32_t replacement_character = 0xFFFD;

/// Appends `\uXXXX`, with lower-case digits as Python writes them.
void append_code_unit(std::string& out, char32_t unit) {
    out += "\\u";
    base::append_hex(out, unit, 4);
}

void append_escaped(std::string& out, char32_t code_point) {
    if (code_point < 0x10000) {
        append_code_unit(out, code_point);
    } else {
        append_code_unit(out, 0xD800 + ((code_point - 0x10000) >> 10));
        append_code_unit(out, 0xDC00 + ((code_point - 0x10000) & 0x3FF));
    }
}

/// Appends the character at the front of `text`, which is not plain. Returns how many bytes it took.
std::size_t append_special(std::string& out, std::string_view text, charset allowed) {
    if (const std::size_t place = escaped_characters.find(text.front()); place != std::string_view::npos) {
        out += '\\';
        out += escape_letters[place];
        return 1;
    }
    const base::utf8_sequence sequence = base::decode_utf8(text);
    const char32_t code_point = sequence.well_formed ? sequence.code_point : replacement_character;
    if (code_point < 0x20 || allowed == charset::ascii) {
        append_escaped(out, code_point);
    } else if (sequence.well_formed) {
        out.append(text, 0, sequence.length);
    } else {
        base::append_utf8(out, code_point);
    }
    return sequence.length;
}

void append_quoted(std::string& out, std::string_view text, charset allowed) {
    out += '"';
    const char* next = text.data();
    const char* const end = next + text.size();
    for (;;) {
        const char* const special = find_not_plain(next, end);
        out.append(next, special);
        if (special == end) break;
        next = special + append_special(out, {special, end}, allowed);
    }
    out += '"';
}

class writer {
public:
    writer(std::string& out, style s) noexcept
        : out_{out},
          charset_{s == style::compact || s == style::pretty ? charset::utf8 : charset::ascii},
          python_numbers_{s == style::canonical || s == style::python},
          sorted_{s == style::canonical},
          indented_{s == style::pretty},
          comma_{s == style::python ? ", " : ","},
          colon_{s == style::python || s == style::pretty ? ": " : ":"} {}

    void write(const value& v) {
        switch (v.kind()) {
            case kind::null:
                out_ += "null";
                return;
            case kind::boolean:
                out_ += v.as_bool() ? "true" : "false";
                return;
            case kind::number:
                write(v.as_number());
                return;
            case kind::string:
                append_quoted(out_, v.as_string(), charset_);
                return;
            case kind::array:
                write(v.as_array());
                return;
            case kind::object:
                write(v.as_object());
                return;
        }
    }

private:
    void write(const number& n) {
        if (python_numbers_) {
            append_python_number(out_, n.text);
        } else {
            out_ += n.text;
        }
    }

    void write(const array& elements) {
        write_all('[', elements, ']', [this](const value& element) { write(element); });
    }

    void write(const object& members) {
        if (!sorted_ || std::is_sorted(members.begin(), members.end(), by_key)) {
            write_all('{', members, '}', [this](const object::member& member) { write(member); });
            return;
        }
        std::vector<const object::member*> order;
        order.reserve(members.size());
        for (const object::member& member : members) order.push_back(&member);
        std::sort(order.begin(), order.end(), [](const auto* a, const auto* b) { return by_key(*a, *b); });
        write_all('{', order, '}', [this](const object::member* member) { write(*member); });
    }

    void write(const object::member& member) {
        append_quoted(out_, member.first, charset_);
        out_ += colon_;
        write(member.second);
    }

    template <class Range, class Write>
    void write_all(char opening, const Range& elements, char closing, Write write_one) {
        out_ += opening;
        ++depth_;
        bool first = true;
        for (const auto& element : elements) {
            if (!first) out_ += comma_;
            first = false;
            break_line();
            write_one(element);
        }
        --depth_;
        if (!first) break_line();
        out_ += closing;
    }

    void break_line() {
        if (!indented_) return;
        out_ += '\n';
        out_.append(2 * depth_, ' ');
    }

    /// The order of UTF-8 bytes is the order of code points.
    static bool by_key(const object::member& a, const object::member& b) { return a.first < b.first; }

    std::string& out_;
    charset charset_;
    bool python_numbers_;
    bool sorted_;
    bool indented_;
    std::string_view comma_;
    std::string_view colon_;
    std::size_t depth_ = 0;
};

}  // namespace

void dump_to(std::string& out, const value& v, style s) { writer{out, s}.write(v); }

std::string dump(const value& v, style s) {
    std::string out;
    dump_to(out, v, s);
    return out;
}

void append_string(std::string& out, std::string_view text) { append_quoted(out, text, charset::utf8); }

}  // namespace sluice::json
