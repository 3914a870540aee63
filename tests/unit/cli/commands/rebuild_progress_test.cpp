#include "cli/commands/rebuild_progress.hpp"

#include <gtest/gtest.h>

namespace sluice::cli {
namespace {

TEST(rebuild_line, shows_the_share_of_the_log_and_the_rate) {
    EXPECT_EQ(rebuild_line("orders", {.position = 1200, .head = 2400, .events = 600, .waiting_for = 0},
                           std::chrono::seconds{2}),
              "orders  ████████████░░░░░░░░░░░░  50%  1,200 of 2,400  300 events/s");
}

TEST(rebuild_line, says_whom_it_waits_for) {
    EXPECT_EQ(rebuild_line("orders", {.position = 0, .head = 0, .events = 0, .waiting_for = 1}, {}),
              "orders  ████████████████████████ 100%  0 of 0  waits for 1 transaction that writes events");
}

}  // namespace
}  // namespace sluice::cli
