#include "config/providers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "app/compose.hpp"

/// What the adapters of this build say of themselves.
namespace sluice::app {
namespace {

using config::provider_option;
using ::testing::ElementsAre;
using ::testing::IsSubsetOf;

std::vector<const config::provider*> all_providers() {
    const config::providers available = available_providers();
    std::vector<const config::provider*> all{available.databases.begin(), available.databases.end()};
    all.insert(all.end(), available.brokers.begin(), available.brokers.end());
    return all;
}

const config::database_provider* database(std::string_view name) {
    return config::find_provider(available_providers().databases, name);
}

const config::broker_provider* broker(std::string_view name) {
    return config::find_provider(available_providers().brokers, name);
}

std::vector<std::string> texts_of(std::span<const std::string_view> names) { return {names.begin(), names.end()}; }

std::int64_t number(const std::string& text) {
    std::int64_t value = -1;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

TEST(providers, have_names_that_the_loader_knows) {
    const config::providers available = available_providers();
    EXPECT_THAT(config::names_of(available.databases), IsSubsetOf(texts_of(config::known_databases())));
    EXPECT_THAT(config::names_of(available.brokers), IsSubsetOf(texts_of(config::known_brokers())));
    EXPECT_TRUE(std::ranges::is_sorted(config::names_of(available.databases)));
    EXPECT_TRUE(std::ranges::is_sorted(config::names_of(available.brokers)));
}

TEST(providers, describe_keys_whose_defaults_fit) {
    for (const config::provider* const of : all_providers()) {
        std::set<std::string_view> keys;
        for (const provider_option& option : of->options()) {
            SCOPED_TRACE(std::string{of->name()} + "." + std::string{option.key});
            EXPECT_TRUE(keys.insert(option.key).second) << "described twice";
            EXPECT_FALSE(option.purpose.empty());
            EXPECT_FALSE(option.purpose.ends_with('.')) << "the pages go on behind it";
            EXPECT_EQ(option.purpose.find('\n'), std::string_view::npos);
            using kind = provider_option::kind;
            const bool has_default =
                option.what == kind::whole || option.what == kind::choice || option.what == kind::flag;
            const bool has_none = option.what == kind::file || option.what == kind::database ||
                                  option.what == kind::secret || option.what == kind::table;
            if (has_default) {
                EXPECT_FALSE(option.usual.empty());
            }
            if (has_none) {
                EXPECT_TRUE(option.usual.empty());
            }
            if (option.what == provider_option::kind::whole) {
                EXPECT_GE(number(option.usual), option.lowest);
                EXPECT_LE(number(option.usual), option.highest);
            }
            if (option.what == provider_option::kind::choice) {
                EXPECT_NE(std::ranges::find(option.words, option.usual), option.words.end());
            }
        }
    }
}

TEST(providers, in_this_process_say_that_others_cannot_see_them) {
    std::vector<std::string> alone;
    for (const config::provider* const of : all_providers()) {
        if (!of->is_shared_between_processes()) alone.emplace_back(of->name());
    }
    EXPECT_THAT(alone, ElementsAre("memory", "inline"));
}

TEST(providers, on_a_server_need_a_setup_and_others_do_not) {
    for (const config::database_provider* const of : available_providers().databases) {
        EXPECT_EQ(of->needs_setup(), of->address() == config::address_use::server) << of->name();
        EXPECT_EQ(of->is_built_in(), of->address() == config::address_use::file) << of->name();
    }
}

TEST(providers, tell_the_largest_message) {
    EXPECT_EQ(broker("inline")->largest_message({}), 0U);
    for (const char* name : {"redis", "sqlite"}) {
        const auto* const of = broker(name);
        if (of == nullptr) continue;
        EXPECT_EQ(of->largest_message({}), 8U * 1024 * 1024) << name;
        EXPECT_EQ(of->largest_message({{"max_message_bytes", "4096"}}), 4096U) << name;
    }
}

TEST(providers, tell_how_long_lanes_wait_for_a_number) {
    EXPECT_FALSE(database("memory")->order({}).wait);
    EXPECT_FALSE(database("memory")->order({}).strict);
    const auto* const postgresql = database("postgresql");
    if (postgresql == nullptr) GTEST_SKIP() << "no PostgreSQL in this build";
    EXPECT_EQ(postgresql->order({}).wait, std::chrono::milliseconds{50});
    EXPECT_FALSE(postgresql->order({}).strict);
    EXPECT_EQ(postgresql->order({{"order_wait_ms", "7"}}).wait, std::chrono::milliseconds{7});
    EXPECT_TRUE(postgresql->order({{"strict_order", "true"}}).strict);
    EXPECT_FALSE(postgresql->order({{"strict_order", "true"}, {"order_wait_ms", "7"}}).wait);
}

/// What must differ so that a broker keeps two streams apart.
std::string kept_apart_by(std::string_view name, std::string_view stream, const config::option_texts& options = {}) {
    const config::stream_place place = broker(name)->place_of(stream, options);
    return place.taken_as.empty() ? place.name : place.taken_as;
}

TEST(providers, tell_where_a_stream_lies) {
    EXPECT_EQ(broker("inline")->place_of("shop::order", {}).name, "shop::order");
    for (const char* name : {"kafka", "nats", "rabbitmq"}) {
        if (broker(name) == nullptr) continue;
        EXPECT_EQ(broker(name)->place_of("shop::order", {}).name, "shop.order") << name;
        EXPECT_EQ(kept_apart_by(name, "shop::order"), kept_apart_by(name, "shop.order")) << name;
        EXPECT_NE(kept_apart_by(name, "shop::order"), kept_apart_by(name, "shop::invoice")) << name;
    }
}

TEST(providers, know_names_that_differ_and_exclude_each_other) {
    if (broker("kafka") != nullptr) {
        EXPECT_EQ(broker("kafka")->place_of("shop::order_item", {{"prefix", "t."}}).name, "t.shop.order_item");
        EXPECT_EQ(kept_apart_by("kafka", "shop::order_item"), kept_apart_by("kafka", "shop::order.item"));
    }
    if (broker("nats") != nullptr) {
        EXPECT_NE(kept_apart_by("nats", "shop::order_item"), kept_apart_by("nats", "shop::order.item"));
        const config::option_texts made{{"create_stream", "true"}};
        EXPECT_EQ(kept_apart_by("nats", "shop::order_item", made), kept_apart_by("nats", "shop::order.item", made));
    }
}

TEST(providers, tell_the_queue_of_a_group) {
    EXPECT_EQ(broker("inline")->queue_of("billing", "shop::order"), "");
    if (broker("rabbitmq") == nullptr) GTEST_SKIP() << "no RabbitMQ in this build";
    EXPECT_EQ(broker("rabbitmq")->queue_of("billing", "shop::order"), "billing.shop.order");
}

}  // namespace
}  // namespace sluice::app
