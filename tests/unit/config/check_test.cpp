#include "config/check.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/config/configured.hpp"

namespace sluice::config {
namespace {

using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

configuration usual() {
    configuration with;
    with.file = "domain.toml";
    with.databases["default"] = configured_database("sqlite", "shop.db");
    with.brokers["default"] = configured_broker("inline");
    with.brokers["partner_events"] = configured_broker("sqlite", "p.db");
    return with;
}

detail::registry shop(bool publishes) {
    detail::registry domain;
    domain.name = "myapp";
    detail::aggregate_entry& order = domain.aggregates["shop::Order"];
    order.cpp_name = "shop::Order";
    order.name = "Order";
    order.category = "myapp::order";
    order.database = "default";
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

TEST(check, a_process_manager_in_a_database_that_is_not_configured_is_an_error) {
    detail::registry domain = shop(false);
    domain.processes["shop::Delivery"].fqn = "shop.Delivery";
    domain.processes["shop::Delivery"].database = "defualt";
    const auto found = check(domain, usual());
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].code, "UNKNOWN_DATABASE");
    EXPECT_EQ(found[0].element, "shop.Delivery");
    EXPECT_THAT(found[0].remedy, HasSubstr("did you mean \"default\"?"));
}

TEST(check, warns_of_an_external_broker_that_others_cannot_read) {
    configuration with = usual();
    with.brokers["partner_events"] = configured_broker("inline");
    with.outbox.external_brokers = {"partner_events"};
    EXPECT_THAT(check(shop(true), with), ElementsAre(Field(&finding::code, "EXTERNAL_BROKER_IN_PROCESS")));
}

TEST(check, warns_of_several_hosts_of_which_any_may_answer) {
    configuration with = usual();
    const auto codes_for = [&](const std::string& uri) {
        with.databases["default"] = configured_database("postgresql", uri);
        std::vector<std::string> codes;
        for (const finding& each : check(shop(false), with)) {
            if (each.code == "ANY_HOST") codes.push_back(each.element);
        }
        return codes;
    };
    for (const char* uri : {"postgresql://u@a,b/shop", "postgresql://u:p%2Cq@a:5432,b:5433/shop?sslmode=verify-full",
                            "postgresql:///shop?host=a,b", "host=a,b dbname=shop", "host = 'a,b' dbname=shop",
                            "postgresql://u@a%2Cb/shop", "hostaddr=10.0.0.1,10.0.0.2 host=db"}) {
        EXPECT_THAT(codes_for(uri), ElementsAre("databases.default")) << uri;
    }
    for (const char* uri :
         {"postgresql://u@a/shop", "postgresql://u:p,q@a/shop", "host=a dbname=shop options='-c x=1,2'",
          "postgresql://u@a,b/shop?target_session_attrs=read-write", "host=a,b target_session_attrs = read-write",
          "postgresql://u@a/shop?application_name=host=x,y", "host=a password='host=x,y'"}) {
        EXPECT_THAT(codes_for(uri), IsEmpty()) << uri;
    }
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

TEST(check, two_streams_with_one_name_at_a_broker_are_an_error) {
    if (configured_broker("kafka").kind == nullptr) GTEST_SKIP() << "no Kafka in this build";
    configuration with = usual();
    with.brokers["partner_events"] = configured_broker("kafka", "kafka://localhost");
    with.outbox.external_brokers = {"partner_events"};
    detail::registry domain = shop(true);
    domain.subscribers.push_back(
        {.name = "f.order_events", .broker = "partner_events", .stream = "myapp.order", .handle = {}});
    EXPECT_THAT(check(domain, with), ElementsAre(Field(&finding::code, "STREAMS_SHARE_NAME")));
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

/// A domain with two handlers, the commands of one category and a subscriber.
detail::registry with_handlers() {
    detail::registry domain = shop(false);
    domain.event_handlers.push_back({.name = "shop.billing.clerk", .on = {}});
    domain.event_handlers.push_back({.name = "shop.notify_customer", .on = {}});
    domain.subscribers.push_back(
        {.name = "shop.shipping.clerk", .broker = "partner_events", .stream = "f::shipment", .handle = {}});
    detail::command_entry command;
    command.name = "ShipOrder";
    command.aggregate = "shop::Order";
    command.handler = "shop.order_commands";
    domain.commands["shop::ShipOrder"] = std::move(command);
    return domain;
}

std::vector<finding> found_with_section(const std::string& name) {
    configuration with = usual();
    with.server.subscriptions[name].max_retries = 5;
    return check(with_handlers(), with);
}

TEST(check, a_section_of_each_way_to_name_a_subscription_is_fine) {
    for (const char* name : {"shop.notify_customer", "notify_customer", "commands", "billing.clerk"}) {
        EXPECT_THAT(found_with_section(name), IsEmpty()) << name;
    }
}

TEST(check, a_section_for_a_handler_that_is_not_there_is_an_error_with_the_nearest_name) {
    const auto found = found_with_section("notify_custmer");
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].level, severity::error);
    EXPECT_EQ(found[0].code, "UNKNOWN_SUBSCRIPTION");
    EXPECT_EQ(found[0].element, "server.subscriptions.notify_custmer");
    EXPECT_EQ(found[0].message, "[server.subscriptions.notify_custmer] names no handler of domain myapp");
    EXPECT_EQ(found[0].remedy, "did you mean \"notify_customer\"?");
    EXPECT_THAT(found_with_section("shop.notify_custmer").at(0).remedy,
                HasSubstr("did you mean \"shop.notify_customer\"?"));
    EXPECT_THAT(found_with_section("zzzzzzzzz").at(0).remedy,
                HasSubstr("subscriptions are: commands, notify_customer, shop.billing.clerk"));
}

TEST(check, a_section_for_a_command_handler_points_to_the_commands) {
    for (const char* name : {"order_commands", "shop.order_commands"}) {
        const auto found = found_with_section(name);
        ASSERT_EQ(found.size(), 1u) << name;
        EXPECT_EQ(found[0].code, "UNKNOWN_SUBSCRIPTION");
        EXPECT_THAT(found[0].remedy, HasSubstr("[server.subscriptions.commands]"));
    }
}

TEST(check, a_section_that_means_several_handlers_is_an_error) {
    const auto found = found_with_section("clerk");
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].level, severity::error);
    EXPECT_EQ(found[0].code, "AMBIGUOUS_SUBSCRIPTION");
    EXPECT_THAT(found[0].message, HasSubstr("shop.billing.clerk, shop.shipping.clerk"));
    EXPECT_THAT(found[0].remedy, HasSubstr("[server.subscriptions.\"shop.billing.clerk\"]"));
}

TEST(check, two_sections_for_one_handler_are_an_error) {
    configuration with = usual();
    with.server.subscriptions["shop.notify_customer"].max_retries = 5;
    with.server.subscriptions["notify_customer"].max_retries = 6;
    const auto found = check(with_handlers(), with);
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].level, severity::error);
    EXPECT_EQ(found[0].code, "AMBIGUOUS_SUBSCRIPTION");
    EXPECT_THAT(found[0].message, HasSubstr("means shop.notify_customer like [server.subscriptions.notify_customer]"));
}

TEST(check, a_profile_in_the_code_that_does_not_exist_is_an_error_with_the_nearest_name) {
    detail::registry domain = with_handlers();
    domain.event_handlers[1].options.profile = "Nightli";
    configuration with = usual();
    with.server.profiles["nightly"].max_retries = 9;
    const auto found = check(domain, with);
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].level, severity::error);
    EXPECT_EQ(found[0].code, "UNKNOWN_PROFILE");
    EXPECT_EQ(found[0].message,
              "event handler shop.notify_customer wants the profile \"Nightli\", which does not exist");
    EXPECT_THAT(found[0].remedy, HasSubstr("did you mean \"nightly\"?"));
    domain.event_handlers[1].options.profile = "NIGHTLY";
    EXPECT_THAT(check(domain, with), IsEmpty());
}

TEST(check, warns_of_transactions_that_cannot_be_shared) {
    detail::registry domain = with_handlers();
    domain.event_handlers[0].sequential_key["shop::OrderShipped"] = {};
    configuration with = usual();
    with.server.subscription.messages_per_transaction = 10;
    EXPECT_THAT(check(domain, with), IsEmpty()) << "nobody has said it of the clerk";
    with.server.subscriptions["notify_customer"].messages_per_transaction = 10;
    EXPECT_THAT(check(domain, with), IsEmpty()) << "that one can";

    with.server.subscriptions["billing.clerk"].messages_per_transaction = 10;
    const auto found = check(domain, with);
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].level, severity::warning);
    EXPECT_EQ(found[0].code, "NO_SHARED_TRANSACTIONS");
    EXPECT_EQ(found[0].element, "shop.billing.clerk");
    with.server.subscriptions["billing.clerk"].messages_per_transaction = 1;
    EXPECT_THAT(check(domain, with), IsEmpty());
}

TEST(check, warns_of_each_subscription_that_keeps_no_dead_letters) {
    configuration with = usual();
    with.server.default_subscription_profile = "debug";
    with.server.subscriptions["notify_customer"].enable_dlq = true;
    const auto found = check(with_handlers(), with);
    ASSERT_EQ(found.size(), 3u);
    for (const finding& each : found) {
        EXPECT_EQ(each.level, severity::warning);
        EXPECT_EQ(each.code, "NO_DEAD_LETTERS");
        EXPECT_NE(each.element, "shop.notify_customer");
    }
    EXPECT_THAT(found[0].message, HasSubstr("event handler shop.billing.clerk has enable_dlq = false"));
}

}  // namespace
}  // namespace sluice::config
