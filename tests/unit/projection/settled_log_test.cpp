#include "projection/settled_log.hpp"

#include <gtest/gtest.h>

namespace sluice::projection {
namespace {

TEST(settled_log, ends_at_the_head_when_nobody_writes) {
    settled_log log;
    log.looked({.head = 7, .writers = {}});
    EXPECT_EQ(log.settled(), 7);
}

TEST(settled_log, waits_for_everybody_who_wrote_at_the_look) {
    settled_log log;
    log.looked({.head = 7, .writers = {"a", "b"}});
    EXPECT_EQ(log.settled(), 0);
    log.looked({.head = 8, .writers = {"b", "c"}});
    EXPECT_EQ(log.settled(), 0) << "b may still fill a number below 7";
    log.looked({.head = 9, .writers = {"c"}});
    EXPECT_EQ(log.settled(), 7) << "c came later, and all its numbers lie above";
    log.looked({.head = 9, .writers = {}});
    EXPECT_EQ(log.settled(), 9);
}

TEST(settled_log, does_not_wait_for_one_who_came_after_the_look) {
    settled_log log;
    log.looked({.head = 7, .writers = {"a"}});
    log.looked({.head = 7, .writers = {"b"}});
    EXPECT_EQ(log.settled(), 7);
}

TEST(settled_log, begun_anew_waits_for_the_writers_of_the_next_look) {
    settled_log log;
    log.looked({.head = 7, .writers = {"a"}});
    log.begin_anew();
    log.looked({.head = 9, .writers = {"a"}});
    EXPECT_EQ(log.settled(), 0);
    log.looked({.head = 10, .writers = {}});
    EXPECT_EQ(log.settled(), 10);
}

}  // namespace
}  // namespace sluice::projection
