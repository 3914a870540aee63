#include "cli/table.hpp"

#include <gtest/gtest.h>

namespace sluice::cli {
namespace {

TEST(Table, AlignsColumnsAndCutsNothing) {
    table t{{{"NAME"}, {"COUNT", alignment::right}, {"NOTE"}}};
    t.add({"a", "1,000", "x"});
    t.add({"a-name-longer-than-its-title", "7", ""});
    EXPECT_EQ(t.render(console{}),
              "NAME                          COUNT  NOTE\n"
              "a                             1,000  x\n"
              "a-name-longer-than-its-title      7\n");
}

TEST(Table, LeavesOutAColumnWithoutValues) {
    table t{{{"A"}, {"EMPTY"}, {"B"}}};
    t.add({"1", "", "2"});
    EXPECT_EQ(t.render(console{}), "A  B\n1  2\n");
}

TEST(Table, CountsCharactersAndNotBytes) {
    table t{{{"A"}, {"B"}}};
    t.add({"Größe", "1"});
    t.add({"klein", "2"});
    EXPECT_EQ(t.render(console{}), "A      B\nGröße  1\nklein  2\n");
}

TEST(Table, ValuesCannotBreakItOrDriveTheTerminal) {
    table t{{{"A"}, {"B"}}};
    t.add({"x\ny\x1b[2J", "1"});
    EXPECT_EQ(t.render(console{}), "A            B\nx\\ny\\x1b[2J  1\n");
}

TEST(Table, RefusesARowOfAnotherLength) {
    table t{{{"A"}, {"B"}}};
    EXPECT_THROW(t.add({"1"}), std::logic_error);
}

TEST(SafeLines, KeepsLineBreaksAndNothingElse) {
    EXPECT_EQ(safe_lines("a\nb\x1b[1m\n"), "a\nb\\x1b[1m\n");
    EXPECT_EQ(indented("a\nb\tc", 2), "  a\n  b\\tc");
}

}  // namespace
}  // namespace sluice::cli
