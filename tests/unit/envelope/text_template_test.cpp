#include "envelope/text_template.hpp"

#include <gtest/gtest.h>

namespace sluice::envelope {
namespace {

constexpr template_values shipped{.stream_category = "shop::order_line", .type = "Shop.OrderShipped.v2"};

TEST(text_template, fills_in_what_a_message_has) {
    EXPECT_EQ(fill_template("{stream_category}", shipped), "shop::order_line");
    EXPECT_EQ(fill_template("eu.{domain}.{aggregate}/{event}@{version}", shipped), "eu.shop.order_line/OrderShipped@2");
    EXPECT_EQ(fill_template("{type}{type}", shipped), "Shop.OrderShipped.v2Shop.OrderShipped.v2");
    EXPECT_EQ(fill_template("orders", shipped), "orders");
    EXPECT_EQ(fill_template("", shipped), "");
}

TEST(text_template, takes_a_category_without_a_domain_for_both) {
    EXPECT_EQ(fill_template("{domain}/{aggregate}", {.stream_category = "orders", .type = ""}), "orders/orders");
}

TEST(text_template, finds_what_is_wrong) {
    EXPECT_EQ(problem_of_template("a.{domain}-{version}"), "");
    EXPECT_EQ(problem_of_template("{nothing}"), "has {nothing}, which stands for nothing");
    EXPECT_EQ(problem_of_template("{}"), "has {}, which stands for nothing");
    for (const char* broken : {"{", "}", "a}b", "{domain", "{a{domain}", "{domain}}"}) {
        EXPECT_EQ(problem_of_template(broken), "has a brace without its partner") << broken;
    }
}

TEST(text_template, names_its_fields) {
    EXPECT_EQ(template_fields(), "{aggregate}, {domain}, {event}, {stream_category}, {type}, {version}");
}

}  // namespace
}  // namespace sluice::envelope
