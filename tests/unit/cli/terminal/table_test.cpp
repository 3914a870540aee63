#include "cli/terminal/table.hpp"

#include <gtest/gtest.h>

namespace sluice::cli {
namespace {

TEST(table, aligns_columns_and_cuts_nothing) {
    table t{{{"NAME"}, {"COUNT", alignment::right}, {"NOTE"}}};
    t.add({"a", "1,000", "x"});
    t.add({"a-name-longer-than-its-title", "7", ""});
    EXPECT_EQ(t.render(console{}),
              "NAME                          COUNT  NOTE\n"
              "a                             1,000  x\n"
              "a-name-longer-than-its-title      7\n");
}

TEST(table, leaves_out_a_column_without_values) {
    table t{{{"A"}, {"EMPTY"}, {"B"}}};
    t.add({"1", "", "2"});
    EXPECT_EQ(t.render(console{}), "A  B\n1  2\n");
}

TEST(table, counts_characters_and_not_bytes) {
    table t{{{"A"}, {"B"}}};
    t.add({"Größe", "1"});
    t.add({"klein", "2"});
    EXPECT_EQ(t.render(console{}), "A      B\nGröße  1\nklein  2\n");
}

TEST(table, values_cannot_break_it_or_drive_the_terminal) {
    table t{{{"A"}, {"B"}}};
    t.add({"x\ny\x1b[2J", "1"});
    EXPECT_EQ(t.render(console{}), "A            B\nx\\ny\\x1b[2J  1\n");
}

TEST(growing_table, becomes_wider_and_never_narrower) {
    growing_table t{{{"NAME"}, {"COUNT", alignment::right}, {"NOTE"}}};
    EXPECT_EQ(t.header(console{}), "NAME  COUNT  NOTE");
    EXPECT_EQ(t.row({"a", "1", "x"}, console{}), "a         1  x");
    EXPECT_EQ(t.row({"a-longer-one", "7", ""}, console{}), "a-longer-one      7");
    EXPECT_EQ(t.row({"b\n", "8", "y"}, console{}), "b\\n               8  y");
    EXPECT_THROW(static_cast<void>(t.row({"1"}, console{})), std::logic_error);
}

TEST(table, refuses_a_row_of_another_length) {
    table t{{{"A"}, {"B"}}};
    EXPECT_THROW(t.add({"1"}), std::logic_error);
}

TEST(safe_lines, keeps_line_breaks_and_nothing_else) {
    EXPECT_EQ(safe_lines("a\nb\x1b[1m\n"), "a\nb\\x1b[1m\n");
    EXPECT_EQ(indented("a\nb\tc", 2), "  a\n  b\\tc");
}

}  // namespace
}  // namespace sluice::cli
