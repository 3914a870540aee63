#include "operate/subscriptions.hpp"

#include <gtest/gtest.h>

namespace sluice::operate {
namespace {

consume::route route(const std::string& name, const std::string& broker, std::vector<std::string> streams) {
    consume::route made;
    made.name = name;
    made.broker = broker;
    made.streams = std::move(streams);
    made.group = name;
    return made;
}

broker::group_status counts(const std::string& stream, const std::string& group, std::int64_t lag, std::int64_t dead) {
    return {.stream = stream, .group = group, .length = 10, .lag = lag, .pending = 2, .dead = dead};
}

subscription_row row_of(const groups_by_broker& seen) {
    static const std::vector<consume::route> routes{route("shop.notify", "default", {"shop::order"})};
    return view_subscriptions(routes, seen).at(0);
}

TEST(view_subscriptions, has_a_row_for_each_stream_in_the_order_of_the_routes) {
    const std::vector<consume::route> routes{route("shop.notify", "default", {"shop::order", "shop::order:backfill"}),
                                             route("shop.listen", "partner", {"other::thing"})};
    const auto rows = view_subscriptions(routes, {{"default", {counts("shop::order:backfill", "shop.notify", 7, 0)}}});
    ASSERT_EQ(rows.size(), 3u);
    EXPECT_EQ(rows[0].stream, "shop::order");
    EXPECT_FALSE(rows[0].backfill);
    EXPECT_EQ(rows[0].state, subscription_state::never_read);
    EXPECT_EQ(rows[1].stream, "shop::order:backfill");
    EXPECT_TRUE(rows[1].backfill);
    EXPECT_EQ(rows[1].group->lag, 7);
    EXPECT_EQ(rows[2].of->name, "shop.listen");
    EXPECT_EQ(rows[2].state, subscription_state::unknown) << "its broker was not seen";
    EXPECT_FALSE(rows[2].group);
}

TEST(view_subscriptions, tells_how_each_stands) {
    EXPECT_EQ(row_of({{"default", {counts("shop::order", "shop.notify", 0, 0)}}}).state, subscription_state::ok);
    EXPECT_EQ(row_of({{"default", {counts("shop::order", "shop.notify", 1, 0)}}}).state, subscription_state::lagging);
    EXPECT_EQ(row_of({{"default", {counts("shop::order", "shop.notify", 1, 1)}}}).state,
              subscription_state::dead_letters);
    EXPECT_EQ(row_of({{"default", {}}}).state, subscription_state::never_read);
    EXPECT_EQ(row_of({}).state, subscription_state::unknown);
}

TEST(view_subscriptions, counts_the_own_group_on_the_own_broker_only) {
    EXPECT_EQ(row_of({{"default", {counts("shop::order", "shop.other", 1, 0)}}}).state, subscription_state::never_read);
    EXPECT_EQ(row_of({{"default", {counts("shop::shipment", "shop.notify", 1, 0)}}}).state,
              subscription_state::never_read);
    EXPECT_EQ(row_of({{"other", {counts("shop::order", "shop.notify", 1, 0)}}}).state, subscription_state::unknown);
}

TEST(subscriptions_to_json, shows_a_row_with_its_counts_and_sums_up_the_states) {
    const std::vector<consume::route> routes{route("shop.notify", "default", {"shop::order"}),
                                             route("shop.listen", "partner", {"other::thing"})};
    subscriptions_view view{
        .subscriptions = view_subscriptions(routes, {{"default", {counts("shop::order", "shop.notify", 7, 0)}}})};
    view.away.push_back({outage::kind::broker, "partner", "no such host"});
    const json::value shown = to_json(view);
    EXPECT_EQ(json::dump(shown.at("subscriptions").at(0)),
              R"({"handler":"shop.notify","group":"shop.notify","broker":"default","stream":"shop::order",)"
              R"("backfill":false,"state":"lagging","length":10,"lag":7,"pending":2,"dead":0,"settings":{}})");
    EXPECT_TRUE(shown.at("subscriptions").at(1).at("lag").is_null());
    EXPECT_EQ(json::dump(shown.at("summary")),
              R"({"total":2,"ok":0,"lagging":1,"dead_letters":0,"never_read":0,"unknown":1})");
    EXPECT_EQ(json::dump(shown.at("unavailable")), R"([{"what":"broker partner","reason":"no such host"}])");
}

}  // namespace
}  // namespace sluice::operate
