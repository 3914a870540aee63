#include "console/markup.hpp"

#include <gtest/gtest.h>

namespace sluice::console {
namespace {

TEST(console_markup, text_from_outside_is_escaped_wherever_it_stands) {
    const std::string evil = R"(<script>alert("x")</script>&'`)";
    EXPECT_EQ(markup{evil}.html(), "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;&amp;&#39;`");
    const markup held = element("p", {{"title", evil}}, evil);
    EXPECT_EQ(held.html(), R"(<p title="&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;&amp;&#39;`">)"
                           "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;&amp;&#39;`</p>");
}

TEST(console_markup, markup_within_markup_is_not_escaped_again) {
    EXPECT_EQ(element("p", element("b", "a & b") + " < c").html(), "<p><b>a &amp; b</b> &lt; c</p>");
}

TEST(console_markup, bytes_that_are_no_text_and_characters_that_turn_it_are_replaced) {
    EXPECT_EQ(markup{"a\xFF"
                     "b"}
                  .html(),
              "a\xEF\xBF\xBD"
              "b");
    const markup with_controls{std::string_view{"a\0b\x1b[2J", 7}};
    EXPECT_EQ(with_controls.html(),
              "a\xEF\xBF\xBD"
              "b\xEF\xBF\xBD[2J");
    EXPECT_EQ(markup{"a\u202Eb"}.html(),
              "a\xEF\xBF\xBD"
              "b");
    EXPECT_EQ(markup{"a\n\tb ü"}.html(), "a\n\tb ü");
}

TEST(console_markup, an_attribute_without_a_value_is_there_or_not) {
    const markup input = void_element("input", {{"checked", true}, {"disabled", false}, {"name", "a"}});
    EXPECT_EQ(input.html(), R"(<input checked name="a">)");
}

}  // namespace
}  // namespace sluice::console
