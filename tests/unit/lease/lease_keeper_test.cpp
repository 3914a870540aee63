#include "lease/lease_keeper.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace sluice::lease {
namespace {

using namespace std::chrono_literals;

constexpr auto start = instant{1'000s};

lease_keeper granted_keeper(duration ttl, duration publish_timeout) {
    lease_keeper keeper{ttl, publish_timeout};
    keeper.granted(start);
    return keeper;
}

TEST(lease_keeper, renews_every_third_of_its_life) { EXPECT_EQ(granted_keeper(15s, 10s).renew_at(), start + 5s); }

TEST(lease_keeper, stops_trusting_a_margin_before_the_end) {
    const auto keeper = granted_keeper(15s, 10s);
    EXPECT_TRUE(keeper.is_trusted(start + 13s));
    EXPECT_FALSE(keeper.is_trusted(start + 14s));
}

TEST(lease_keeper, publishes_only_when_the_lease_outlasts_it) {
    const auto keeper = granted_keeper(15s, 10s);
    EXPECT_EQ(keeper.publish_timeout(), 10s);
    EXPECT_TRUE(keeper.may_publish(start + 4s));
    EXPECT_FALSE(keeper.may_publish(start + 4s + 1us));
}

TEST(lease_keeper, shortens_a_timeout_that_no_lease_could_cover) {
    for (const duration ttl : {100ms, 1'000ms, 5'000ms, 20'000ms}) {
        const auto keeper = granted_keeper(ttl, 60s);
        EXPECT_TRUE(keeper.may_publish(start)) << ttl.count();
        EXPECT_GT(keeper.publish_timeout(), ttl / 2) << ttl.count();
    }
}

TEST(lease_keeper, trusts_nothing_before_the_first_grant) {
    const lease_keeper keeper{15s, 10s};
    EXPECT_FALSE(keeper.is_trusted(start));
    EXPECT_FALSE(keeper.may_publish(start));
}

}  // namespace
}  // namespace sluice::lease
