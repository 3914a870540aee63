#include "store/lane_pause.hpp"

#include <gtest/gtest.h>

namespace sluice::store {
namespace {

const date_time noon = date_time::parse("2026-11-29T12:00:00.5Z");

TEST(lane_pause, comes_back_from_its_text) {
    for (const char* reason : {"", "the partner moves", " begins with a space", "2026"}) {
        const lane_pause pause{.since = noon, .reason = reason};
        EXPECT_EQ(pause_from(to_text(pause)), pause) << reason;
    }
}

TEST(lane_pause, of_somebody_else_is_a_pause) {
    EXPECT_EQ(pause_from("until Monday"), (lane_pause{.reason = "until Monday"}));
    EXPECT_EQ(pause_from(""), lane_pause{});
    EXPECT_EQ(pause_from("2026-11-29T12:00:00.5Z"), lane_pause{.since = noon});
}

TEST(lane_pause, is_told_to_people) {
    EXPECT_EQ(describe({.since = noon, .reason = "the partner moves"}),
              "paused by an operator since 2026-11-29T12:00:00.500000+00:00: the partner moves");
    EXPECT_EQ(describe({.since = noon}), "paused by an operator since 2026-11-29T12:00:00.500000+00:00");
}

}  // namespace
}  // namespace sluice::store
