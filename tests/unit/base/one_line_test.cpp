#include "base/one_line.hpp"

#include <gtest/gtest.h>

namespace {

using sluice::base::one_line;

TEST(one_line, replaces_control_characters) { EXPECT_EQ(one_line("a\nb\tc\x1b[31m\x7f"), "a b c [31m "); }

TEST(one_line, replaces_what_is_no_utf8) {
    EXPECT_EQ(one_line("M\xfcnchen \xc3\xbc \xc3"), "M\xef\xbf\xbdnchen \xc3\xbc \xef\xbf\xbd");
}

TEST(one_line, cuts_between_characters) {
    EXPECT_EQ(one_line("abc", 3), "abc");
    EXPECT_EQ(one_line("abcd", 3), "abc…");
    EXPECT_EQ(one_line("ab\xc3\xbc", 3), "ab…") << "no half a character";
    EXPECT_EQ(one_line("\x80\x80\x80", 2), "…") << "not even in broken text";
    EXPECT_EQ(one_line("\x80\x80\x80", 6), "\xef\xbf\xbd\xef\xbf\xbd…");
}

}  // namespace
