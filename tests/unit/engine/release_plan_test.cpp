#include "engine/release_plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using namespace std::chrono_literals;
using sluice::engine::release_plan;
using sluice::store::scheduled_message;
using testing::IsEmpty;
using testing::SizeIs;

constexpr sluice::date_time today = sluice::date_time::from_micros(1'000'000'000);
constexpr sluice::instant now{1h};

std::vector<scheduled_message> messages(int count) {
    std::vector<scheduled_message> all;
    for (int i = 0; i < count; ++i) all.push_back({.id = "m-" + std::to_string(i), .due = today, .message = {}});
    return all;
}

TEST(release_plan, releases_what_is_due_in_rounds) {
    release_plan plan{1s};
    EXPECT_EQ(plan.limit(), 100U);
    EXPECT_THAT(plan.choose(messages(7), now), SizeIs(7));
    EXPECT_THAT(plan.choose(messages(150), now), SizeIs(100));
}

TEST(release_plan, asks_for_fewer_when_others_were_faster_until_it_has_its_turn) {
    release_plan plan{1s};
    plan.contested(messages(100), now);
    EXPECT_EQ(plan.limit(), 50U);
    for (int i = 0; i < 10; ++i) plan.contested(messages(static_cast<int>(plan.limit())), now);
    EXPECT_GE(plan.limit(), 1U);
    EXPECT_THAT(plan.choose(messages(3), now + 2min), SizeIs(1));
    plan.released();
    EXPECT_THAT(plan.choose(messages(3), now + 2min), SizeIs(3));
}

TEST(release_plan, never_tries_one_message_for_ever) {
    release_plan plan{1s};
    plan.contested(messages(1), now);
    EXPECT_THAT(plan.choose(messages(1), now), SizeIs(1)) << "the other may have died";
    plan.contested(messages(1), now);
    EXPECT_THAT(plan.choose(messages(1), now), IsEmpty()) << "there is something wrong with it";
    EXPECT_THAT(plan.choose(messages(2), now), SizeIs(1)) << "the others go on";
    EXPECT_THAT(plan.choose(messages(1), now + 1min), SizeIs(1));
}

TEST(release_plan, finds_the_message_that_the_database_refuses_and_puts_it_off) {
    release_plan plan{1s};
    EXPECT_FALSE(plan.refused(messages(2), now));
    EXPECT_EQ(plan.limit(), 50U);
    EXPECT_TRUE(plan.refused(messages(1), now));
    const auto next = plan.choose(messages(2), now);
    ASSERT_THAT(next, SizeIs(1));
    EXPECT_EQ(next.front().id, "m-1");
    plan.released();
    EXPECT_EQ(plan.limit(), 101U) << "one more than a round, or those put off would hide the others";
}

TEST(release_plan, finds_the_message_that_is_hindered_and_puts_it_off_when_a_pause_did_not_help) {
    using step = release_plan::next_step;
    release_plan plan{1s};
    EXPECT_EQ(plan.hindered(messages(100), now), step::go_on);
    EXPECT_EQ(plan.limit(), 50U);
    EXPECT_EQ(plan.hindered(messages(1), now), step::pause);
    EXPECT_THAT(plan.choose(messages(1), now), SizeIs(1));
    EXPECT_EQ(plan.hindered(messages(1), now), step::put_off);
    const auto next = plan.choose(messages(2), now);
    ASSERT_THAT(next, SizeIs(1));
    EXPECT_EQ(next.front().id, "m-1");
    EXPECT_EQ(plan.hindered(next, now), step::pause) << "another one, too: perhaps all are";
}

TEST(release_plan, rests_until_the_next_is_due_and_never_longer_than_the_poll) {
    const release_plan plan{1s};
    EXPECT_EQ(plan.rest(std::nullopt, today), 1s);
    EXPECT_EQ(plan.rest(today + 300ms, today), 300ms);
    EXPECT_EQ(plan.rest(today + 1h, today), 1s);
    EXPECT_EQ(plan.rest(today, today), 1s) << "what is due and left over is put off: no spinning";
}

}  // namespace
