#include "config/address_check.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/config/configured.hpp"

namespace sluice::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::vector<std::string> codes_of(const std::vector<finding>& found) {
    std::vector<std::string> codes;
    for (const finding& each : found) {
        codes.push_back(each.code);
        EXPECT_EQ(each.level, severity::warning);
        EXPECT_THAT(each.message + each.remedy, Not(HasSubstr("s3cret")));
        EXPECT_THAT(each.remedy, Not(IsEmpty()));
    }
    return codes;
}

std::vector<std::string> of_database(const std::string& uri) {
    configuration with;
    with.databases["default"] = configured_database("postgresql", uri);
    std::vector<finding> found;
    check_addresses(with, found);
    return codes_of(found);
}

std::vector<std::string> of_broker(const std::string& uri, const option_texts& options = {}) {
    configuration with;
    with.brokers["default"] = configured_broker("redis", uri, options);
    std::vector<finding> found;
    check_addresses(with, found);
    return codes_of(found);
}

TEST(address_check, is_content_with_this_machine_and_with_verified_servers) {
    for (const char* uri :
         {"postgresql://me:s3cret@localhost/shop", "postgresql://me:s3cret@127.0.0.1:1,[::1]:2/shop",
          "postgresql:///shop", "postgresql://me:s3cret@%2Frun%2Fpg/shop", "host=/run/pg password=s3cret",
          "dbname=shop", "", "postgresql://me:s3cret@db.example/shop?sslmode=verify-full",
          "host=db.example password='s3cret' sslmode = verify-full", "hostaddr=127.0.0.1 password=s3cret"}) {
        EXPECT_THAT(of_database(uri), IsEmpty()) << uri;
    }
    for (const char* uri : {"redis://:s3cret@localhost", "redis://:s3cret@[::1]:6379/0", "redis://:s3cret@127.0.0.2",
                            "unix://me:s3cret@/run/redis.sock", "rediss://:s3cret@cache.example",
                            "redis://cache.example", "redis://:s3cret@"}) {
        EXPECT_THAT(of_broker(uri), IsEmpty()) << uri;
    }
}

TEST(address_check, warns_of_plain_text_to_other_machines) {
    for (const char* uri :
         {"postgresql://me:s3cret@db.example/shop", "postgresql://me:s3cret@localhost,10.0.0.7/shop",
          "postgresql://me:s3cret@db.example/shop?sslmode=prefer", "host=db.example password=s3cret sslmode=disable",
          "hostaddr=10.0.0.7 password=s3cret", "postgresql://db.example/shop?user=me&password=s3cret",
          "postgresql://127.example.org/shop"}) {
        EXPECT_THAT(of_database(uri), ElementsAre("PLAIN_TEXT")) << uri;
    }
    EXPECT_THAT(of_broker("redis://:s3cret@cache.example:6379/0"), ElementsAre("PLAIN_TEXT"));
    EXPECT_THAT(of_broker("redis://:s3cret@[fd00::1]"), ElementsAre("PLAIN_TEXT"));
}

TEST(address_check, warns_of_servers_that_nobody_verifies) {
    EXPECT_THAT(of_database("postgresql://me:s3cret@db.example/shop?sslmode=require"),
                ElementsAre("UNVERIFIED_SERVER"));
    EXPECT_THAT(of_database("host=db.example sslmode=verify-ca"), ElementsAre("UNVERIFIED_SERVER"));
    EXPECT_THAT(of_broker("rediss://:s3cret@cache.example", {{"tls_verify", "false"}}),
                ElementsAre("UNVERIFIED_SERVER"));
    EXPECT_THAT(of_broker("rediss://cache.example?ssl_cert_reqs=none"), ElementsAre("UNVERIFIED_SERVER"));
    EXPECT_THAT(of_broker("rediss://h?ssl_cert_reqs=required", {{"tls_verify", "false"}}), IsEmpty());
}

TEST(address_check, warns_of_addresses_that_can_be_read_in_two_ways) {
    EXPECT_THAT(of_database("postgresql://me:a@s3cret@localhost/shop"), ElementsAre("AMBIGUOUS_ADDRESS"));
    EXPECT_THAT(of_database("host=localhost password=a s3cret"), ElementsAre("AMBIGUOUS_ADDRESS"));
    EXPECT_THAT(of_broker("redis://:a@s3cret@localhost"), ElementsAre("AMBIGUOUS_ADDRESS"));
}

TEST(address_check, warns_of_the_newline_at_the_end_of_a_secret) {
    EXPECT_THAT(of_broker("redis://:s3cret\n@localhost"), ElementsAre("CONTROL_CHARACTER"));
    EXPECT_THAT(of_database("host=localhost password='s3cret\n'"), ElementsAre("CONTROL_CHARACTER"));
}

}  // namespace
}  // namespace sluice::config
