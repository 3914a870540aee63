#include "base/calendar_watch.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace sluice::base {
namespace {

using namespace std::chrono_literals;

class calendar_watch_test : public testing::Test {
protected:
    [[nodiscard]] bool trusts() {
        watch_.noted(now_);
        return now_.steady >= watch_.trusted_from();
    }

    calendar_watch watch_;
    moment now_{.steady = instant{1h}, .wall = date_time::from_micros(1'000'000'000)};
};

TEST_F(calendar_watch_test, trusts_a_calendar_that_goes_as_the_other_clock) {
    EXPECT_TRUE(trusts());
    now_ += 30 * 24h;
    EXPECT_TRUE(trusts());
    now_.wall += 30s;
    EXPECT_TRUE(trusts()) << "a correction";
    now_.wall += -24h;
    EXPECT_TRUE(trusts()) << "who is behind deletes nothing too early";
}

TEST_F(calendar_watch_test, does_not_trust_it_for_an_hour_after_a_jump_forward) {
    EXPECT_TRUE(trusts());
    now_.wall += 8 * 24h;
    EXPECT_FALSE(trusts());
    now_ += 59min;
    EXPECT_FALSE(trusts());
    now_ += 1min;
    EXPECT_TRUE(trusts());
}

TEST_F(calendar_watch_test, does_not_trust_it_for_an_hour_when_the_last_user_lived_at_another_time) {
    for (const duration apart : {8 * 24h, -8 * 24h}) {
        calendar_watch watch;
        watch.compare(now_.wall + apart, now_);
        EXPECT_EQ(watch.trusted_from(), now_.steady + 1h);
    }
    watch_.compare(now_.wall - 23h, now_);
    EXPECT_TRUE(trusts());
}

}  // namespace
}  // namespace sluice::base
