#include "app/compose.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include <sluice/error.hpp>

#include "broker/broker.hpp"

namespace sluice::app {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

std::string address_for(const std::string& provider) {
    static const std::map<std::string, std::string> schemes{{"rabbitmq", "amqp"}, {"webhook", "https"}};
    const auto special = schemes.find(provider);
    return (special == schemes.end() ? provider : special->second) + "://nowhere";
}

TEST(compose, every_available_provider_can_be_made) {
    config::configuration configuration;
    for (const std::string& provider : config::names_of(available_providers().databases)) {
        configuration.databases[provider] = {provider, provider, "postgresql://nowhere/shop", "/nonexistent/x.db", {}};
    }
    for (const std::string& provider : config::names_of(available_providers().brokers)) {
        configuration.brokers[provider] = {provider, provider, address_for(provider), "/nonexistent/y.db", {}};
    }
    const commit::adapters made = make_adapters(configuration);
    EXPECT_EQ(made.databases.size(), available_providers().databases.size());
    EXPECT_EQ(made.brokers.size(), available_providers().brokers.size());
    EXPECT_THAT(config::names_of(available_providers().databases), Contains("memory"));
    EXPECT_THAT(config::names_of(available_providers().brokers), Contains("inline"));
}

TEST(compose, options_reach_the_adapter) {
    config::configuration configuration;
    configuration.brokers["b"] = {"b", "sqlite", "", "/nonexistent/y.db", {{"max_message_bytes", "4096"}}};
    if (available_providers().brokers.size() < 2) GTEST_SKIP() << "no sqlite broker in this build";
    EXPECT_EQ(make_adapters(configuration).brokers.at("b")->can().max_message_bytes, 4096u);
}

TEST(compose, an_unknown_provider_is_an_error) {
    config::configuration configuration;
    configuration.databases["d"] = {"d", "tape", "", "", {}};
    try {
        static_cast<void>(make_adapters(configuration));
        FAIL() << "made";
    } catch (const configuration_error& e) {
        EXPECT_THAT(e.what(), HasSubstr("databases.d: provider \"tape\" is not part of this build"));
    }
}

}  // namespace
}  // namespace sluice::app
