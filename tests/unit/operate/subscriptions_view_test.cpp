#include "operate/subscriptions_view.hpp"

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

TEST(settings_text, names_the_profiles_and_what_deviates) {
    using source = config::setting_source;
    EXPECT_EQ(settings_text({{.key = "max_retries", .value = std::int64_t{3}}}), "");
    EXPECT_EQ(
        settings_text(
            {{.key = "messages_per_tick",
              .value = std::int64_t{10},
              .source = source::handler_profile,
              .profile = "fast"},
             {.key = "max_retries", .value = std::int64_t{9}, .source = source::code, .deviates = true},
             {.key = "retry_delay_seconds", .value = 0.25, .source = source::code, .deviates = true},
             {.key = "claim_seconds", .value = 30.0, .source = source::global_section},
             {.key = "enable_dlq", .value = false, .source = source::code, .deviates = true},
             {.key = "max_held", .value = std::int64_t{10}, .source = source::handler_profile, .profile = "fast"}}),
        "profile=fast max_retries=9 retry_delay_seconds=0.25 enable_dlq=false");
}

TEST(summary_text, counts_the_states_that_there_are) {
    const std::vector<consume::route> routes{route("a", "default", {"s"}), route("b", "default", {"s"}),
                                             route("c", "default", {"s"}), route("d", "partner", {"s"})};
    const auto rows = view_subscriptions(
        routes, {{"default", {counts("s", "a", 0, 0), counts("s", "b", 0, 0), counts("s", "c", 3, 4)}}});
    EXPECT_EQ(summary_text(rows), "4 subscriptions: 2 ok, 1 with dead letters, 1 unknown");
    EXPECT_EQ(summary_text({rows[0]}), "1 subscription: 1 ok");
    EXPECT_EQ(summary_text({}), "0 subscriptions");
}

}  // namespace
}  // namespace sluice::operate
