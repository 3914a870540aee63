#include "config/subscription_sections.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/loader.hpp"
#include "config/subscription_resolution.hpp"
#include "unit/config/configured.hpp"

namespace sluice::config {
namespace {

using ::testing::ElementsAre;

configuration read(const std::string& text) {
    return parse("[databases.default]\nprovider = \"memory\"\n[brokers.default]\nprovider = \"inline\"\n" + text,
                 "/srv/shop/domain.toml", build_with({"memory"}, {"inline"}),
                 [](const std::string&) { return std::nullopt; });
}

/// The text of every problem, without the file's name; the first line of `text` is 5.
std::vector<std::string> problems_of(const std::string& text) {
    try {
        static_cast<void>(read(text));
    } catch (const invalid_configuration& e) {
        std::vector<std::string> texts;
        for (const problem& found : e.problems()) texts.push_back(to_text("f", found));
        return texts;
    }
    return {};
}

TEST(subscription_sections, the_file_sets_what_is_in_it_and_nothing_else) {
    const server_settings read_settings = read("[server.subscription]\nmax_retries = 3\n").server;
    EXPECT_EQ(read_settings.subscription, (subscription_options{.max_retries = 3}));
    EXPECT_TRUE(read_settings.subscriptions.empty());
    EXPECT_TRUE(read_settings.profiles.empty());
    EXPECT_EQ(read_settings.default_subscription_profile, "");
    EXPECT_EQ(read("").server.subscription, subscription_options{});
}

TEST(subscription_sections, every_key_may_stand_in_every_section) {
    const std::string keys = R"(messages_per_tick = 7
max_retries = 8
retry_delay_seconds = 0.25
max_retry_delay_seconds = 9
claim_seconds = 10
max_held = 11
concurrency = 12
enable_dlq = false
circuit_breaker_threshold = 0
circuit_breaker_reset_seconds = 13.5
)";
    const subscription_options all{.messages_per_tick = 7,
                                   .max_retries = 8,
                                   .retry_delay_seconds = 0.25,
                                   .max_retry_delay_seconds = 9,
                                   .claim_seconds = 10,
                                   .max_held = 11,
                                   .concurrency = 12,
                                   .enable_dlq = false,
                                   .circuit_breaker_threshold = 0,
                                   .circuit_breaker_reset_seconds = 13.5};
    const server_settings server =
        read("[server]\ndefault_subscription_profile = \"Mine\"\n[server.subscription]\n" + keys +
             "[server.subscriptions.\"shop.notify_customer\"]\nprofile = \"fast\"\n" + keys +
             "[server.subscriptions.commands]\nmax_retries = 1\n[server.profiles.Mine]\n" + keys)
            .server;
    EXPECT_EQ(server.subscription, all);
    EXPECT_EQ(server.profiles.at("mine"), all);
    EXPECT_EQ(server.default_subscription_profile, "Mine");
    subscription_options of_handler = all;
    of_handler.profile = "fast";
    EXPECT_EQ(server.subscriptions.at("shop.notify_customer"), of_handler);
    EXPECT_EQ(server.subscriptions.at("commands"), (subscription_options{.max_retries = 1}));
}

TEST(subscription_sections, a_profile_inherits_one_level_from_anywhere_in_the_file) {
    const auto profiles = read(R"(
[server.profiles.quick]
inherits = "FAST"
max_retries = 1
[server.profiles.child]
inherits = "Parent"
max_held = 20
[server.profiles.parent]
max_held = 10
claim_seconds = 60
)")
                              .server.profiles;
    EXPECT_EQ(profiles.at("quick"),
              (subscription_options{
                  .messages_per_tick = 10, .max_retries = 1, .retry_delay_seconds = 0, .enable_dlq = true}));
    EXPECT_EQ(profiles.at("child"), (subscription_options{.claim_seconds = 60, .max_held = 20}));
}

struct bad_input {
    std::string title;
    std::string text;
    std::string problem;
};

class bad_subscription_section : public ::testing::TestWithParam<bad_input> {};

TEST_P(bad_subscription_section, is_reported) {
    EXPECT_THAT(problems_of(GetParam().text), ElementsAre(GetParam().problem));
}

INSTANTIATE_TEST_SUITE_P(
    subscription_sections, bad_subscription_section,
    ::testing::Values(
        bad_input{"no_messages", "[server.subscription]\nmessages_per_tick = 0\n",
                  "f:6: server.subscription.messages_per_tick = 0: must be a whole number from 1 to 10000"},
        bad_input{"no_attempts", "[server.subscriptions.clerk]\nmax_retries = 0\n",
                  "f:6: server.subscriptions.clerk.max_retries = 0: must be a whole number from 1 to 1000000"},
        bad_input{"negative_delay", "[server.profiles.p]\nretry_delay_seconds = -1\n",
                  "f:6: server.profiles.p.retry_delay_seconds = -1: must be a number from 0 to 86400"},
        bad_input{"no_workers", "[server.subscription]\nconcurrency = 0\n",
                  "f:6: server.subscription.concurrency = 0: must be a whole number from 1 to 256"},
        bad_input{"no_reset", "[server.subscription]\ncircuit_breaker_reset_seconds = 0\n",
                  "f:6: server.subscription.circuit_breaker_reset_seconds = 0: must be a number from 0.1 to 86400"},
        bad_input{"negative_threshold", "[server.subscription]\ncircuit_breaker_threshold = -1\n",
                  "f:6: server.subscription.circuit_breaker_threshold = -1: must be a whole number from 0 to 1000000"},
        bad_input{"word_for_a_flag", "[server.subscription]\nenable_dlq = \"no\"\n",
                  "f:6: server.subscription.enable_dlq = \"no\": must be true or false, without quotes"},
        bad_input{"misspelt_key_of_a_handler", "[server.subscriptions.clerk]\nmax_retires = 1\n",
                  "f:6: server.subscriptions.clerk.max_retires: unknown key; did you mean \"max_retries\"?"},
        bad_input{"misspelt_key_of_a_profile", "[server.profiles.p]\nenable_dlg = true\n",
                  "f:6: server.profiles.p.enable_dlg: unknown key; did you mean \"enable_dlq\"?"},
        bad_input{
            "profile_among_the_global_keys", "[server.subscription]\nprofile = \"fast\"\n",
            "f:6: server.subscription.profile = \"fast\": is no key here; use server.default_subscription_profile"},
        bad_input{"name_with_dots_without_quotes", "[server.subscriptions.shop.clerk]\nmax_retries = 1\n",
                  "f:5: server.subscriptions.shop.clerk: is no key of a subscription; put a name with dots in quotes, "
                  "as in [server.subscriptions.\"shop.notify_customer\"]"},
        bad_input{"key_for_a_handler", "[server.subscriptions]\nmax_retries = 1\n",
                  "f:6: server.subscriptions.max_retries = 1: must be a table; write "
                  "[server.subscriptions.max_retries] on a line of its own, with its keys below"},
        bad_input{"unknown_default_profile", "[server]\ndefault_subscription_profile = \"Prodution\"\n",
                  "f:6: server.default_subscription_profile = \"Prodution\": no such profile; did you mean "
                  "\"production\"?"},
        bad_input{"unknown_profile_of_a_handler",
                  "[server.profiles.nightly]\n[server.subscriptions.clerk]\nprofile = \"nihgtly\"\n",
                  "f:7: server.subscriptions.clerk.profile = \"nihgtly\": no such profile; did you mean \"nightly\"?"},
        bad_input{"profile_far_from_all", "[server.subscriptions.clerk]\nprofile = \"zzzzzzzz\"\n",
                  "f:6: server.subscriptions.clerk.profile = \"zzzzzzzz\": no such profile; profiles are: production, "
                  "fast, batch, debug"},
        bad_input{"a_profile_shadows_no_built_in_one", "[server.profiles.Fast]\nmax_retries = 1\n",
                  "f:5: server.profiles.Fast: is the name of a built-in profile; choose another; it can inherit from "
                  "fast"},
        bad_input{"a_profile_twice_but_for_case", "[server.profiles.night]\n[server.profiles.Night]\n",
                  "f:6: server.profiles.Night: is the profile night again: case does not count; give one of them "
                  "another name"},
        bad_input{"unknown_parent", "[server.profiles.p]\ninherits = \"btach\"\n",
                  "f:6: server.profiles.p.inherits = \"btach\": no such profile; did you mean \"batch\"?"},
        bad_input{"parent_that_inherits",
                  "[server.profiles.a]\ninherits = \"b\"\n[server.profiles.b]\ninherits = \"batch\"\n",
                  "f:6: server.profiles.a.inherits = \"b\": inherits from \"batch\" itself, and one level is all there "
                  "is; inherit from a built-in profile, or from one that inherits nothing"},
        bad_input{"parent_of_itself", "[server.profiles.a]\ninherits = \"A\"\n",
                  "f:6: server.profiles.a.inherits = \"A\": is the profile itself; inherit from a built-in profile, or "
                  "from one that inherits nothing"}),
    [](const auto& tested) { return tested.param.title; });

TEST(subscription_sections, what_the_file_leaves_out_leaves_the_default_profile_alone) {
    const configuration loaded =
        read("[server]\ndefault_subscription_profile = \"batch\"\n[server.subscription]\nclaim_seconds = 30\n");
    EXPECT_EQ(resolve_subscription("x", {}, {}, loaded.server).settings.messages_per_tick, 500U);
}

TEST(subscription_sections, an_environment_may_choose_another_profile) {
    const std::string text =
        "[databases.default]\nprovider = \"memory\"\n[brokers.default]\nprovider = \"inline\"\n"
        "[server]\ndefault_subscription_profile = \"debug\"\n"
        "[production.server]\ndefault_subscription_profile = \"${PROFILE|production}\"\n";
    const auto in = [&](const char* environment) {
        return parse(text, "domain.toml", build_with({"memory"}, {"inline"}), [&](const std::string& name) {
            return name == environment_variable ? std::optional<std::string>{environment} : std::nullopt;
        });
    };
    EXPECT_EQ(in("production").server.default_subscription_profile, "production");
    EXPECT_EQ(in("").server.default_subscription_profile, "debug");
}

}  // namespace
}  // namespace sluice::config
