#include "outbox/stream_holds.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace sluice::outbox {
namespace {

using namespace std::chrono_literals;

constexpr auto now = instant{1'000s};

TEST(stream_holds, is_empty_at_first) {
    const stream_holds holds;
    EXPECT_TRUE(holds.empty());
    EXPECT_FALSE(holds.contains("a"));
    EXPECT_FALSE(holds.lowest());
    EXPECT_FALSE(holds.next_due());
    EXPECT_FALSE(holds.first_due(now));
}

TEST(stream_holds, tells_the_stream_that_is_due_first) {
    stream_holds holds;
    holds.set("late", 5, now + 10s);
    holds.set("early", 9, now + 5s);
    EXPECT_FALSE(holds.first_due(now + 4s));
    EXPECT_EQ(holds.next_due(), now + 5s);
    EXPECT_EQ(holds.first_due(now + 5s), "early");
    EXPECT_EQ(holds.lowest(), 5);
    EXPECT_EQ(holds.size(), 2U);
}

TEST(stream_holds, takes_the_newer_word_about_a_stream) {
    stream_holds holds;
    holds.set("a", 5, now);
    holds.set("a", 8, now + 5s);
    EXPECT_EQ(holds.size(), 1U);
    EXPECT_EQ(holds.lowest(), 8);
    EXPECT_FALSE(holds.first_due(now));
    EXPECT_EQ(holds.find("a")->from, 8);
}

TEST(stream_holds, does_not_offer_a_stream_that_is_travelling) {
    stream_holds holds;
    holds.set("a", 5, now);
    holds.travel("a");
    EXPECT_TRUE(holds.contains("a"));
    EXPECT_FALSE(holds.first_due(now + 1h));
    EXPECT_FALSE(holds.next_due());
    EXPECT_EQ(holds.lowest(), 5) << "its rows are still open";
    holds.set("a", 7, now);
    EXPECT_EQ(holds.first_due(now), "a");
}

TEST(stream_holds, forgets_what_is_released) {
    stream_holds holds;
    holds.set("a", 5, now);
    holds.set("b", 5, now);
    holds.release("a");
    holds.release("never held");
    EXPECT_EQ(holds.lowest(), 5) << "b starts at the same number";
    EXPECT_EQ(holds.first_due(now), "b");
    holds.travel("b");
    holds.release("b");
    EXPECT_TRUE(holds.empty());
    EXPECT_FALSE(holds.lowest());
}

TEST(stream_holds, clears) {
    stream_holds holds;
    holds.set("a", 5, now);
    holds.clear();
    EXPECT_TRUE(holds.empty());
    EXPECT_FALSE(holds.next_due());
    EXPECT_FALSE(holds.lowest());
}

}  // namespace
}  // namespace sluice::outbox
