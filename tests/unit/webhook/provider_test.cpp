#include "broker/webhook/provider.hpp"

#include <gmock/gmock.h>

#include <sluice/error.hpp>

namespace sluice::broker {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::vector<std::string> warnings(const std::string& uri, const config::option_texts& options) {
    std::vector<std::string> codes;
    for (const auto& each : webhook_provider().check_address({.key = "URI", .text = uri, .options = options})) {
        EXPECT_THAT(each.message + each.remedy, Not(HasSubstr("hunter2")));
        codes.push_back(each.code);
    }
    return codes;
}

TEST(webhook_provider, warns_of_what_is_open_to_others) {
    const config::option_texts with_secret{{"secrets", "whsec_hunter2"}};
    EXPECT_THAT(warnings("https://partner.example/hooks?token=hunter2", with_secret), IsEmpty());
    EXPECT_THAT(warnings("https://partner.example/hooks", {}), ElementsAre("UNSIGNED"));
    EXPECT_THAT(warnings("https://partner.example/hooks", {{"secrets_file", "/etc/secrets"}}), IsEmpty());
    EXPECT_THAT(warnings("http://partner.example/hooks", with_secret), ElementsAre("PLAIN_TEXT"));
    EXPECT_THAT(warnings("http://127.0.0.1:8080/hooks", with_secret), IsEmpty());
    EXPECT_THAT(warnings("https://me:hunter2@x@partner.example/", with_secret), ElementsAre("AMBIGUOUS_ADDRESS"));
    EXPECT_THAT(warnings("", {{"secrets", "whsec_hunter2"}, {"listen", "127.0.0.1:8088"}}), IsEmpty());
    EXPECT_THAT(warnings("", {{"secrets", "whsec_hunter2"}, {"listen", "[::1]:8088"}}), IsEmpty());
    EXPECT_THAT(warnings("", {{"secrets", "whsec_hunter2"}, {"listen", "0.0.0.0:8088"}}), ElementsAre("PLAIN_TEXT"));
}

TEST(webhook_provider, makes_a_broker_of_its_settings) {
    config::broker_settings settings{.name = "partner", .provider = "webhook", .uri = "https://partner.example/hooks"};
    settings.options = {{"max_message_bytes", "2048"}};
    const auto posts = webhook_provider().make(settings);
    EXPECT_EQ(posts->describe(), "webhook https://partner.example/hooks");
    EXPECT_EQ(posts->can().max_message_bytes, 2048U);
    EXPECT_FALSE(posts->can().readable);
    EXPECT_THROW(static_cast<void>(posts->open_reader({"s"}, {})), usage_error);
    settings.uri.clear();
    EXPECT_THROW(static_cast<void>(webhook_provider().make(settings)), configuration_error);
    EXPECT_EQ(webhook_provider().largest_message({{"max_message_bytes", "4096"}}), 4096U);
    EXPECT_TRUE(webhook_provider().carries_headers());
}

}  // namespace
}  // namespace sluice::broker
