#include "operate/provider_keys.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "operate/request_error.hpp"

namespace sluice::operate {
namespace {

using config::provider_option;
using ::testing::HasSubstr;

class paper final : public config::database_provider {
public:
    [[nodiscard]] std::string_view name() const override { return "paper"; }
    [[nodiscard]] config::address_use address() const override { return config::address_use::file; }
    [[nodiscard]] std::span<const provider_option> options() const override {
        static const std::array keys{
            provider_option{.key = "sheets",
                            .what = provider_option::kind::whole,
                            .lowest = 1,
                            .highest = 9,
                            .usual = "3",
                            .purpose = "How many there are"},
            provider_option{.key = "size", .what = provider_option::kind::choice, .words = {"a4", "a5"}, .usual = "a5"},
            provider_option{.key = "lined", .what = provider_option::kind::flag, .usual = "false"},
            provider_option{.key = "cover", .what = provider_option::kind::file}};
        return keys;
    }
};

class drum final : public config::broker_provider {
public:
    [[nodiscard]] std::string_view name() const override { return "drum"; }
    [[nodiscard]] config::address_use address() const override { return config::address_use::unused; }
    [[nodiscard]] std::span<const provider_option> options() const override {
        static const std::array keys{provider_option{.key = "skin", .what = provider_option::kind::text, .usual = "x"}};
        return keys;
    }
};

class workshop final : public host {
public:
    [[nodiscard]] bool loads_domains() const override { return false; }
    [[nodiscard]] std::unique_ptr<domain> load_domain(const std::string& /*which*/) const override { return nullptr; }
    [[nodiscard]] config::providers providers() const override {
        static const paper database;
        static const drum broker;
        return {.databases = {&database}, .brokers = {&broker}};
    }
    [[nodiscard]] commit::adapters make_adapters(const config::configuration& /*configuration*/) const override {
        return {};
    }
};

TEST(provider_keys, are_those_of_databases_and_brokers) {
    const auto all = read_provider_keys(workshop{}, "");
    ASSERT_EQ(all.size(), 5U);
    EXPECT_EQ(all.front().section, "databases");
    EXPECT_EQ(all.front().option.key, "sheets");
    EXPECT_EQ(all.back().section, "brokers");
    EXPECT_EQ(all.back().provider, "drum");
}

TEST(provider_keys, of_one_provider_alone) {
    const auto keys = read_provider_keys(workshop{}, "drum");
    ASSERT_EQ(keys.size(), 1U);
    EXPECT_EQ(keys.front().option.key, "skin");
}

TEST(provider_keys, refuse_a_provider_that_is_not_there) {
    try {
        static_cast<void>(read_provider_keys(workshop{}, "drums"));
        FAIL() << "found";
    } catch (const request_error& e) {
        EXPECT_THAT(e.what(), HasSubstr("this build has no provider `drums`; did you mean \"drum\"?"));
    }
}

TEST(provider_keys, tell_programs_a_default_in_its_type) {
    const json::value all = to_json(read_provider_keys(workshop{}, "")).at("keys");
    EXPECT_EQ(json::dump(all.at(0)),
              R"({"section":"databases","provider":"paper","key":"sheets","kind":"whole","lowest":1,"highest":9,)"
              R"("words":[],"default":3,"purpose":"How many there are"})");
    EXPECT_EQ(json::dump(all.at(1).at("words")), R"(["a4","a5"])");
    EXPECT_EQ(all.at(1).at("default").as_string(), "a5");
    EXPECT_TRUE(all.at(1).at("lowest").is_null());
    EXPECT_FALSE(all.at(2).at("default").as_bool());
    EXPECT_TRUE(all.at(3).at("default").is_null());
    EXPECT_EQ(all.at(3).at("kind").as_string(), "file");
    EXPECT_EQ(all.at(4).at("default").as_string(), "x");
}

}  // namespace
}  // namespace sluice::operate
