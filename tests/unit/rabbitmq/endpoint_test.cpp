#include "broker/rabbitmq/endpoint.hpp"

#include <gmock/gmock.h>

#include <sluice/error.hpp>

namespace sluice::broker::rabbitmq {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(endpoint, is_read_from_a_whole_uri) {
    const auto at =
        parse_uri("amqps://app:p%40ss@rabbit.example:5699/shop%2fevents?cacertfile=/ca.pem&verify=verify_none");
    EXPECT_EQ(at.host, "rabbit.example");
    EXPECT_EQ(at.port, 5699);
    EXPECT_EQ(at.user, "app");
    EXPECT_EQ(at.password, "p@ss");
    EXPECT_EQ(at.vhost, "shop/events");
    EXPECT_TRUE(at.tls);
    EXPECT_EQ(at.trust.ca_file, "/ca.pem");
    EXPECT_FALSE(at.trust.verify);
    EXPECT_THAT(at.name(), Not(HasSubstr("p@ss")));
}

TEST(endpoint, has_the_usual_values_for_what_is_not_said) {
    const auto at = parse_uri("amqp://rabbit");
    EXPECT_EQ(at.port, 5672);
    EXPECT_EQ(at.user, "guest");
    EXPECT_EQ(at.vhost, "/");
    EXPECT_EQ(at.name(), "rabbit:5672/");
    EXPECT_EQ(parse_uri("amqp://rabbit/").vhost, "/");
    EXPECT_EQ(parse_uri("amqp://rabbit/%2f").vhost, "/");
    EXPECT_EQ(parse_uri("amqp://rabbit/shop").name(), "rabbit:5672/shop");
    EXPECT_EQ(parse_uri("amqps://rabbit").port, 5671);
    EXPECT_EQ(parse_uri("amqp://[::1]:99").name(), "[::1]:99/");
}

TEST(endpoint, is_refused_without_showing_a_password) {
    for (const char* const uri :
         {"redis://u:sesame@h", "amqp://u:sesame@h:0", "amqp://u:sesame@h:99999", "amqp://u:sesame@h/a/b",
          "amqp://u:se/same@h", "amqp://u:sesame@h?verify=perhaps", "amqp://u:sesame@h?unknown=1", "amqp://u@h",
          "amqp://u:sesame@h:x", "u:sesame@h", ""}) {
        try {
            static_cast<void>(parse_uri(uri));
            ADD_FAILURE() << uri;
        } catch (const configuration_error& no) {
            EXPECT_THAT(no.what(), Not(HasSubstr("sesame"))) << uri;
            EXPECT_THAT(no.what(), HasSubstr("expected amqp://"));
        }
    }
}

}  // namespace
}  // namespace sluice::broker::rabbitmq
