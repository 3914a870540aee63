#include "broker/redis/endpoint.hpp"

#include <gmock/gmock.h>

#include <sluice/error.hpp>

namespace sluice::broker::redis {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(redis_endpoint, reads_host_port_and_database) {
    const auto all = parse_uri("redis://partner-redis:6380/3");
    EXPECT_EQ(all.host, "partner-redis");
    EXPECT_EQ(all.port, 6380);
    EXPECT_EQ(all.database, 3U);
    EXPECT_FALSE(all.tls);
    EXPECT_EQ(all.name(), "partner-redis:6380/3");
    EXPECT_EQ(parse_uri("redis://").name(), "localhost:6379/0");
    EXPECT_EQ(parse_uri("redis://h/").name(), "h:6379/0");
    EXPECT_EQ(parse_uri("redis://[::1]:7000/1").name(), "[::1]:7000/1");
    EXPECT_EQ(parse_uri("redis://h?db=5").database, 5U);
}

TEST(redis_endpoint, reads_credentials_and_shows_none) {
    const auto both = parse_uri("redis://us%40er:p%2Fa%3As%40s@h:1/0");
    EXPECT_EQ(both.user, "us@er");
    EXPECT_EQ(both.password, "p/a:s@s");
    EXPECT_EQ(both.name(), "h:1/0");
    const auto old = parse_uri("redis://:secret@h");
    EXPECT_EQ(old.user, "");
    EXPECT_EQ(old.password, "secret");
}

TEST(redis_endpoint, reads_sockets) {
    const auto socket = parse_uri("unix:///run/redis/redis.sock?db=2");
    EXPECT_EQ(socket.path, "/run/redis/redis.sock");
    EXPECT_EQ(socket.database, 2U);
    EXPECT_EQ(socket.name(), "unix:/run/redis/redis.sock/2");
    const auto with_login = parse_uri("unix://u:p@/s");
    EXPECT_EQ(with_login.path, "/s");
    EXPECT_EQ(with_login.user, "u");
}

TEST(redis_endpoint, reads_what_tls_trusts) {
    const auto plain = parse_uri("rediss://h", {.ca_file = "/configured"});
    EXPECT_TRUE(plain.tls);
    EXPECT_TRUE(plain.trust.verify);
    EXPECT_EQ(plain.trust.ca_file, "/configured");
    const auto all = parse_uri("rediss://h?ssl_cert_reqs=none&ssl_ca_certs=/a%20b&ssl_certfile=/c&ssl_keyfile=/k");
    EXPECT_FALSE(all.trust.verify);
    EXPECT_EQ(all.trust.ca_file, "/a b");
    EXPECT_EQ(all.trust.certificate_file, "/c");
    EXPECT_EQ(all.trust.key_file, "/k");
}

TEST(redis_endpoint, says_what_is_wrong_without_the_password) {
    const auto complaint = [](const char* uri) -> std::string {
        try {
            static_cast<void>(parse_uri(uri));
        } catch (const configuration_error& e) {
            return e.what();
        }
        return "accepted";
    };
    EXPECT_THAT(complaint("localhost:6379"), HasSubstr("no scheme"));
    EXPECT_THAT(complaint("amqp://u:secret@h"), HasSubstr("scheme is not redis"));
    EXPECT_THAT(complaint("redis://u:secret@h:99999"), HasSubstr("port must be a whole number from 0 to 65535"));
    EXPECT_THAT(complaint("redis://u:secret@h:0"), HasSubstr("port 0"));
    EXPECT_THAT(complaint("redis://u:secret@h/x"), HasSubstr("database must be"));
    EXPECT_THAT(complaint("redis://u:secret%zz@h"), HasSubstr("password has a %"));
    EXPECT_THAT(complaint("redis://user@h"), HasSubstr("without a password"));
    EXPECT_THAT(complaint("redis://[::1"), HasSubstr("closing bracket"));
    EXPECT_THAT(complaint("redis://h?socket_timeout=1"),
                HasSubstr("a parameter is not known (known: db, ssl_cert_reqs"));
    EXPECT_THAT(complaint("rediss://h?ssl_cert_reqs=optional"), HasSubstr("required or none"));
    EXPECT_THAT(complaint("unix://relative"), HasSubstr("must begin with a slash"));
    EXPECT_THAT(complaint("redis://:a/b@h:1/0"), HasSubstr("not clear what the password is"));
    EXPECT_EQ(complaint("redis://:a@b@h:1/0"), "accepted");
    EXPECT_EQ(complaint("unix:///run/user@1000/redis.sock"), "accepted");
    for (const char* uri : {"amqp://u:secret@h", "redis://:h?secret@h", "redis://:1?secret=2@h",
                            "redis://u:secret@h:99999", "redis://u:secret%zz@h"}) {
        EXPECT_THAT(complaint(uri), Not(HasSubstr("secret")));
        EXPECT_THAT(complaint(uri), HasSubstr("expected redis://"));
    }
}

}  // namespace
}  // namespace sluice::broker::redis
