#include "envelope/percent_header.hpp"

#include <gtest/gtest.h>

#include "base/utf8.hpp"

namespace sluice::envelope {
namespace {

TEST(percent_header, encodes_as_the_http_binding_says) {
    EXPECT_EQ(percent_encoded("/shop/order"), "/shop/order");
    EXPECT_EQ(percent_encoded("a b"), "a%20b");
    EXPECT_EQ(percent_encoded("\u20ac \"%\""), "%E2%82%AC%20%22%25%22") << "upper case, byte by byte";
    EXPECT_EQ(percent_encoded("~!"), "~!");
    EXPECT_EQ(percent_encoded("a\r\nb"), "a%0D%0Ab") << "nothing can end a header";
    EXPECT_EQ(percent_encoded(""), "");
}

TEST(percent_header, decodes_once_and_takes_quotes_off_before) {
    EXPECT_EQ(percent_decoded("%E2%82%AC%20%22%25%22"), "\u20ac \"%\"");
    EXPECT_EQ(percent_decoded("%e2%82%ac"), "\u20ac") << "lower case is read, too";
    EXPECT_EQ(percent_decoded("%2541"), "%41");
    EXPECT_EQ(percent_decoded("\"a \\\"b\\\"\""), "a \"b\"");
    EXPECT_EQ(percent_decoded("\""), "\"");
    EXPECT_EQ(percent_decoded(""), "");
}

TEST(percent_header, refuses_what_nobody_encoded) {
    for (const char* bad : {"%", "%4", "%zz", "%+1", "a%2", "%FF", "%ED%A0%80"}) {
        EXPECT_EQ(percent_decoded(bad), std::nullopt) << bad;
    }
}

TEST(percent_header, brings_every_text_back) {
    for (char32_t c = 0; c < 0x3000; ++c) {
        std::string text = "\"";
        base::append_utf8(text, c);
        text += "%41\\\"";
        EXPECT_EQ(percent_decoded(percent_encoded(text)), text) << static_cast<unsigned>(c);
    }
}

}  // namespace
}  // namespace sluice::envelope
