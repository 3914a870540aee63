#include "config/subscription_resolution.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "config/subscription_profiles.hpp"
#include "domain/subscription_rules.hpp"

namespace sluice::config {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr const char* handler = "shop.notify_customer";

detail::registry shop() {
    detail::registry domain;
    domain.name = "shop";
    detail::aggregate_entry& order = domain.aggregates["shop::Order"];
    order.cpp_name = "shop::Order";
    order.name = "Order";
    order.category = "shop::order";
    order.database = "default";
    domain.event_handlers.push_back({.name = handler, .on = {}});
    domain.event_handlers.push_back({.name = "shop.billing.clerk", .on = {}});
    domain.event_handlers.push_back({.name = "shop.shipping.clerk", .on = {}});
    domain.subscribers.push_back({.name = "shop.order_events", .broker = "p", .stream = "a", .handle = {}});
    domain.subscribers.push_back({.name = "shop.order_events", .broker = "p", .stream = "b", .handle = {}});
    detail::command_entry command;
    command.name = "ShipOrder";
    command.aggregate = "shop::Order";
    command.handler = "shop.order_commands";
    domain.commands["shop::ShipOrder"] = std::move(command);
    return domain;
}

resolved_subscription resolve(const subscription_options& in_code, const server_settings& with,
                              std::string_view name = handler) {
    return resolve_subscription(name, in_code, shop(), with);
}

const decided_setting& setting(const resolved_subscription& of, std::string_view key) {
    const auto found =
        std::find_if(of.decided.begin(), of.decided.end(), [&](const auto& each) { return each.key == key; });
    if (found == of.decided.end()) throw std::logic_error{"no such key"};
    return *found;
}

/// Everything that may decide a key but the built-in values, the strongest first.
constexpr std::array strengths{setting_source::code,
                               setting_source::code_profile,
                               setting_source::handler_section,
                               setting_source::handler_profile,
                               setting_source::global_section,
                               setting_source::default_profile};

/// A declaration and a file in which some of the sources set one key.
struct arrangement {
    subscription_options in_code;
    server_settings with;

    /// Where the source keeps its keys; its profile exists from then on.
    subscription_options& at(setting_source source) {
        subscription_options& section = with.subscriptions[handler];
        switch (source) {
            case setting_source::code:
                return in_code;
            case setting_source::code_profile:
                in_code.profile = "of_code";
                return with.profiles["of_code"];
            case setting_source::handler_section:
                return section;
            case setting_source::handler_profile:
                section.profile = "of_handler";
                return with.profiles["of_handler"];
            case setting_source::global_section:
                return with.subscription;
            default:
                with.default_subscription_profile = "of_all";
                return with.profiles["of_all"];
        }
    }
};

/// A value in range that no stronger or weaker source has; flags can only alternate.
template <class Value>
Value distinct(std::size_t strength, const Value& lowest) {
    if constexpr (std::is_same_v<Value, bool>) {
        return strength % 2 == 0;
    } else {
        return static_cast<Value>(lowest + static_cast<Value>(strength) + Value{7});
    }
}

TEST(subscription_precedence, for_every_key_and_every_combination_the_strongest_source_decides) {
    std::size_t keys = 0;
    detail::for_each_subscription_key([&](const auto& key) {
        ++keys;
        for (unsigned combination = 0; combination < 1U << strengths.size(); ++combination) {
            arrangement made;
            auto expected = setting_source::built_in;
            std::optional<std::decay_t<decltype(key.lowest)>> value;
            for (std::size_t i = strengths.size(); i-- > 0;) {
                subscription_options& place = made.at(strengths[i]);  // also the empty ones are there
                if ((combination >> i & 1U) == 0) continue;
                expected = strengths[i];
                value = distinct(i, key.lowest);
                place.*key.option = *value;
            }
            const resolved_subscription resolved = resolve(made.in_code, made.with);
            const decided_setting& decided = setting(resolved, key.name);
            ASSERT_EQ(to_string(decided.source), std::string_view{to_string(expected)})
                << key.name << " in combination " << combination;
            if (!value) continue;
            const bool same = std::visit(
                [&](const auto& v) { return static_cast<double>(v) == static_cast<double>(*value); }, decided.value);
            ASSERT_TRUE(same) << key.name << " in combination " << combination;
        }
    });
    EXPECT_EQ(keys, resolve({}, {}).decided.size());
}

TEST(subscription_precedence, each_key_is_decided_by_itself) {
    server_settings with;
    with.subscription.claim_seconds = 5;
    with.subscription.max_retries = 7;
    with.default_subscription_profile = "batch";
    with.subscriptions[handler].max_retries = 9;
    const auto resolved = resolve({.retry_delay_seconds = 0.25}, with);
    EXPECT_EQ(resolved.settings.retry_delay_seconds, 0.25);
    EXPECT_EQ(resolved.settings.max_retries, 9);
    EXPECT_EQ(resolved.settings.claim_seconds, 5);
    EXPECT_EQ(resolved.settings.messages_per_tick, 500U);
    EXPECT_EQ(resolved.settings.max_retry_delay_seconds, subscription_settings{}.max_retry_delay_seconds);
}

TEST(subscription_precedence, without_any_word_the_built_in_values_hold) {
    const auto resolved = resolve({}, {});
    const subscription_settings usual;
    EXPECT_EQ(resolved.settings.messages_per_tick, usual.messages_per_tick);
    EXPECT_EQ(resolved.settings.max_retries, usual.max_retries);
    EXPECT_EQ(resolved.settings.concurrency, usual.concurrency);
    EXPECT_EQ(resolved.settings.enable_dlq, usual.enable_dlq);
    EXPECT_EQ(resolved.settings.circuit_breaker_threshold, usual.circuit_breaker_threshold);
    for (const decided_setting& each : resolved.decided) {
        EXPECT_EQ(each.source, setting_source::built_in) << each.key;
        EXPECT_FALSE(each.deviates) << each.key;
    }
}

TEST(subscription_precedence, a_default_profile_is_not_shadowed_by_defaults_that_nobody_wrote) {
    server_settings with;
    with.default_subscription_profile = "batch";
    EXPECT_EQ(resolve({}, with).settings.messages_per_tick, 500U);
    EXPECT_EQ(resolve({}, with).settings.max_retries, 5);
    with.subscription.messages_per_tick = 100;  // written: the profile gives way for this key, and for no other
    EXPECT_EQ(resolve({}, with).settings.messages_per_tick, 100U);
    EXPECT_EQ(resolve({}, with).settings.max_retries, 5);
}

TEST(subscription_precedence, a_key_deviates_when_it_was_set_otherwise_than_profiles_and_defaults_have_it) {
    server_settings with;
    with.default_subscription_profile = "fast";
    with.subscription.max_retries = 2;          // what fast says anyway
    with.subscription.messages_per_tick = 100;  // the built-in value, and not that of fast
    with.subscription.max_held = 1000;          // the built-in value, which fast leaves alone
    const auto resolved = resolve({.claim_seconds = 31}, with);
    EXPECT_FALSE(setting(resolved, "max_retries").deviates);
    EXPECT_TRUE(setting(resolved, "messages_per_tick").deviates);
    EXPECT_FALSE(setting(resolved, "max_held").deviates);
    EXPECT_TRUE(setting(resolved, "claim_seconds").deviates);
    EXPECT_EQ(setting(resolved, "retry_delay_seconds").profile, "fast");
    EXPECT_EQ(setting(resolved, "max_retries").profile, "");
}

TEST(subscription_profiles, the_built_in_ones_have_the_values_of_the_documentation) {
    const auto with = [](const char* profile) { return resolve({.profile = profile}, {}).settings; };
    EXPECT_EQ(with("production").messages_per_tick, 100U);
    EXPECT_EQ(with("production").max_retries, 3);
    EXPECT_EQ(with("production").retry_delay_seconds, 1);
    EXPECT_EQ(with("production").max_held, 1000U);
    EXPECT_TRUE(with("production").enable_dlq);
    EXPECT_EQ(with("fast").messages_per_tick, 10U);
    EXPECT_EQ(with("fast").max_retries, 2);
    EXPECT_EQ(with("fast").retry_delay_seconds, 0);
    EXPECT_TRUE(with("fast").enable_dlq);
    EXPECT_EQ(with("batch").messages_per_tick, 500U);
    EXPECT_EQ(with("batch").max_retries, 5);
    EXPECT_EQ(with("batch").retry_delay_seconds, 2);
    EXPECT_EQ(with("batch").max_held, 5000U);
    EXPECT_TRUE(with("batch").enable_dlq);
    EXPECT_EQ(with("debug").messages_per_tick, 1U);
    EXPECT_EQ(with("debug").max_retries, 1);
    EXPECT_EQ(with("debug").retry_delay_seconds, 0);
    EXPECT_FALSE(with("debug").enable_dlq);
    EXPECT_EQ(built_in_profiles().size(), 4U);
}

TEST(subscription_profiles, the_built_in_ones_keep_the_ranges) {
    for (const auto& [name, options] : built_in_profiles())
        EXPECT_THAT(detail::broken_rules(options), IsEmpty()) << name;
}

TEST(subscription_profiles, names_are_compared_without_case) {
    EXPECT_EQ(resolve({.profile = "FAST"}, {}).settings.messages_per_tick, 10U);
    server_settings with;
    with.profiles["nightly"].max_retries = 12;
    with.default_subscription_profile = "Nightly";
    const auto resolved = resolve({}, with);
    EXPECT_EQ(resolved.settings.max_retries, 12);
    EXPECT_EQ(setting(resolved, "max_retries").profile, "nightly");
}

TEST(subscription_profiles, one_that_the_code_names_and_nobody_knows_is_an_error) {
    try {
        static_cast<void>(resolve({.profile = "fsat"}, {}));
        FAIL() << "accepted";
    } catch (const configuration_error& e) {
        EXPECT_STREQ(e.what(),
                     "subscription `shop.notify_customer` wants the profile \"fsat\", which does not exist; "
                     "did you mean \"fast\"?");
    }
}

TEST(subscription_names, a_section_may_use_the_full_name_or_a_last_part_that_is_unique) {
    const auto declared = declared_subscriptions(shop());
    EXPECT_THAT(subscriptions_meant("shop.notify_customer", declared), ElementsAre("shop.notify_customer"));
    EXPECT_THAT(subscriptions_meant("notify_customer", declared), ElementsAre("shop.notify_customer"));
    EXPECT_THAT(subscriptions_meant("order_events", declared), ElementsAre("shop.order_events"));
    EXPECT_THAT(subscriptions_meant("commands", declared), ElementsAre("commands"));
    EXPECT_THAT(subscriptions_meant("clerk", declared), ElementsAre("shop.billing.clerk", "shop.shipping.clerk"));
    EXPECT_THAT(subscriptions_meant("billing.clerk", declared), ElementsAre("shop.billing.clerk"));
    EXPECT_THAT(subscriptions_meant("customer", declared), IsEmpty());  // part of a word
    EXPECT_THAT(subscriptions_meant("Notify_customer", declared), IsEmpty());
    EXPECT_THAT(subscriptions_meant("", declared), IsEmpty());
}

TEST(subscription_names, a_section_is_for_the_one_it_means_and_no_other) {
    server_settings with;
    with.subscriptions["notify_customer"].max_retries = 4;
    with.subscriptions["commands"].max_retries = 5;
    with.subscriptions["clerk"].max_retries = 6;  // ambiguous: for none
    EXPECT_EQ(resolve({}, with).settings.max_retries, 4);
    EXPECT_EQ(resolve({}, with, "commands").settings.max_retries, 5);
    EXPECT_EQ(resolve({}, with, "shop.billing.clerk").settings.max_retries, 3);
    EXPECT_EQ(resolve({}, with, "shop.order_events").settings.max_retries, 3);
    with.subscriptions["shop.notify_customer"].max_retries = 8;
    EXPECT_EQ(resolve({}, with).settings.max_retries, 8);
}

TEST(subscription_names, a_handler_called_commands_is_not_the_dispatcher) {
    detail::registry domain = shop();
    domain.event_handlers.push_back({.name = "shop.commands", .on = {}});
    server_settings with;
    with.subscriptions["commands"].max_retries = 5;
    EXPECT_EQ(resolve_subscription("commands", {}, domain, with).settings.max_retries, 5);
    EXPECT_EQ(resolve_subscription("shop.commands", {}, domain, with).settings.max_retries, 3);
}

}  // namespace
}  // namespace sluice::config
