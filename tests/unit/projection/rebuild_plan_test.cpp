#include "projection/rebuild_plan.hpp"

#include <gtest/gtest.h>

namespace sluice::projection {
namespace {

using namespace rebuild_action;
using namespace std::chrono_literals;

class rebuild_plan_test : public ::testing::Test {
protected:
    template <class Action>
    Action expect(rebuild_plan& plan) {
        const auto next = plan.next(now_);
        const auto* found = std::get_if<Action>(&next);
        EXPECT_NE(found, nullptr) << "action " << next.index();
        return found == nullptr ? Action{} : *found;
    }
    rebuild_plan::time_point now_{};
};

TEST_F(rebuild_plan_test, reads_what_is_final_in_bounded_steps_and_goes_on_where_it_stood) {
    rebuild_plan plan{100};
    expect<look>(plan);
    plan.looked({.head = 120'000, .writers = {}});
    EXPECT_EQ(expect<apply>(plan).after, 100);
    EXPECT_EQ(expect<apply>(plan).upto, 50'100);
    plan.applied(50'100);
    EXPECT_EQ(expect<apply>(plan).upto, 100'100);
    plan.applied(700);
    EXPECT_EQ(expect<apply>(plan).after, 700) << "less was read than was asked for";
}

TEST_F(rebuild_plan_test, finishes_at_the_head_that_it_sees_under_the_lock) {
    rebuild_plan plan{10};
    expect<look>(plan);
    plan.looked({.head = 10, .writers = {}});
    expect<rebuild_action::lock>(plan);
    plan.locked(now_);
    expect<look>(plan);
    plan.looked({.head = 12, .writers = {}});
    const auto end = expect<finish>(plan);
    EXPECT_EQ(end.after, 10);
    EXPECT_EQ(end.upto, 12);
}

TEST_F(rebuild_plan_test, waits_under_the_lock_for_who_wrote_then_but_not_for_long) {
    rebuild_plan plan{10};
    plan.looked({.head = 10, .writers = {"w"}});
    expect<rebuild_action::lock>(plan);
    plan.locked(now_);
    plan.looked({.head = 12, .writers = {"w"}});
    expect<rest>(plan);
    expect<look>(plan);
    plan.looked({.head = 15, .writers = {"w"}});
    now_ += 1s;
    expect<unlock>(plan);
    plan.unlocked(now_);
    plan.looked({.head = 15, .writers = {"x"}});
    expect<apply>(plan);
    plan.applied(12);
    plan.looked({.head = 15, .writers = {"x"}});
    expect<rest>(plan);  // not at once again: projectors want their turn
    now_ += 100ms;
    plan.looked({.head = 15, .writers = {"x"}});
    expect<rebuild_action::lock>(plan);
    plan.locked(now_);
    plan.looked({.head = 15, .writers = {"x"}});
    plan.looked({.head = 18, .writers = {"y"}});
    EXPECT_EQ(expect<finish>(plan).upto, 15) << "what is above 15 was written after the lock was got";
}

TEST_F(rebuild_plan_test, is_not_content_with_what_was_final_before_the_lock) {
    rebuild_plan plan{10};
    plan.looked({.head = 10, .writers = {}});
    plan.locked(now_);
    plan.looked({.head = 11, .writers = {"w"}});
    expect<rest>(plan);
}

TEST_F(rebuild_plan_test, asks_for_the_lock_only_when_little_is_left) {
    rebuild_plan plan{0};
    plan.looked({.head = 5'000, .writers = {"w"}});
    expect<rest>(plan);
    expect<look>(plan);
    plan.locked(now_);
    plan.looked({.head = 5'000, .writers = {}});
    expect<unlock>(plan);
}

TEST_F(rebuild_plan_test, tells_who_holds_it_up) {
    rebuild_plan plan{0};
    plan.looked({.head = 5'000, .writers = {"v", "w"}});
    expect<rest>(plan);
    EXPECT_EQ(plan.waiting_for(), 2U);
}

}  // namespace
}  // namespace sluice::projection
