#include "console/markup.hpp"

#include "base/utf8.hpp"

namespace sluice::console {

namespace {

constexpr char32_t replacement = 0xFFFD;

/// What no text of a page needs: control characters, and characters that turn the writing direction, by which a text
/// from outside could change how what stands around it reads.
bool is_unwanted(char32_t c) {
    constexpr char32_t space = 0x20;
    constexpr char32_t del = 0x7F;
    constexpr char32_t after_controls = 0xA0;
    if (c == U'\n' || c == U'\t') return false;
    if (c < space || (c >= del && c < after_controls)) return true;
    return (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0x200E || c == 0x200F || c == 0x061C;
}

void append_escaped(std::string& to, std::string_view text) {
    while (!text.empty()) {
        const auto next = base::decode_utf8(text);
        if (!next.well_formed || is_unwanted(next.code_point)) {
            base::append_utf8(to, replacement);
        } else {
            switch (next.code_point) {
                case U'&':
                    to += "&amp;";
                    break;
                case U'<':
                    to += "&lt;";
                    break;
                case U'>':
                    to += "&gt;";
                    break;
                case U'"':
                    to += "&quot;";
                    break;
                case U'\'':
                    to += "&#39;";
                    break;
                default:
                    to += text.substr(0, next.length);
            }
        }
        text.remove_prefix(next.length);
    }
}

void append_start(std::string& to, literal tag, const attributes& with) {
    to += '<';
    to += tag.text();
    for (const attribute& each : with) to += each.html;
    to += '>';
}

}  // namespace

markup::markup(std::string_view text) { append_escaped(html_, text); }

attribute::attribute(literal called, std::string_view of) {
    html = ' ';
    html += called.text();
    html += "=\"";
    append_escaped(html, of);
    html += '"';
}

attribute::attribute(literal called, bool present) {
    if (!present) return;
    html = ' ';
    html += called.text();
}

markup element(literal tag, const attributes& with, const markup& content) {
    markup result;
    append_start(result.html_, tag, with);
    result.html_ += content.html_;
    result.html_ += "</";
    result.html_ += tag.text();
    result.html_ += '>';
    return result;
}

markup void_element(literal tag, const attributes& with) {
    markup result;
    append_start(result.html_, tag, with);
    return result;
}

markup document(const markup& head, const markup& body) {
    markup result;
    result.html_ = "<!doctype html>\n<html lang=\"en\">" + head.html_ + body.html_ + "</html>\n";
    return result;
}

markup link(std::string_view href, const markup& content) { return element("a", {{"href", href}}, content); }

}  // namespace sluice::console
