#include "config/printable.hpp"

#include <gtest/gtest.h>

namespace sluice::config {
namespace {

TEST(printable, leaves_ordinary_text_alone) {
    EXPECT_EQ(printable("Größe: 5 €, 日本 🚚"), "Größe: 5 €, 日本 🚚");
    EXPECT_EQ(printable(R"(C:\temp "x")"), R"(C:\temp "x")");
}

TEST(printable, escapes_what_would_drive_a_terminal) {
    EXPECT_EQ(printable("a\x1b[31mred"), R"(a\x1b[31mred)");
    EXPECT_EQ(printable("a\r\nb\tc"), R"(a\r\nb\tc)");
    EXPECT_EQ(printable(std::string_view{"\0\x07\x7f", 3}), R"(\x00\x07\x7f)");
    EXPECT_EQ(printable("\xc2\x9b"), R"(\x9b)");
    EXPECT_EQ(printable("\xe2\x80\xae"), R"(\u202e)");
    EXPECT_EQ(printable("\xe2\x80\xa8"), R"(\u2028)");
}

TEST(printable, escapes_malformed_bytes_one_by_one) {
    EXPECT_EQ(printable("a\xff"
                        "b\xe2\x82"),
              R"(a\xffb\xe2\x82)");
    EXPECT_EQ(printable("\xc0\xaf"), R"(\xc0\xaf)");
}

TEST(printable, cuts_by_characters) {
    EXPECT_EQ(printable("äöü", 2), "äö…");
    EXPECT_EQ(printable("äöü", 3), "äöü");
}

TEST(masked_uri, keeps_scheme_host_and_path_only) {
    EXPECT_EQ(masked_uri("redis://cache:6379/0"), "redis://cache:6379/0");
    EXPECT_EQ(masked_uri("postgresql://joe:pw@db:5432/shop?sslkey=k"), "postgresql://db:5432/shop");
    EXPECT_EQ(masked_uri("sqlite:///data/shop.db"), "sqlite:///data/shop.db");
    EXPECT_EQ(masked_uri("data/shop.db"), "data/shop.db");
}

TEST(masked_uri, hides_what_may_be_a_password) {
    EXPECT_EQ(masked_uri("host=db password=pw"), "(hidden)");
    EXPECT_EQ(masked_uri("joe:pw@db/shop"), "(hidden)");
    EXPECT_EQ(masked_uri("redis://joe:hunter2-cache:6379/0"), "redis://(hidden)");
    EXPECT_EQ(masked_uri("redis://:hunter2/0"), "redis://(hidden)");
    EXPECT_EQ(masked_uri("amqp://joe:p@ss/w@rd@mq/vhost"), "amqp://(hidden)");
    EXPECT_EQ(masked_uri("redis://:123#hunter2@cache/0"), "redis://(hidden)");
}

}  // namespace
}  // namespace sluice::config
