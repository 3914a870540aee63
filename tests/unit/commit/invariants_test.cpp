#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ledger.hpp"

namespace {

using ledger::Depot;
using ledger::message_of;
using ::testing::HasSubstr;

TEST(change, verifies_after_it_and_undoes_what_breaks_a_rule) {
    Depot depot{"d-1"};
    for (const char* paper : {"a", "b", "c"}) depot.buy(paper, 1);
    EXPECT_THAT(message_of<sluice::validation_error>([&] { depot.buy("d", 1); }), HasSubstr("positions: are too many"));
    EXPECT_EQ(depot.papers(), 3U);
}

TEST(change, verifies_what_must_hold_before_it) {
    Depot depot{"d-1"};
    depot.freeze();
    EXPECT_THAT(message_of<sluice::validation_error>([&] { depot.buy("a", 1); }),
                HasSubstr("Depot is not valid: is frozen"));
    EXPECT_EQ(depot.papers(), 0U);
}

TEST(change, undoes_what_an_exception_left_half_done) {
    Depot depot{"d-1"};
    depot.buy("a", 1);
    EXPECT_THROW(depot.buy_and_fail("b"), std::runtime_error);
    EXPECT_EQ(depot.papers(), 1U);
}

TEST(change, takes_the_events_back_with_the_state) {
    ledger::fixture f;
    f.work([](auto& in) {
        Depot& depot = in.template repository<Depot>().add(Depot{"d-1"});
        depot.buy("a", 1);
        EXPECT_THROW(depot.buy_and_fail("b"), std::runtime_error);
        EXPECT_THROW(depot.buy("c", 0), sluice::validation_error);
        depot.buy("d", 2);
    });
    const auto events = f.stream("bank::depot-d-1");
    ASSERT_EQ(events.size(), 2U);
    EXPECT_THAT(events[1].event.data, HasSubstr(R"("paper":"d")"));
}

TEST(invariants, of_an_entity_are_reported_with_its_path) {
    Depot depot{"d-1"};
    depot.buy("a", 1);
    depot.buy("b", 1);
    EXPECT_THAT(message_of<sluice::validation_error>([&] { depot.buy("c", 0); }),
                HasSubstr("positions[2].quantity: must be at least 1"));
}

TEST(invariants, hold_at_commit_whatever_was_done_without_change) {
    ledger::fixture f;
    EXPECT_THAT(message_of<sluice::validation_error>([&] {
                    f.work([](auto& in) { in.template repository<Depot>().add(Depot{"d-1"}).buy_unguarded("a", 0); });
                }),
                HasSubstr("Depot.positions[0].quantity: must be at least 1"));
}

}  // namespace
