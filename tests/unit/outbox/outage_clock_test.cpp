#include "outbox/outage_clock.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace sluice::outbox {
namespace {

using namespace std::chrono_literals;

class outage_clock_test : public testing::Test {
protected:
    /// The pause until the next try, of a thing that fails now.
    duration fail() {
        clock_.failed("no route\nto host", now_);
        return clock_.retry_at() - now_.steady;
    }

    base::seeded_random random_{1};
    base::moment now_{.steady = instant{1h}, .wall = date_time::parse("2026-11-29T08:00:00Z")};
    outage_clock clock_{{.first = 100ms, .factor = 2, .most = 1s}, random_};
};

TEST_F(outage_clock_test, pauses_grow_up_to_the_longest) {
    EXPECT_FALSE(clock_.lasts());
    const duration first = fail();
    EXPECT_GE(first, 80ms);
    EXPECT_LE(first, 120ms);
    EXPECT_TRUE(clock_.lasts());
    EXPECT_EQ(clock_.reason().find('\n'), std::string::npos) << "one line";
    EXPECT_GE(fail(), 160ms);
    for (int i = 0; i < 10; ++i) EXPECT_LE(fail(), 1s);
}

TEST_F(outage_clock_test, an_answer_ends_the_outage_and_only_work_shortens_the_next_pause) {
    for (int i = 0; i < 3; ++i) fail();
    clock_.over();
    EXPECT_FALSE(clock_.lasts());
    EXPECT_EQ(clock_.reason(), "");
    EXPECT_GE(fail(), 640ms) << "it answered, and failed again";
    clock_.works();
    EXPECT_TRUE(clock_.lasts()) << "that is for `over`";
    EXPECT_LE(fail(), 120ms);
}

}  // namespace
}  // namespace sluice::outbox
