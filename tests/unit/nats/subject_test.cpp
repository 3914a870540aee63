#include "broker/nats/subject.hpp"

#include <gmock/gmock.h>

namespace sluice::broker::nats {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST(nats_subject, may_have_everything_that_nats_does_not_read) {
    for (const auto* good : {"shop.order", "shop.order-backfill", "a", "a.b.c", "Bestellungen.größe", "a$b"}) {
        EXPECT_THAT(problem_of_subject(good), IsEmpty()) << good;
    }
}

TEST(nats_subject, must_not_have_what_breaks_the_protocol_or_means_something) {
    for (const auto* bad :
         {"", " ", "a b", "a\r\nb", "a\tb", "a*", "a.>", ".a", "a.", "a..b", "$JS.API.INFO", "a\x7f", "a\n"}) {
        EXPECT_THAT(problem_of_subject(bad), Not(IsEmpty())) << bad;
    }
    EXPECT_THAT(problem_of_subject("a\r\nPUB x"), HasSubstr("`a  PUB x`")) << "one line";
}

TEST(nats_subject, lets_no_header_break_its_line) {
    EXPECT_THAT(problem_of_header("traceparent", "00-1"), IsEmpty());
    EXPECT_THAT(problem_of_header("ce-id", "größe"), IsEmpty());
    for (const auto* bad : {"a\r\nb", "a\nb", "a\x01", " a", "a "}) {
        EXPECT_THAT(problem_of_header("name", bad), Not(IsEmpty())) << bad;
    }
    for (const auto* bad : {"", "a b", "a:b", "a\r\n"}) EXPECT_THAT(problem_of_header(bad, "x"), Not(IsEmpty())) << bad;
}

TEST(nats_subject, makes_tokens_that_can_be_told_apart) {
    EXPECT_EQ(token_of("shop.orders_1-a"), "shop=2Eorders_1-a");
    EXPECT_NE(token_of("a=2E"), token_of("a."));
    EXPECT_EQ(token_of("ü"), "=C3=BC");
}

}  // namespace
}  // namespace sluice::broker::nats
