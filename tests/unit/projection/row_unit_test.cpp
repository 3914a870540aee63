#include "projection/row_unit.hpp"

#include <gmock/gmock.h>

#include <map>
#include <string>

namespace sluice::projection {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

class row_unit_test : public ::testing::Test {
protected:
    [[nodiscard]] std::vector<store::row_write> writes() { return rows_.writes({}, random_); }
    [[nodiscard]] store::row_write only_write() {
        const auto all = writes();
        EXPECT_THAT(all, SizeIs(1));
        return all.at(0);
    }

    std::map<std::string, store::stored_row, std::less<>> table_{{"a", {.row = R"({"n":1})", .version = 41}}};
    int reads_ = 0;
    row_unit rows_{[this](std::string_view key) -> std::optional<store::stored_row> {
        ++reads_;
        const auto found = table_.find(key);
        return found == table_.end() ? std::nullopt : std::optional{found->second};
    }};
    base::seeded_random random_{1};
};

TEST_F(row_unit_test, reads_each_row_once_and_then_its_own_writes) {
    EXPECT_EQ(rows_.find("a"), R"({"n":1})");
    rows_.put("a", R"({"n":2})");
    EXPECT_EQ(rows_.find("a"), R"({"n":2})");
    rows_.remove("a");
    EXPECT_EQ(rows_.find("a"), std::nullopt);
    EXPECT_EQ(rows_.find("b"), std::nullopt);
    EXPECT_EQ(rows_.find("b"), std::nullopt);
    EXPECT_EQ(reads_, 2);
}

TEST_F(row_unit_test, writes_nothing_for_what_was_only_read_or_put_back_as_it_was) {
    static_cast<void>(rows_.find("a"));
    static_cast<void>(rows_.find("b"));
    rows_.put("a", R"({"n":1})");
    EXPECT_FALSE(rows_.changed());
    EXPECT_THAT(writes(), IsEmpty());
}

TEST_F(row_unit_test, expects_a_row_that_it_read_to_be_as_it_was) {
    static_cast<void>(rows_.find("a"));
    rows_.put("a", R"({"n":2})");
    EXPECT_EQ(only_write().expected, 41);
    EXPECT_NE(only_write().version, 0);
}

TEST_F(row_unit_test, expects_a_row_that_it_did_not_find_to_be_absent) {
    static_cast<void>(rows_.find("b"));
    rows_.put("b", "{}");
    EXPECT_EQ(only_write().expected, 0);
}

TEST_F(row_unit_test, writes_what_it_never_read_whatever_is_there) {
    rows_.put("a", "{}");
    EXPECT_EQ(only_write().expected, std::nullopt);
    EXPECT_EQ(reads_, 0);
}

TEST_F(row_unit_test, removes_what_is_there_and_forgets_what_never_was) {
    rows_.remove("a");
    static_cast<void>(rows_.find("b"));
    rows_.put("b", "{}");
    rows_.remove("b");
    const auto removed = only_write();
    EXPECT_EQ(removed.key, "a");
    EXPECT_EQ(removed.row, "");
}

TEST_F(row_unit_test, gives_every_write_a_number_of_its_own) {
    rows_.put("a", "{}");
    rows_.put("b", "{}");
    const auto all = writes();
    EXPECT_NE(all.at(0).version, all.at(1).version);
}

}  // namespace
}  // namespace sluice::projection
