#include <gmock/gmock.h>

#include "integration/command_line.hpp"

namespace sluice {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class config_command : public command_line {};

TEST_F(config_command, shows_the_form_of_the_file_with_every_key) {
    const auto shown = sluice({"config", "show"});
    EXPECT_EQ(shown.code, 0) << shown.err;
    EXPECT_THAT(shown.out,
                AllOf(StartsWith("# domain.toml\n\n[databases.default]\nprovider = \"sqlite\"\n"),
                      HasSubstr("\nsynchronous = \"normal\"\n"), HasSubstr("\nbusy_timeout_ms = 5000\n"),
                      HasSubstr("\nexternal_brokers = [\"partner\"]\n"), HasSubstr("\n[outbox.lanes.partner]\n"),
                      HasSubstr("\n# default_timeout_seconds is not set\n"),
                      HasSubstr("# file " + (directory_ / "tiny.db").string())));
    EXPECT_FALSE(exists("tiny.db")) << "it opens nothing";
}

TEST_F(config_command, chooses_a_section_or_a_key_and_says_who_sets_it) {
    const auto retry = sluice({"config", "show", "outbox.retry", "--origin"});
    EXPECT_THAT(retry.out, AllOf(HasSubstr("[outbox.retry]\nmax_attempts = 3            # built-in\n"),
                                 Not(HasSubstr("[outbox]"))));
    const auto key = sluice({"config", "show", "server.subscription.max_retries", "--origin"});
    EXPECT_THAT(key.out, HasSubstr("\n[server.subscription]\nmax_retries = 1  # domain.toml:"));
    const auto wrong = sluice({"config", "show", "outbx"});
    EXPECT_EQ(wrong.code, 2);
    EXPECT_THAT(wrong.err, HasSubstr("no section and no key `outbx`; did you mean \"outbox\"?"));
    EXPECT_THAT(sluice({"config", "show", "zzzzzz"}).err, HasSubstr("sections are: databases, brokers, outbox"));
}

TEST_F(config_command, tells_it_to_programs) {
    const json::value shown = sluice_json({"config", "show", "outbox.messages_per_tick"});
    EXPECT_EQ(shown.at("configuration").as_string(), "domain.toml");
    EXPECT_TRUE(shown.at("environment").is_null());
    ASSERT_EQ(shown.at("settings").as_array().size(), 1u);
    EXPECT_EQ(json::dump(shown.at("settings").at(0)),
              R"({"section":"outbox","key":"messages_per_tick","value":50,"masked":false,"file":null,)"
              R"("origin":"built-in","line":null,"profile":null,"inherited_from":null,"variables":[]})");
}

TEST_F(config_command, lists_the_keys_of_every_provider_without_a_configuration) {
    const auto all = sluice({"config", "keys", "--config", "nothing.toml"});
    EXPECT_EQ(all.code, 0) << all.err;
    EXPECT_THAT(all.out, AllOf(ContainsRegex("SECTION +PROVIDER +KEY +VALUES +DEFAULT +PURPOSE\n"),
                               ContainsRegex("databases +sqlite +synchronous +full, normal +full +When a commit"),
                               ContainsRegex("brokers +sqlite +busy_timeout_ms +0 … 600000 +5000 +How long")));
    EXPECT_EQ(sluice({"config", "keys", "memory"}).out, "");
    const auto wrong = sluice({"config", "keys", "sqllite"});
    EXPECT_EQ(wrong.code, 2);
    EXPECT_THAT(wrong.err, HasSubstr("this build has no provider `sqllite`; did you mean \"sqlite\"?"));
}

TEST_F(config_command, lists_the_keys_of_a_provider_for_programs) {
    const json::value keys = sluice_json({"config", "keys", "sqlite"}).at("keys");
    ASSERT_EQ(keys.as_array().size(), 7u) << "two of the database, five of the broker";
    EXPECT_EQ(json::dump(keys.at(0)),
              R"({"section":"databases","provider":"sqlite","key":"synchronous","kind":"choice","lowest":null,)"
              R"("highest":null,"words":["full","normal"],"default":"full","purpose":"When a commit counts as done"})");
    EXPECT_EQ(json::dump(keys.at(4)),
              R"({"section":"brokers","provider":"sqlite","key":"retention_hours","kind":"whole","lowest":0,)"
              R"("highest":87600,"words":[],"default":168,"purpose":"Age at which messages may be removed"})");
}

TEST_F(config_command, reports_all_that_is_wrong) {
    configure(usual + "[outbox.retry]\nmax_attempts = 0\nzzzzzz = 1\n");
    const auto wrong = sluice({"config", "show"});
    EXPECT_EQ(wrong.code, 3);
    EXPECT_THAT(wrong.err, AllOf(HasSubstr("has 2 problems"), HasSubstr("max_attempts = 0"), HasSubstr("zzzzzz")));
    EXPECT_EQ(sluice({"config", "show", "--config", "nothing.toml"}).code, 3);
}

}  // namespace
}  // namespace sluice
