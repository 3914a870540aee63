#include "broker/kafka/endpoint.hpp"

#include <gmock/gmock.h>

#include <sluice/error.hpp>

namespace sluice::broker::kafka {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(endpoint, reads_hosts_and_ports) {
    const auto at = parse_uri("kafka://h1:9093,h2,[::1],[::2]:9094");
    EXPECT_EQ(at.servers, "h1:9093,h2:9092,[::1]:9092,[::2]:9094");
    EXPECT_EQ(at.user, "");
    EXPECT_FALSE(at.tls);
}

TEST(endpoint, reads_who_logs_in) {
    const auto at = parse_uri("kafkas://me%40home:a%2Fb@broker.example/");
    EXPECT_EQ(at.user, "me@home");
    EXPECT_EQ(at.password, "a/b");
    EXPECT_EQ(at.servers, "broker.example:9092");
    EXPECT_TRUE(at.tls);
}

TEST(endpoint, quotes_nothing_of_what_it_refuses) {
    for (const char* uri : {"redis://s3cret", "kafka://", "kafka://user@h", "kafka://:s3cret@h", "kafka://h/s3cret",
                            "kafka://h?x=s3cret", "kafka://user:s3/cret@h", "h:9092", "kafka://h1,,h2"}) {
        try {
            static_cast<void>(parse_uri(uri));
            ADD_FAILURE() << uri;
        } catch (const configuration_error& e) {
            EXPECT_THAT(e.what(), HasSubstr("expected kafka://"));
            EXPECT_THAT(e.what(), Not(HasSubstr("cret"))) << uri;
        }
    }
}

}  // namespace
}  // namespace sluice::broker::kafka
