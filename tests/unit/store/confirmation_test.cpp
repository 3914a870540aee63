#include "store/confirmation.hpp"

#include <gmock/gmock.h>

namespace sluice::store {
namespace {

TEST(confirmations, are_the_events_that_a_settlement_tells_of) {
    const auto time = date_time::from_micros(7);
    const auto all = confirmations_of({{.seq = 2, .type = "A"}, {.seq = 3, .type = "B"}, {.seq = 5, .type = "C"}},
                                      {{.seq = 5, .published_at = time, .receipt = "5-0"},
                                       {.seq = 4, .receipt = "of no event"},
                                       {.seq = 2, .receipt = "2-0"},
                                       {.seq = 5, .receipt = "listed twice"}});
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0].type, "A");
    EXPECT_EQ(all[0].receipt, "2-0");
    EXPECT_EQ(all[1].seq, 5);
    EXPECT_EQ(all[1].receipt, "5-0");
    EXPECT_EQ(all[1].confirmed_at, time);
}

}  // namespace
}  // namespace sluice::store
