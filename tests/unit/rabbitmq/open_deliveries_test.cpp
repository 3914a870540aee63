#include "broker/rabbitmq/open_deliveries.hpp"

#include <gmock/gmock.h>

#include "broker/rabbitmq/delivery_tag.hpp"

namespace sluice::broker::rabbitmq {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using said = open_deliveries::acknowledgement;
using tags = std::vector<std::uint64_t>;

class six_deliveries : public ::testing::Test {
protected:
    six_deliveries() {
        for (std::uint64_t tag = 1; tag <= 6; ++tag) open_.came(tag, tag == 3 ? 1 : 0);
    }
    open_deliveries open_;
};

TEST_F(six_deliveries, are_settled_together_only_up_to_the_first_that_is_open) {
    EXPECT_THAT(open_.settle(0, tags{1, 2, 4}), ElementsAre(said{2, true}, said{4, false}));
    EXPECT_THAT(open_.settle(0, tags{6}), ElementsAre(said{6, false}));
    EXPECT_THAT(open_.settle(1, tags{3}), ElementsAre(said{3, true}));
    EXPECT_THAT(open_.settle(0, tags{5}), ElementsAre(said{5, true}));
    EXPECT_EQ(open_.size(), 0U);
}

TEST_F(six_deliveries, are_settled_once_and_by_their_place) {
    EXPECT_THAT(open_.settle(1, tags{1, 2}), IsEmpty()) << "of another stream";
    EXPECT_THAT(open_.settle(0, tags{2, 2, 99}), ElementsAre(said{2, false}));
    EXPECT_THAT(open_.settle(0, tags{2}), IsEmpty()) << "twice closes the channel";
    open_.clear();
    EXPECT_THAT(open_.settle(0, tags{1}), IsEmpty());
}

TEST(delivery_tag, names_the_connection_and_the_number) {
    const auto tag = delivery_tag::parse("3-17");
    ASSERT_TRUE(tag);
    EXPECT_EQ(tag->generation, 3U);
    EXPECT_EQ(tag->number, 17U);
    EXPECT_EQ(tag->text(), "3-17");
    for (const char* const text : {"", "x", "3", "3-", "-3", "3-x", "3-1 ", "1 0", "3-99999999999999999999"}) {
        EXPECT_FALSE(delivery_tag::parse(text)) << text;
    }
}

}  // namespace
}  // namespace sluice::broker::rabbitmq
