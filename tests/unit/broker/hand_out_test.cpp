#include "broker/hand_out.hpp"

#include <gtest/gtest.h>

namespace sluice::broker {
namespace {

using step = hand_out_step;

TEST(hand_out, takes_up_to_the_limit) {
    hand_out decide{2};
    EXPECT_EQ(decide.pending("k1", holder::nobody), step::take);
    EXPECT_EQ(decide.fresh("k2"), step::take);
    EXPECT_EQ(decide.fresh("k3"), step::stop);
}

TEST(hand_out, takes_up_to_the_bytes_but_one_in_any_case) {
    hand_out decide{9, hand_out::default_max_parked, 100};
    EXPECT_EQ(decide.pending("k1", holder::nobody, 60), step::take);
    EXPECT_EQ(decide.fresh("k2", 40), step::take);
    EXPECT_EQ(decide.fresh("k3", 1), step::stop);
    hand_out one{9, hand_out::default_max_parked, 100};
    EXPECT_EQ(one.fresh("k1", 5000), step::take);
    EXPECT_EQ(one.fresh("k2", 0), step::stop);
}

TEST(hand_out, does_not_hand_out_again_what_the_reader_holds) {
    hand_out decide{9};
    EXPECT_EQ(decide.pending("k1", holder::reader), step::leave);
    EXPECT_EQ(decide.fresh("k1"), step::take) << "the reader itself keeps the order of what it holds";
}

TEST(hand_out, leaves_a_key_to_the_consumer_that_holds_an_earlier_message) {
    hand_out decide{9};
    EXPECT_EQ(decide.pending("k1", holder::somebody_else), step::leave);
    EXPECT_EQ(decide.pending("k1", holder::nobody), step::leave);
    EXPECT_EQ(decide.fresh("k1"), step::park);
    EXPECT_EQ(decide.fresh("k2"), step::take);
}

TEST(hand_out, takes_an_earlier_message_than_the_one_somebody_holds) {
    hand_out decide{9};
    EXPECT_EQ(decide.pending("k1", holder::nobody), step::take);
    EXPECT_EQ(decide.pending("k1", holder::somebody_else), step::leave);
    EXPECT_EQ(decide.fresh("k1"), step::park);
}

TEST(hand_out, has_no_order_without_a_key) {
    hand_out decide{9};
    EXPECT_EQ(decide.pending("", holder::somebody_else), step::leave);
    EXPECT_EQ(decide.fresh(""), step::take);
}

TEST(hand_out, stops_when_too_much_would_be_passed_over) {
    hand_out decide{9, 2};
    EXPECT_EQ(decide.pending("k1", holder::somebody_else), step::leave);
    EXPECT_EQ(decide.pending("k1", holder::nobody), step::leave) << "passed over earlier: counts";
    EXPECT_EQ(decide.fresh("k1"), step::park);
    EXPECT_EQ(decide.fresh("k1"), step::stop);
}

}  // namespace
}  // namespace sluice::broker
