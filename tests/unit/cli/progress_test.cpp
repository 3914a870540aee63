#include "cli/progress.hpp"

#include <gtest/gtest.h>

namespace sluice::cli {
namespace {

TEST(ProgressLine, ShowsTheShareOfAFile) {
    EXPECT_EQ(progress_line({.done = 1200, .failed = 3, .bytes = 50, .total_bytes = 100, .elapsed = std::chrono::seconds{1}}),
              "████████████░░░░░░░░░░░░  50%  1,200 done, 3 failed  1,203/s");
}

TEST(ProgressLine, OfAStreamKnowsOnlyCounts) {
    EXPECT_EQ(progress_line({.done = 7, .failed = 0, .bytes = 50, .total_bytes = 0, .elapsed = {}}), "7 done, 0 failed");
}

TEST(ProgressLine, AGrowingFileIsNeverMoreThanWhole) {
    EXPECT_EQ(progress_line({.done = 1, .failed = 0, .bytes = 300, .total_bytes = 100, .elapsed = {}}),
              "████████████████████████ 100%  1 done, 0 failed");
}

}  // namespace
}  // namespace sluice::cli
