#include "http/vital_signs.hpp"

#include <gtest/gtest.h>

namespace sluice::http {
namespace {

using namespace std::chrono_literals;

class vital_signs_test : public testing::Test {
protected:
    instant now_{};
    vital_signs signs_{5s};
};

TEST_F(vital_signs_test, know_nothing_before_the_first_answer) {
    EXPECT_EQ(signs_.at(now_).is, sign::unknown);
    signs_.asked(now_);
    EXPECT_EQ(signs_.at(now_ + 5s).is, sign::unknown);
    EXPECT_FALSE(signs_.at(now_).age);
    EXPECT_STREQ(to_string(sign::unknown), "unavailable");
}

TEST_F(vital_signs_test, show_the_last_answer_and_its_age) {
    signs_.asked(now_);
    signs_.answered(now_ + 1s);
    EXPECT_EQ(signs_.at(now_ + 3s).is, sign::ok);
    EXPECT_EQ(signs_.at(now_ + 3s).age, duration{2s});

    signs_.asked(now_ + 3s);
    signs_.failed(now_ + 4s, "no such host");
    EXPECT_EQ(signs_.at(now_ + 4s).is, sign::unavailable);
    EXPECT_EQ(signs_.at(now_ + 4s).reason, "no such host");
}

TEST_F(vital_signs_test, lose_their_patience_with_whoever_does_not_answer) {
    signs_.asked(now_);
    signs_.answered(now_);
    signs_.asked(now_ + 2s);
    EXPECT_EQ(signs_.at(now_ + 7s).is, sign::ok) << "the last answer holds while there is patience";
    EXPECT_EQ(signs_.at(now_ + 9s).is, sign::unavailable);
    EXPECT_EQ(signs_.at(now_ + 9s).reason, "no answer for 7 s");
    signs_.answered(now_ + 9s);
    EXPECT_EQ(signs_.at(now_ + 9s).is, sign::ok);
}

TEST(pause_after, keeps_looking_below_a_fiftieth_of_the_time) {
    EXPECT_EQ(pause_after(1ms, 2s), duration{2s});
    EXPECT_EQ(pause_after(200ms, 2s), duration{10s});
    EXPECT_EQ(pause_after(1min, 2s), duration{1min}) << "but what is seen does not get older than a minute or so";
}

}  // namespace
}  // namespace sluice::http
