#include "config/check.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::config {
namespace {

using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

configuration usual() {
    configuration with;
    with.file = "domain.toml";
    with.databases["default"] = {"default", "sqlite", "shop.db", "/srv/shop.db", {}};
    with.brokers["default"] = {"default", "inline", "", "", {}};
    with.brokers["partner_events"] = {"partner_events", "sqlite", "p.db", "/srv/p.db", {}};
    return with;
}

detail::registry shop(bool publishes) {
    detail::registry domain;
    domain.name = "myapp";
    domain.aggregates["shop::Order"] = {
        .cpp_name = "shop::Order", .name = "Order", .category = "myapp::order", .database = "default"};
    domain.events["shop::OrderShipped"] = {.cpp_name = "shop::OrderShipped",
                                           .name = "OrderShipped",
                                           .published = publishes,
                                           .aggregate = "shop::Order",
                                           .type = "Myapp.OrderShipped.v1",
                                           .fqn = "shop.OrderShipped"};
    return domain;
}

TEST(check, is_silent_when_everything_fits) {
    configuration with = usual();
    with.outbox.external_brokers = {"partner_events"};
    EXPECT_THAT(check(shop(true), with), IsEmpty());
    EXPECT_THAT(check(shop(false), usual()), IsEmpty());
}

TEST(check, a_published_event_without_external_brokers_is_a_warning) {
    const auto found = check(shop(true), usual());
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].level, severity::warning);
    EXPECT_EQ(found[0].code, "PUBLISHED_NO_EXTERNAL_BROKER");
    EXPECT_EQ(
        found[0].message,
        "Domain has published events but no external_brokers configured in outbox settings. Published events will "
        "only be dispatched internally.");
}

TEST(check, warns_of_an_external_broker_that_others_cannot_read) {
    configuration with = usual();
    with.brokers["partner_events"].provider = "inline";
    with.outbox.external_brokers = {"partner_events"};
    EXPECT_THAT(check(shop(true), with), ElementsAre(Field(&finding::code, "EXTERNAL_BROKER_IN_PROCESS")));
}

TEST(check, an_unknown_broker_of_a_subscriber_is_an_error) {
    detail::registry domain = shop(false);
    domain.subscribers.push_back(
        {.name = "f.order_events", .broker = "partner_event", .stream = "myapp::order", .handle = {}});
    const auto found = check(domain, usual());
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].level, severity::error);
    EXPECT_EQ(found[0].code, "UNKNOWN_BROKER");
    EXPECT_THAT(found[0].message, HasSubstr("subscriber f.order_events reads from broker \"partner_event\""));
    EXPECT_THAT(found[0].remedy, HasSubstr("did you mean \"partner_events\"?"));
}

TEST(check, an_unknown_database_of_an_aggregate_is_an_error) {
    detail::registry domain = shop(false);
    domain.aggregates["shop::Order"].database = "orders";
    const auto found = check(domain, usual());
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].code, "UNKNOWN_DATABASE");
    EXPECT_THAT(found[0].remedy, HasSubstr("databases are: default"));
}

TEST(check, an_older_version_that_nothing_leads_from_is_a_warning) {
    detail::registry domain;
    domain.camel = "Shop";
    detail::event_entry placed;
    placed.cpp_name = "shop::OrderPlaced";
    placed.name = "OrderPlaced";
    placed.version = 4;
    domain.add(placed);
    const auto convert = [](json::object data) { return data; };
    domain.add(detail::upcaster_entry{.event = "shop::OrderPlaced", .from = 2, .to = 4, .convert = convert});
    const auto found = check(domain, usual());
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].level, severity::warning);
    EXPECT_EQ(found[0].code, "UPCASTER_GAP");
    EXPECT_EQ(found[0].element, "shop.OrderPlaced");
    EXPECT_EQ(found[0].message,
              "event OrderPlaced is at version 4, and nothing leads to it from version 1 and 3: what was written as "
              "Shop.OrderPlaced.v1 cannot be read");
    EXPECT_THAT(found[0].remedy, HasSubstr("domain.upcaster<shop::OrderPlaced, sluice::from<1>, sluice::to<2>>"));

    domain.add(detail::upcaster_entry{.event = "shop::OrderPlaced", .from = 1, .to = 2, .convert = convert});
    domain.add(detail::upcaster_entry{.event = "shop::OrderPlaced", .from = 3, .to = 4, .convert = convert});
    EXPECT_THAT(check(domain, usual()), IsEmpty());
}

}  // namespace
}  // namespace sluice::config
