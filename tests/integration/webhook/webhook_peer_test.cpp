#include <filesystem>
#include <fstream>

#include <fmt/format.h>

#include "integration/webhook/webhook_fixture.hpp"
#include "support/shell.hpp"
#include "support/temporary_directory.hpp"

namespace sluice::broker {
namespace {

using namespace std::chrono_literals;
using sluice::testing::http_endpoint;
using sluice::testing::http_request;
using sluice::testing::reply_with;
using sluice::testing::shell_word;

/// The official library judges what we send.
class webhook_peer : public ::testing::Test {
protected:
    void SetUp() override {
        std::ifstream file{std::filesystem::path{WEBHOOK_ENVIRONMENT} / "unavailable"};
        std::string why;
        if (std::getline(file, why)) GTEST_SKIP() << why;
    }

    std::string verify(const http_request& request, const std::string& secret) {
        std::ofstream{directory_ / "body", std::ios::binary} << request.body;
        auto said = sluice::testing::run_command(fmt::format(
            "{}/bin/python {} verify {} {} {} {} {}", shell_word(WEBHOOK_ENVIRONMENT), shell_word(WEBHOOK_PEER),
            shell_word(secret), shell_word(request.headers.at("webhook-id")),
            shell_word(request.headers.at("webhook-timestamp")), shell_word(request.headers.at("webhook-signature")),
            shell_word((directory_ / "body").native())));
        return said.substr(0, said.find('\n'));
    }

    sluice::testing::temporary_directory directory_;
};

TEST_F(webhook_peer, verifies_what_we_sign_also_while_a_secret_is_exchanged) {
    http_endpoint endpoint{[](const http_request&, const std::stop_token&) { return reply_with(200); }};
    const std::string newer = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    const auto broker = make_local({.uri = endpoint.uri(), .secrets = newer + " " + test_secret});
    const std::vector<note> batch{
        {.id = "shop::order-o-1-0.1", .key = "k", .body = "{ \"name\":\"Z\xC3\xBC \\u20ac\",  \"n\":1.10 }"},
        {.id = "shop::order-o-1-0.2", .key = "l", .body = "plain text\r\n"}};
    for (const auto& verdict : publish(*broker->open_publisher(), batch)) ASSERT_TRUE(is<delivered>(verdict));
    for (const auto& request : endpoint.requests()) {
        EXPECT_EQ(verify(request, newer), "genuine");
        EXPECT_EQ(verify(request, test_secret), "genuine");
        EXPECT_NE(verify(request, "whsec_bm90aGluZyB0aGF0IHdhcyBldmVyIGFncmVlZCBvbg=="), "genuine");
        EXPECT_EQ(request.headers.at("webhook-id").find('.'), std::string::npos);
    }
}

}  // namespace
}  // namespace sluice::broker
