#include "lease/owner.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace sluice::lease {
namespace {

TEST(lane_owner, names_host_process_and_start) {
    base::seeded_random random{7};
    const auto owner = make_lane_owner(random);
    EXPECT_THAT(owner, testing::MatchesRegex(".+-" + std::to_string(::getpid()) + "-[0-9a-f]{16}"));
}

TEST(lane_owner, differs_for_every_start) {
    base::seeded_random random{7};
    EXPECT_NE(make_lane_owner(random), make_lane_owner(random));
}

}  // namespace
}  // namespace sluice::lease
