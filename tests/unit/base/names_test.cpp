#include "base/names.hpp"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace {

using namespace sluice::base;
using cases = std::vector<std::pair<const char*, const char*>>;

TEST(names, normalized_domain_name) {
    for (const auto& [domain, expected] : cases{{"my_app", "my_app"},
                                                {"My App", "my_app"},
                                                {"MyApp", "myapp"},
                                                {"E-Commerce 2.0", "e_commerce_2_0"},
                                                {"Bücher", "bucher"},
                                                {"Straße", "strae"},
                                                {"  (a) -- b!  ", "a_b"},
                                                {"_a_-b_", "_a__b_"},
                                                {"日本", ""},
                                                {"", ""}}) {
        EXPECT_EQ(normalized_domain_name(domain), expected) << domain;
    }
}

TEST(names, camel_domain_name) {
    for (const auto& [domain, expected] : cases{{"my_app", "MyApp"},
                                                {"HTTPServer", "HttpServer"},
                                                {"E-Commerce 2.0", "ECommerce20"},
                                                {"orders", "Orders"},
                                                {"my_domain_1_0", "MyDomain10"},
                                                {"a1b2", "A1B2"},
                                                {"O'Neil's App", "OneilsApp"},
                                                {"order_id", "Order"},
                                                {"OrderId", "Order"},
                                                {"Bücher", "Bucher"},
                                                {"", ""}}) {
        EXPECT_EQ(camel_domain_name(domain), expected) << domain;
    }
}

TEST(names, underscore) {
    for (const auto& [name, expected] : cases{{"OrderLine", "order_line"},
                                              {"HTTPServer", "http_server"},
                                              {"IOError", "io_error"},
                                              {"order", "order"},
                                              {"Order2Line", "order2_line"},
                                              {"aBC", "a_bc"},
                                              {"ABC", "abc"},
                                              {"SKU-Code", "sku_code"},
                                              {"already_done", "already_done"},
                                              {"", ""}}) {
        EXPECT_EQ(underscore(name), expected) << name;
    }
}

TEST(names, transliterate) {
    for (const auto& [text, expected] : cases{{"ÀÿĀžſ", "AyAzs"},
                                              {"ÆŒßþĳ", "ij"},
                                              {"Łódź İstanbul", "odz Istanbul"},
                                              {"u\u0308", "u"},
                                              {"a×b÷c€d", "abcd"},
                                              {"a\xFFz", "az"}}) {
        EXPECT_EQ(transliterate(text), expected) << text;
    }
}

TEST(names, dotted) {
    for (const auto& [name, expected] : cases{{"shop::OrderShipped", "shop.OrderShipped"},
                                              {"::shop::v1::Order", "shop.v1.Order"},
                                              {"Order", "Order"},
                                              {"shop::(anonymous namespace)::Order", "shop.Order"},
                                              {"{anonymous}::Order", "Order"},
                                              {"", ""}}) {
        EXPECT_EQ(dotted(name), expected) << name;
    }
}

TEST(names, suggest_finds_the_nearest_candidate) {
    const std::vector<std::string> keys{"external_brokers", "broker", "messages_per_tick", "tick_interval"};
    EXPECT_EQ(suggest("brokr", keys), "broker");
    EXPECT_EQ(suggest("borker", keys), "broker");
    EXPECT_EQ(suggest("external_broker", keys), "external_brokers");
    EXPECT_EQ(suggest("tick_intervall", keys), "tick_interval");
    EXPECT_EQ(suggest("broker", keys), "broker");
}

TEST(names, suggest_stays_silent_when_nothing_is_near) {
    const std::vector<std::string> keys{"broker", "uri"};
    EXPECT_EQ(suggest("priority", keys), "");
    EXPECT_EQ(suggest("url", keys), "uri");
    EXPECT_EQ(suggest("urls", keys), "");
    EXPECT_EQ(suggest("", keys), "");
    EXPECT_EQ(suggest("broker", {}), "");
}

TEST(names, suggest_counts_a_swap_once_and_prefers_the_first_of_equals) {
    EXPECT_EQ(suggest("ab", std::vector<std::string>{"ba"}), "ba");
    EXPECT_EQ(suggest("cat", std::vector<std::string>{"bat", "hat"}), "bat");
    EXPECT_EQ(suggest("abcdef", std::vector<std::string>{"abcd", "abcde"}), "abcde");
}

}  // namespace
