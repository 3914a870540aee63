#include "broker/webhook/secrets.hpp"

#include <gmock/gmock.h>

#include <sluice/error.hpp>

#include "base/base64.hpp"

namespace sluice::broker::webhook {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::string secret(char of, std::size_t bytes = 32) { return "whsec_" + base::base64_encode(std::string(bytes, of)); }

std::string error_of(const std::string& text) {
    try {
        static_cast<void>(read_secrets(text));
    } catch (const configuration_error& wrong) {
        return wrong.what();
    }
    return {};
}

TEST(secrets, are_read_in_their_order) {
    EXPECT_THAT(read_secrets(""), IsEmpty());
    EXPECT_THAT(read_secrets(secret('a')), ElementsAre(std::string(32, 'a')));
    EXPECT_THAT(read_secrets(" " + secret('b') + "\n" + secret('a') + "\r\n\t"),
                ElementsAre(std::string(32, 'b'), std::string(32, 'a')));
    EXPECT_THAT(read_secrets(secret('a', 24) + " " + secret('b', 64)),
                ElementsAre(std::string(24, 'a'), std::string(64, 'b')));
}

TEST(secrets, that_are_not_as_agreed_are_refused_with_a_remedy) {
    EXPECT_THAT(error_of(base::base64_encode(std::string(32, 'a'))), HasSubstr("write that before it"));
    EXPECT_THAT(error_of("v1," + secret('a')), HasSubstr("take it away"));
    EXPECT_THAT(error_of("whsk_" + secret('a')), HasSubstr("asymmetric"));
    EXPECT_THAT(error_of(secret('a', 23)), HasSubstr("23 bytes"));
    EXPECT_THAT(error_of(secret('a', 65)), HasSubstr("65 bytes"));
    EXPECT_THAT(error_of("whsec_"), HasSubstr("0 bytes"));
    EXPECT_THAT(error_of("whsec_abc"), HasSubstr("no"));
    EXPECT_THAT(error_of(secret('a') + " " + secret('b', 8)), HasSubstr("webhook secret 2"));
}

TEST(secrets, are_not_quoted) {
    for (const std::string& each : {std::string{"hunter2hunter2"}, std::string{"v1,whsec_hunter2"},
                                    std::string{"whsec_hunter2"}, std::string{"whsk_hunter2"}}) {
        EXPECT_THAT(error_of(each), AllOf(HasSubstr("webhook secret 1"), Not(HasSubstr("hunter"))));
    }
}

}  // namespace
}  // namespace sluice::broker::webhook
