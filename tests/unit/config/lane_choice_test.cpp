#include "config/lane_choice.hpp"

#include <gtest/gtest.h>

namespace sluice::config {
namespace {

TEST(lane_choice, a_star_stands_for_any_characters) {
    EXPECT_TRUE(fits("OrderShipped", "OrderShipped"));
    EXPECT_TRUE(fits("Order*", "OrderShipped"));
    EXPECT_TRUE(fits("*Shipped", "OrderShipped"));
    EXPECT_TRUE(fits("*", ""));
    EXPECT_TRUE(fits("**", "x"));
    EXPECT_TRUE(fits("O*r*d", "OrderShipped"));
    EXPECT_TRUE(fits("*ab", "aab"));
    EXPECT_TRUE(fits("a*", "a"));
    EXPECT_FALSE(fits("", "a"));
    EXPECT_FALSE(fits("Order", "OrderShipped"));
    EXPECT_FALSE(fits("Shipped", "OrderShipped"));
    EXPECT_FALSE(fits("*ab", "aba"));
    EXPECT_FALSE(fits("order*", "OrderShipped"));
}

class lane_choice_test : public ::testing::Test {
protected:
    lane_choice_test() {
        event_.name = "OrderShipped";
        event_.type = "Shop.OrderShipped.v2";
        aggregate_.name = "Order";
        aggregate_.category = "shop::order";
    }

    [[nodiscard]] bool is_wanted(std::optional<std::vector<std::string>> events,
                                 std::optional<std::vector<std::string>> aggregates) const {
        lane_options lane;
        lane.events = std::move(events);
        lane.aggregates = std::move(aggregates);
        return wants(lane, event_, aggregate_);
    }

    detail::event_entry event_;
    detail::aggregate_entry aggregate_;
};

TEST_F(lane_choice_test, a_lane_without_a_choice_wants_everything) { EXPECT_TRUE(is_wanted({}, {})); }

TEST_F(lane_choice_test, events_are_meant_by_name_or_type) {
    EXPECT_TRUE(is_wanted({{"OrderShipped"}}, {}));
    EXPECT_TRUE(is_wanted({{"Shop.*"}}, {}));
    EXPECT_TRUE(is_wanted({{"Nothing", "Shop.OrderShipped"}}, {}));
    EXPECT_FALSE(is_wanted({{"Shop.OrderShipped.v2"}}, {})) << "a lane gets every version of an event";
    EXPECT_FALSE(is_wanted({{"Order"}}, {}));
}

TEST_F(lane_choice_test, aggregates_are_meant_by_name_or_category) {
    EXPECT_TRUE(is_wanted({}, {{"Order"}}));
    EXPECT_TRUE(is_wanted({}, {{"shop::*"}}));
    EXPECT_FALSE(is_wanted({}, {{"Parcel"}}));
}

TEST_F(lane_choice_test, an_event_must_fit_both_choices) {
    EXPECT_TRUE(is_wanted({{"Order*"}}, {{"Order"}}));
    EXPECT_FALSE(is_wanted({{"Order*"}}, {{"Parcel"}}));
    EXPECT_FALSE(is_wanted({{"Parcel*"}}, {{"Order"}}));
}

}  // namespace
}  // namespace sluice::config
