#include "base/address_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::base {
namespace {

using ::testing::ElementsAre;
using ::testing::Optional;
using ::testing::Pair;

TEST(address_text, takes_hosts_apart) {
    using hosts = std::vector<host_and_port>;
    EXPECT_EQ(read_hosts("db:5432,[::1]:5433,a%2db,[fe80::1],c:"),
              (hosts{{"db", "5432"}, {"::1", "5433"}, {"a-b", {}}, {"fe80::1", {}}, {"c", ""}}));
    EXPECT_EQ(read_hosts(""), (hosts{{"", {}}}));
    EXPECT_EQ(read_hosts(",:1"), (hosts{{"", {}}, {"", "1"}}));
}

TEST(address_text, reads_a_port) {
    EXPECT_EQ(read_port("1"), 1);
    EXPECT_EQ(read_port("65535"), 65535);
    for (const char* none : {"", "0", "65536", "-1", "+1", "1x", " 1"})
        EXPECT_EQ(read_port(none), std::nullopt) << none;
}

TEST(address_text, puts_an_ipv6_address_into_brackets) {
    EXPECT_EQ(bracketed("::1"), "[::1]");
    EXPECT_EQ(bracketed("db-1.example"), "db-1.example");
}

TEST(address_text, takes_a_uri_apart) {
    const auto all = read_uri("postgresql://me:a%40b@db-1.example:5432,[::1]:5433/shop?sslmode=require&x_y=");
    ASSERT_TRUE(all);
    EXPECT_EQ(all->scheme, "postgresql");
    EXPECT_EQ(all->user, "me");
    EXPECT_THAT(all->password, Optional(std::string_view{"a%40b"}));
    EXPECT_EQ(percent_decoded(*all->password), "a@b");
    EXPECT_EQ(all->authority, "db-1.example:5432,[::1]:5433");
    EXPECT_EQ(all->path, "/shop");
    EXPECT_EQ(all->query, "sslmode=require&x_y=");

    const auto least = read_uri("redis://");
    ASSERT_TRUE(least);
    EXPECT_FALSE(least->password);
    EXPECT_EQ(least->authority, "");

    const auto socket = read_uri("postgresql://%2Frun%2Fpg/shop");
    ASSERT_TRUE(socket);
    EXPECT_EQ(percent_decoded(socket->authority), "/run/pg");
}

TEST(address_text, reads_the_same_settings_in_both_forms_of_an_address) {
    for (const char* text : {"postgresql://me:a%40b@db:5432,[::1]:5433/shop?sslmode=require",
                             "host=db,::1 password='a@b' sslmode=require"}) {
        const auto all = read_settings(text);
        ASSERT_TRUE(all) << text;
        EXPECT_EQ(all->at("host"), "db,::1") << text;
        EXPECT_EQ(all->at("password"), "a@b") << text;
        EXPECT_EQ(all->at("sslmode"), "require") << text;
    }
    EXPECT_FALSE(read_settings("postgresql://me:a@b@db/shop"));
    EXPECT_FALSE(read_settings("host=db and more"));
    EXPECT_THAT(read_query("a=b%20c&d="), ElementsAre(Pair("a", "b c"), Pair("d", "")));
    EXPECT_TRUE(read_query("").empty());
}

TEST(address_text, reads_no_uri_that_can_be_read_in_two_ways) {
    for (const char* text : {"no scheme",
                             "1x://h",
                             "://h",
                             "a b://h",
                             "redis://:a@b@h",
                             "redis://:a/b@h:1",
                             "redis://:a?b@h:1",
                             "redis://:a#b@h:1",
                             "redis://:a#b",
                             "redis://u:a%zzb@h",
                             "redis://u:a%4",
                             "redis://joe:secret/0",
                             "redis://a b@h",
                             "redis://h?key",
                             "redis://h?a=b&c",
                             "redis://h?a=b@c",
                             "redis://h,joe:secret",
                             "redis://[::1",
                             "redis://[secret]",
                             "redis://[::1]x",
                             "redis://h:1\n",
                             "redis://sec=ret"}) {
        EXPECT_FALSE(read_uri(text)) << text;
    }
}

TEST(address_text, reads_keywords) {
    EXPECT_THAT(
        read_keywords(" host = db  user=me password='a \\'b\\\\' port="),
        Optional(ElementsAre(Pair("host", "db"), Pair("password", "a 'b\\"), Pair("port", ""), Pair("user", "me"))));
    EXPECT_THAT(read_keywords(""), Optional(ElementsAre()));
}

TEST(address_text, reads_no_keywords_that_can_be_read_in_two_ways) {
    for (const char* text : {"password=a b", "password=a host=b host=c", "password='a'b host=c", "password='a",
                             "password=a'b", "password=a\\ b", "=a", "pass-word=a"}) {
        EXPECT_FALSE(read_keywords(text)) << text;
    }
}

TEST(address_text, knows_addresses_with_a_password) {
    for (const char* text : {"redis://:a@h", "postgresql://me:a@h", "postgresql://h?user=me&password=a", "password=a",
                             "host=h password='a b'", "redis://:a/b@h", "joe:pw@h"}) {
        EXPECT_TRUE(holds_password(text)) << text;
    }
    for (const char* text : {"redis://h", "postgresql://me@h/shop", "redis://:@h", "host=h user=me",
                             "sqlite:///shop.db", "data/shop.db", ""}) {
        EXPECT_FALSE(holds_password(text)) << text;
    }
}

TEST(address_text, notices_addresses_where_none_belong) {
    for (const char* text : {"redis://h", "joe:pw@h", "host=h PassWord=x", "passfile = x", "x/postgresql://h"}) {
        EXPECT_TRUE(may_hold_password(text)) << text;
    }
    for (const char* text : {"default", "data/shop.db", "C:/shop.db", "a=b", "joe@h:1", "passport"}) {
        EXPECT_FALSE(may_hold_password(text)) << text;
    }
}

}  // namespace
}  // namespace sluice::base
