#include "outbox/jittered_backoff.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace sluice::outbox {
namespace {

using namespace std::chrono_literals;

TEST(jittered_backoff, doubles_up_to_the_longest_pause_within_the_spread) {
    base::seeded_random random{1};
    jittered_backoff pauses{{100ms, 2, 1s}, random};
    for (const duration expected : {100ms, 200ms, 400ms, 800ms}) {
        const auto pause = pauses.next();
        EXPECT_GE(pause, expected * 8 / 10);
        EXPECT_LE(pause, expected * 12 / 10);
    }
    for (int i = 0; i < 1000; ++i) {
        const auto pause = pauses.next();
        EXPECT_GE(pause, 800ms);
        EXPECT_LE(pause, 1s);
    }
}

TEST(jittered_backoff, begins_again_after_success) {
    base::seeded_random random{1};
    jittered_backoff pauses{{100ms, 2, 30s}, random};
    for (int i = 0; i < 10; ++i) (void)pauses.next();
    pauses.reset();
    EXPECT_LE(pauses.next(), 120ms);
}

TEST(jittered_backoff, does_not_pause_two_lanes_alike) {
    base::seeded_random random{1};
    jittered_backoff first{{1s, 2, 30s}, random};
    jittered_backoff second{{1s, 2, 30s}, random};
    EXPECT_NE(first.next(), second.next());
}

}  // namespace
}  // namespace sluice::outbox
