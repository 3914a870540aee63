#include "cli/workers/reload_round.hpp"

#include <gtest/gtest.h>

namespace sluice::cli {
namespace {

using namespace std::chrono_literals;

class reload_round_test : public testing::Test {
protected:
    reload_round::instant now_{1h};
    reload_round round_{10s};
};

TEST_F(reload_round_test, tells_one_after_the_other) {
    EXPECT_EQ(round_.next(now_), std::nullopt);
    round_.begin({101, 102});
    EXPECT_EQ(round_.next(now_), 101);
    EXPECT_EQ(round_.next(now_), std::nullopt) << "it is at it";
    round_.answered(102, true);
    EXPECT_EQ(round_.next(now_), std::nullopt) << "nobody had asked that one";
    round_.answered(101, true);
    EXPECT_EQ(round_.next(now_), 102);
    round_.answered(102, true);
    EXPECT_EQ(round_.next(now_), std::nullopt);
    EXPECT_EQ(round_.until(), std::nullopt);
    EXPECT_EQ(round_.left_alone(), std::nullopt);
}

TEST_F(reload_round_test, leaves_the_others_alone_when_one_does_not_take_it_over) {
    round_.begin({101, 102, 103});
    EXPECT_EQ(round_.next(now_), 101);
    round_.answered(101, false);
    EXPECT_EQ(round_.left_alone(), 2U);
    EXPECT_EQ(round_.left_alone(), std::nullopt) << "told once";
    EXPECT_EQ(round_.next(now_), std::nullopt);
}

TEST_F(reload_round_test, leaves_the_others_alone_when_one_dies_of_it) {
    round_.begin({101, 102});
    EXPECT_EQ(round_.next(now_), 101);
    round_.ended(101);
    EXPECT_EQ(round_.left_alone(), 1U);
    EXPECT_EQ(round_.next(now_), std::nullopt);
}

TEST_F(reload_round_test, leaves_the_others_alone_when_one_takes_too_long) {
    round_.begin({101, 102});
    EXPECT_EQ(round_.next(now_), 101);
    EXPECT_EQ(round_.until(), now_ + 10s);
    round_.time_is(now_ + 9s);
    EXPECT_EQ(round_.left_alone(), std::nullopt);
    round_.time_is(now_ + 10s);
    EXPECT_EQ(round_.left_alone(), 1U);
    EXPECT_EQ(round_.until(), std::nullopt);
}

TEST_F(reload_round_test, one_that_ended_meanwhile_is_not_told) {
    round_.begin({101, 102, 103});
    EXPECT_EQ(round_.next(now_), 101);
    round_.ended(102);
    round_.answered(101, true);
    EXPECT_EQ(round_.next(now_), 103);
    EXPECT_EQ(round_.left_alone(), std::nullopt);
}

TEST_F(reload_round_test, a_second_request_reaches_all_once_more) {
    round_.begin({101, 102});
    EXPECT_EQ(round_.next(now_), 101);
    round_.begin({101, 102});
    EXPECT_EQ(round_.next(now_), std::nullopt) << "the first is still at it";
    round_.answered(101, true);
    EXPECT_EQ(round_.next(now_), 101) << "what it has read may be older than the request";
    round_.answered(101, true);
    EXPECT_EQ(round_.next(now_), 102);
}

}  // namespace
}  // namespace sluice::cli
