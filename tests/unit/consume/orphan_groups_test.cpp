#include "consume/orphan_groups.hpp"

#include <gmock/gmock.h>

namespace sluice::consume {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

route reads(std::string group, std::string broker, std::vector<std::string> streams) {
    route made;
    made.group = std::move(group);
    made.broker = std::move(broker);
    made.streams = std::move(streams);
    return made;
}

TEST(orphan_groups, are_those_of_the_domain_that_no_route_reads) {
    const std::vector<route> routes{reads("shop.a", "default", {"shop::order", "shop::order:backfill"})};
    const broker::known_group read{"shop::order", "shop.a", "shop"};
    const broker::known_group backfill{"shop::order:backfill", "shop.a", "shop"};
    const broker::known_group other_stream{"shop::customer", "shop.a", "shop"};
    const broker::known_group renamed{"shop::order", "shop.b", "shop"};
    const broker::known_group of_another{"shop::order", "billing.c", "billing"};
    const broker::known_group of_nobody{"shop::order", "python", ""};
    EXPECT_THAT(
        orphan_groups({read, backfill, other_stream, renamed, of_another, of_nobody}, routes, "default", {}, "shop"),
        ElementsAre(other_stream, renamed));
    EXPECT_THAT(orphan_groups({read}, routes, "elsewhere", {}, "shop"), ElementsAre(read)) << "on another broker";
    EXPECT_THAT(orphan_groups({}, routes, "default", {}, "shop"), IsEmpty());
}

TEST(orphan_groups, are_none_that_a_route_reads_under_another_name_of_the_broker) {
    const std::vector<route> routes{reads("shop.a", "default", {"shop::order"})};
    const broker::known_group read{"shop::order", "shop.a", "shop"};
    const broker_places places{{"default", "redis one:6379/0"}, {"same", "redis one:6379/0"}, {"other", "redis two"}};
    EXPECT_THAT(orphan_groups({read}, routes, "same", places, "shop"), IsEmpty());
    EXPECT_THAT(orphan_groups({read}, routes, "other", places, "shop"), ElementsAre(read));
}

TEST(orphan_groups, come_with_what_to_do) {
    const std::string remedy = remedy_for({"shop::order", "shop.b", "shop"});
    EXPECT_THAT(remedy, HasSubstr(R"(.name = "shop.b")"));
    EXPECT_THAT(remedy, HasSubstr("sluice subscriptions rename shop.b NEW_NAME"));
    EXPECT_THAT(remedy, HasSubstr("sluice subscriptions retire shop.b --stream shop::order"));
}

}  // namespace
}  // namespace sluice::consume
