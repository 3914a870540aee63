#include "cli/commands/writers_text.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace sluice::cli {
namespace {

using namespace std::chrono_literals;

TEST(writers_text, names_pid_age_and_application) {
    EXPECT_EQ(writers_text({{.pid = 4242, .age = 192s, .application = "psql", .state = "idle in transaction"}}),
              "pid 4242, open for 3m 12s (psql, idle in transaction)");
    EXPECT_EQ(writers_text({{.pid = 7}, {}}), "pid 7; a prepared transaction") << "what the server hides is left out";
    EXPECT_EQ(writers_text({{.pid = 7, .state = "active"}}), "pid 7 (active)");
    EXPECT_EQ(writers_text({{.pid = 1}, {.pid = 2}, {.pid = 3}, {.pid = 4}, {.pid = 5}}),
              "pid 1; pid 2; pid 3; and 2 more");
}

}  // namespace
}  // namespace sluice::cli
