#include "observe/line_queue.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace sluice::observe {
namespace {

using ::testing::ElementsAre;

/// `a`, `-3` for three missing lines
std::vector<std::string> all_of(line_queue& queue) {
    std::vector<std::string> taken;
    while (!queue.empty() || queue.owes()) {
        const auto next = queue.take();
        taken.push_back(next.missing > 0 ? "-" + std::to_string(next.missing) : next.line);
    }
    return taken;
}

TEST(line_queue, keeps_the_order) {
    line_queue queue;
    EXPECT_TRUE(queue.push("a"));
    EXPECT_TRUE(queue.push("b"));
    EXPECT_THAT(all_of(queue), ElementsAre("a", "b"));
    EXPECT_EQ(queue.dropped(), 0u);
}

TEST(line_queue, is_bounded_in_lines_and_counts_the_rest) {
    line_queue queue{{.lines = 2}};
    for (const char* line : {"a", "b", "c", "d"}) queue.push(line);
    EXPECT_EQ(queue.dropped(), 2u);
    EXPECT_THAT(all_of(queue), ElementsAre("a", "b", "-2"));
    EXPECT_THAT(all_of(queue), ElementsAre());
}

TEST(line_queue, is_bounded_in_bytes) {
    line_queue queue{{.bytes = 10}};
    EXPECT_TRUE(queue.push("123456"));
    EXPECT_FALSE(queue.push("12345"));
    EXPECT_TRUE(queue.push("1234"));
    EXPECT_FALSE(queue.push("1"));
    EXPECT_FALSE(line_queue{{.bytes = 10}}.push("12345678901"));
}

TEST(line_queue, tells_what_is_missing_at_its_place) {
    line_queue queue{{.lines = 2}};
    for (const char* line : {"a", "b", "c"}) queue.push(line);
    EXPECT_EQ(queue.take().line, "a");
    EXPECT_EQ(queue.take().line, "b");
    queue.push("d");
    EXPECT_THAT(all_of(queue), ElementsAre("-1", "d"));
}

TEST(line_queue, counts_lines_that_could_not_be_written_once) {
    line_queue queue;
    queue.push("a");
    queue.give_back(queue.take());
    EXPECT_TRUE(queue.owes());
    queue.give_back(queue.take());  // nor could their number
    EXPECT_EQ(queue.dropped(), 1u);
    queue.push("b");
    EXPECT_THAT(all_of(queue), ElementsAre("-1", "b"));
}

}  // namespace
}  // namespace sluice::observe
