#include "broker/rabbitmq/confirms.hpp"

#include <gmock/gmock.h>

namespace sluice::broker::rabbitmq {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<confirms::ticket> tickets(const std::vector<confirms::answer>& answers) {
    std::vector<confirms::ticket> of;
    for (const auto& each : answers) of.push_back(each.of);
    return of;
}

class confirms_of_five : public ::testing::Test {
protected:
    confirms_of_five() {
        for (confirms::ticket each = 1; each <= 5; ++each)
            open_.sent(each * 10, "m" + std::to_string(each), "shop.order");
    }
    confirms open_;
};

TEST_F(confirms_of_five, come_one_by_one_or_for_all_up_to_one_in_any_order) {
    EXPECT_THAT(tickets(open_.settle(2, false)), ElementsAre(20));
    EXPECT_THAT(tickets(open_.settle(5, false)), ElementsAre(50));
    EXPECT_THAT(tickets(open_.settle(4, true)), ElementsAre(10, 30, 40));
    EXPECT_EQ(open_.open(), 0U);
}

TEST_F(confirms_of_five, of_what_is_not_open_mean_nothing) {
    EXPECT_THAT(open_.settle(17, false), IsEmpty());
    EXPECT_THAT(tickets(open_.settle(1, false)), ElementsAre(10));
    EXPECT_THAT(open_.settle(1, false), IsEmpty()) << "twice";
    EXPECT_THAT(tickets(open_.settle(0, true)), ElementsAre(20, 30, 40, 50)) << "0 is all";
}

TEST_F(confirms_of_five, mark_what_was_returned_before) {
    open_.returned("m3", "shop.order");
    open_.returned("m4", "another.key");
    open_.returned("unknown", "shop.order");
    const auto answers = open_.settle(5, true);
    ASSERT_EQ(answers.size(), 5U);
    for (const auto& each : answers) EXPECT_EQ(each.is_returned, each.of == 30) << each.of;
}

TEST_F(confirms_of_five, tell_two_messages_of_one_id_apart_by_their_number) {
    open_.sent(60, "m1", "shop.order");
    open_.returned("m1", "shop.order");
    open_.returned("m1", "shop.order");
    EXPECT_TRUE(open_.settle(1, false).at(0).is_returned);
    EXPECT_TRUE(open_.settle(6, false).at(0).is_returned);
}

TEST_F(confirms_of_five, count_anew_on_a_new_channel) {
    open_.clear();
    open_.sent(70, "m7", "shop.order");
    EXPECT_THAT(tickets(open_.settle(1, false)), ElementsAre(70));
}

}  // namespace
}  // namespace sluice::broker::rabbitmq
