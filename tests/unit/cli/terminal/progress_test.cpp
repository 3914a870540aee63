#include "cli/terminal/progress.hpp"

#include <gtest/gtest.h>

namespace sluice::cli {
namespace {

TEST(progress_line, shows_the_share_of_a_file) {
    EXPECT_EQ(
        progress_line({.done = 1200, .failed = 3, .bytes = 50, .total_bytes = 100, .elapsed = std::chrono::seconds{1}}),
        "████████████░░░░░░░░░░░░  50%  1,200 done, 3 failed  1,203/s");
}

TEST(progress_line, of_a_stream_knows_only_counts) {
    EXPECT_EQ(progress_line({.done = 7, .failed = 0, .bytes = 50, .total_bytes = 0, .elapsed = {}}),
              "7 done, 0 failed");
}

TEST(progress_line, a_growing_file_is_never_more_than_whole) {
    EXPECT_EQ(progress_line({.done = 1, .failed = 0, .bytes = 300, .total_bytes = 100, .elapsed = {}}),
              "████████████████████████ 100%  1 done, 0 failed");
}

}  // namespace
}  // namespace sluice::cli
