#include "console/backfill_order.hpp"

#include <gmock/gmock.h>

#include "operate/request_error.hpp"

namespace sluice::console {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

operate::backfill_request of_form(std::string_view text) { return backfill_asked_for(*form_values::read(text)); }

TEST(console_backfill_order, what_a_form_leaves_empty_is_not_asked_for) {
    const auto asked = of_form("broker=partner&since=&first=&types=&streams=&database=&rate=");
    EXPECT_EQ(asked.broker, "partner");
    EXPECT_FALSE(asked.first);
    EXPECT_FALSE(asked.since);
    EXPECT_THAT(asked.types, IsEmpty());
    EXPECT_EQ(asked.rate, 0);
    EXPECT_EQ(to_text(asked), "all published events");
}

TEST(console_backfill_order, a_form_lists_names_with_blanks_or_commas_between) {
    const auto asked =
        of_form("broker=partner&types=+OrderShipped%2C%0AShop.Order*+&streams=shop%3A%3Aorder&first=7&rate=20");
    EXPECT_THAT(asked.types, ElementsAre("OrderShipped", "Shop.Order*"));
    EXPECT_THAT(asked.streams, ElementsAre("shop::order"));
    EXPECT_EQ(asked.first, 7);
    EXPECT_EQ(to_text(asked), "OrderShipped, Shop.Order* of shop::order from number 7 on, 20 a second");
}

TEST(console_backfill_order, form_and_body_mean_the_same) {
    const auto asked = backfill_asked_for(json::parse(
        R"({"broker":"partner","since":"2026-11-29","types":["OrderShipped"],"database":"sales","rate":20})"));
    const auto same = of_form("broker=partner&since=2026-11-29&types=OrderShipped&database=sales&rate=20");
    EXPECT_EQ(to_text(asked), to_text(same));
    EXPECT_EQ(to_text(asked), "OrderShipped in database sales from 2026-11-29T00:00:00+00:00 on, 20 a second");
}

TEST(console_backfill_order, refuses_what_cannot_be_meant) {
    EXPECT_THROW(static_cast<void>(of_form("types=x")), operate::request_error);
    EXPECT_THROW(static_cast<void>(of_form("broker=p&first=0")), operate::request_error);
    EXPECT_THROW(static_cast<void>(of_form("broker=p&rate=2000000")), operate::request_error);
    EXPECT_THROW(static_cast<void>(of_form("broker=p&since=yesterday")), operate::request_error);
    EXPECT_THROW(static_cast<void>(backfill_asked_for(json::parse(R"({"broker":"p","rate":-1})"))), error);
    EXPECT_THROW(static_cast<void>(backfill_asked_for(json::parse(R"({"broker":"p","types":"x"})"))), decode_error);
}

}  // namespace
}  // namespace sluice::console
