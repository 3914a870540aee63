#include "broker/nats/endpoint.hpp"

#include <gmock/gmock.h>

#include <sluice/error.hpp>

#include "broker/nats/nats_broker.hpp"

namespace sluice::broker::nats {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::string objection_to(nats_options options) {
    try {
        static_cast<void>(make_nats_broker(std::move(options)));
    } catch (const configuration_error& e) {
        return e.what();
    }
    return {};
}

TEST(nats_endpoint, reads_hosts_and_ports) {
    const auto all = parse_uri("nats://one:4223,two,[::1]:4224");
    EXPECT_THAT(all.hosts,
                ElementsAre(endpoint::host{"one", 4223}, endpoint::host{"two", 4222}, endpoint::host{"::1", 4224}));
    EXPECT_FALSE(all.tls);
    EXPECT_EQ(all.name(), "one:4223,two:4222,[::1]:4224");
    EXPECT_TRUE(parse_uri("tls://one").tls);
    EXPECT_EQ(parse_uri("nats://").name(), "localhost:4222");
}

TEST(nats_endpoint, reads_who_we_are_and_shows_it_nowhere) {
    const auto both = parse_uri("nats://us%40er:p%2Fa%3As%40s@one,two/");
    EXPECT_EQ(both.user, "us@er");
    EXPECT_EQ(both.password, "p/a:s@s");
    EXPECT_EQ(both.token, "");
    EXPECT_EQ(both.name(), "one:4222,two:4222");
    const auto token = parse_uri("nats://s3cret@one");
    EXPECT_EQ(token.token, "s3cret");
    EXPECT_EQ(token.user, "");
    EXPECT_EQ(make_nats_broker({.uri = "tls://u:pw@one"})->describe(), "nats (TLS) one:4222");
}

TEST(nats_endpoint, refuses_what_is_no_address_without_quoting_it) {
    for (const auto* bad :
         {"", "one:4222", "redis://s3cret@one", "nats://a:s3cret@b@c", "nats://one/path", "nats://one?x=1",
          "nats://one:99999", "nats://one:0", "nats://u:s3cret/x@one", "nats://one:x"}) {
        const auto said = objection_to({.uri = bad});
        EXPECT_THAT(said, HasSubstr("nats URI")) << bad;
        EXPECT_THAT(said, Not(HasSubstr("s3cret"))) << bad;
    }
}

TEST(nats_endpoint, refuses_options_that_contradict_each_other) {
    EXPECT_THAT(objection_to({.uri = "nats://token@one", .token_file = "f"}), HasSubstr("more than one way"));
    EXPECT_THAT(objection_to({.uri = "nats://one", .nkey = "U"}), HasSubstr("nkey_seed_file"));
    EXPECT_THAT(objection_to({.uri = "nats://one", .expect_stream = "S", .create_stream = true}),
                HasSubstr("create_stream"));
    EXPECT_EQ(objection_to({.uri = "nats://one"}), "");
}

}  // namespace
}  // namespace sluice::broker::nats
