#include "consume/circuit_breaker.hpp"

#include <gtest/gtest.h>

#include <string>

namespace {

using namespace std::chrono_literals;
using sluice::consume::circuit_breaker;
using state = circuit_breaker::state;

class circuit_breaker_test : public testing::Test {
protected:
    std::optional<state> fail(const std::string& entry) {
        breaker.handed_out(0, entry);
        return breaker.failed(0, entry, now);
    }
    std::optional<state> succeed(const std::string& entry) {
        breaker.handed_out(0, entry);
        return breaker.succeeded(0, entry);
    }
    void open() {
        for (const char* entry : {"1", "2", "3"}) static_cast<void>(fail(entry));
        ASSERT_EQ(breaker.is(), state::open);
    }

    circuit_breaker breaker{3, 60s};
    sluice::instant now{1h};
};

TEST_F(circuit_breaker_test, opens_when_the_threshold_of_messages_failed_in_a_row) {
    EXPECT_EQ(fail("1"), std::nullopt);
    EXPECT_EQ(fail("2"), std::nullopt);
    EXPECT_EQ(breaker.failures(), 2U);
    EXPECT_TRUE(breaker.admits());
    EXPECT_EQ(fail("3"), state::open);
    EXPECT_FALSE(breaker.admits());
    EXPECT_EQ(breaker.probes_at(), now + 60s);
}

TEST_F(circuit_breaker_test, a_success_in_between_begins_the_count_anew) {
    static_cast<void>(fail("1"));
    static_cast<void>(fail("2"));
    EXPECT_EQ(succeed("ok"), std::nullopt);
    EXPECT_EQ(fail("3"), std::nullopt);
    EXPECT_EQ(fail("4"), std::nullopt);
    EXPECT_EQ(fail("5"), state::open);
}

TEST_F(circuit_breaker_test, counts_messages_and_not_attempts) {
    for (int attempt = 0; attempt < 100; ++attempt) EXPECT_EQ(fail("poison"), std::nullopt);
    EXPECT_EQ(breaker.failures(), 1U);
}

TEST_F(circuit_breaker_test, equal_entries_of_two_streams_are_two_messages) {
    EXPECT_EQ(breaker.failed(0, "1", now), std::nullopt);
    EXPECT_EQ(breaker.failed(1, "1", now), std::nullopt);
    EXPECT_EQ(breaker.failures(), 2U);
}

TEST_F(circuit_breaker_test, with_a_threshold_of_one_the_first_failure_opens_it) {
    breaker = circuit_breaker{1, 60s};
    EXPECT_EQ(fail("1"), state::open);
}

TEST_F(circuit_breaker_test, with_a_threshold_of_zero_it_never_opens) {
    breaker = circuit_breaker{0, 60s};
    for (int i = 0; i < 100; ++i) EXPECT_EQ(fail(std::to_string(i)), std::nullopt);
    EXPECT_TRUE(breaker.admits());
    EXPECT_EQ(breaker.failures(), 0U);
}

TEST_F(circuit_breaker_test, half_open_lets_one_probe_through_whose_success_closes_it) {
    open();
    breaker.half_open();
    EXPECT_TRUE(breaker.admits());
    breaker.handed_out(0, "4");
    EXPECT_FALSE(breaker.admits()) << "one at a time";
    EXPECT_EQ(breaker.succeeded(0, "4"), state::closed);
    EXPECT_TRUE(breaker.admits());
    EXPECT_EQ(breaker.failures(), 0U);
}

TEST_F(circuit_breaker_test, the_failure_of_the_probe_opens_it_again_and_restarts_the_timer) {
    open();
    now += 60s;
    breaker.half_open();
    EXPECT_EQ(fail("4"), state::open);
    EXPECT_EQ(breaker.probes_at(), now + 60s);
    EXPECT_EQ(breaker.failures(), 4U);
}

TEST_F(circuit_breaker_test, what_was_under_way_when_it_opened_changes_nothing) {
    open();
    EXPECT_EQ(breaker.succeeded(0, "early"), std::nullopt);
    EXPECT_EQ(breaker.failed(0, "earlier", now + 30s), std::nullopt);
    EXPECT_EQ(breaker.probes_at(), now + 60s);
    breaker.half_open();
    breaker.handed_out(0, "4");
    EXPECT_EQ(breaker.succeeded(0, "early too"), std::nullopt) << "only the probe counts";
    EXPECT_EQ(breaker.is(), state::half_open);
}

TEST_F(circuit_breaker_test, another_message_may_be_the_probe_when_nothing_was_learned_from_the_first) {
    open();
    breaker.half_open();
    breaker.handed_out(0, "4");
    breaker.withdrawn(0, "4");
    EXPECT_TRUE(breaker.admits());
    breaker.handed_out(0, "5");
    EXPECT_EQ(breaker.succeeded(0, "5"), state::closed);
}

}  // namespace
