#include "broker/webhook/endpoint.hpp"

#include <gmock/gmock.h>

#include <sluice/error.hpp>

namespace sluice::broker::webhook {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string error_of(const std::string& uri) {
    try {
        static_cast<void>(read_endpoint(uri));
    } catch (const configuration_error& wrong) {
        return wrong.what();
    }
    return {};
}

TEST(endpoint, is_taken_apart) {
    const auto usual = read_endpoint("https://partner.example/hooks/orders?token=s3cret");
    EXPECT_TRUE(usual.tls);
    EXPECT_EQ(usual.host, "partner.example");
    EXPECT_EQ(usual.port, 443);
    EXPECT_EQ(usual.authority(), "partner.example");
    EXPECT_EQ(usual.target("shop::order"), "/hooks/orders?token=s3cret");
    EXPECT_EQ(usual.name(), "https://partner.example/hooks/orders") << "the query may hold a secret";

    const auto plain = read_endpoint("http://[::1]:8080");
    EXPECT_FALSE(plain.tls);
    EXPECT_EQ(plain.host, "::1");
    EXPECT_EQ(plain.port, 8080);
    EXPECT_EQ(plain.authority(), "[::1]:8080");
    EXPECT_EQ(plain.target(""), "/");
    EXPECT_EQ(read_endpoint("http://a:443/").authority(), "a:443");
    EXPECT_EQ(read_endpoint("https://a:443/").authority(), "a");
}

TEST(endpoint, has_the_stream_where_it_belongs) {
    const auto each = read_endpoint("https://a/hooks/{stream}/in?x=1");
    EXPECT_EQ(each.target("shop::order"), "/hooks/shop%3A%3Aorder/in?x=1");
    EXPECT_EQ(each.target("a/../b c"), "/hooks/a%2F..%2Fb%20c/in?x=1");
    EXPECT_EQ(each.name(), "https://a/hooks/{stream}/in");
}

TEST(endpoint, says_what_is_wrong_and_quotes_nothing) {
    const std::pair<const char*, const char*> cases[] = {
        {"partner.example/hunter2", "two ways"},
        {"ftp://partner.example/hunter2", "scheme"},
        {"https://me:hunter2@partner.example/", "authorization"},
        {"https:///hunter2", "host"},
        {"https://a,b/hunter2", "several"},
        {"https://a:0/hunter2", "port"},
        {"https://a:65536/hunter2", "port"},
        {"https://a:b/hunter2", ""},
        {"https://a/hunter2 x", "%XX"},
        {"https://a/hunter2\xC3\xA9", "%XX"},
        {"https://a/hunter2#part", "two ways"},
        {"https://a/{stream}/{stream}/hunter2", "more than once"},
        {"https://a/{other}/hunter2", "%XX"},
        {"https://[::1/hunter2", ""},
        {"https://[::1]x/hunter2", ""},
        {"https://a\r\nb/hunter2", ""},
    };
    for (const auto& [uri, words] : cases) {
        const std::string said = error_of(uri);
        EXPECT_THAT(said, HasSubstr("expected https://")) << uri;
        EXPECT_THAT(said, HasSubstr(words)) << uri;
        EXPECT_THAT(said, Not(HasSubstr("hunter2"))) << uri;
    }
}

}  // namespace
}  // namespace sluice::broker::webhook
