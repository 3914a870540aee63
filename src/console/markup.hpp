#pragma once

#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// HTML that is escaped by construction: text from outside becomes markup only by being escaped.
namespace sluice::console {

/// The name of an element, an attribute or a class: a literal of the source, so never something from outside.
class literal {
public:
    consteval literal(const char* text) : text_{text} {}
    [[nodiscard]] constexpr std::string_view text() const noexcept { return text_; }

private:
    std::string_view text_;
};

/// A piece of HTML. A text that is put where markup is expected is escaped.
///
/// Thread safety: a value type.
class markup {
public:
    markup() = default;
    markup(std::string_view text);
    markup(const std::string& text) : markup{std::string_view{text}} {}
    markup(const char* text) : markup{std::string_view{text}} {}
    template <std::integral Number>
        requires(!std::same_as<Number, bool> && !std::same_as<Number, char>)
    markup(Number number) : html_{std::to_string(number)} {}

    markup& operator+=(const markup& more) {
        html_ += more.html_;
        return *this;
    }
    friend markup operator+(markup a, const markup& b) { return std::move(a += b); }

    [[nodiscard]] const std::string& html() const noexcept { return html_; }
    [[nodiscard]] bool empty() const noexcept { return html_.empty(); }

private:
    friend struct attribute;
    friend markup element(literal, const std::vector<struct attribute>&, const markup&);
    friend markup void_element(literal, const std::vector<struct attribute>&);
    friend markup document(const markup& head, const markup& body);

    std::string html_{};
};

/// `name="value"`; the value is escaped.
struct attribute {
    attribute(literal called, std::string_view of);
    attribute(literal called, const std::string& of) : attribute{called, std::string_view{of}} {}
    attribute(literal called, const char* of) : attribute{called, std::string_view{of}} {}
    /// One without a value, which is there or not.
    attribute(literal called, bool present);

    std::string html{};  ///< with a blank before it; empty when it is not there
};

using attributes = std::vector<attribute>;

/// `<tag attributes>content</tag>`
[[nodiscard]] markup element(literal tag, const attributes& with, const markup& content);
[[nodiscard]] inline markup element(literal tag, const markup& content) { return element(tag, attributes{}, content); }
/// `<tag attributes>`, which has no content: `input`, `link`, `meta`.
[[nodiscard]] markup void_element(literal tag, const attributes& with);
/// A whole page.
[[nodiscard]] markup document(const markup& head, const markup& body);

/// `<a href="…">`. @param href  made by `target`, or a literal
[[nodiscard]] markup link(std::string_view href, const markup& content);

}  // namespace sluice::console
