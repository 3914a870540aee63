#include "store/audit_note.hpp"

#include <gtest/gtest.h>

namespace sluice::store {
namespace {

const date_time monday = date_time::parse("2026-11-30T08:00:00Z");
const date_time tuesday = date_time::parse("2026-12-01T08:00:00.25Z");

TEST(audit_note, remembers_when_the_last_one_closed) {
    const auto never = audit_note{}.followed_by(monday, false);
    EXPECT_FALSE(never.closes);
    EXPECT_EQ(never.closed_at, std::nullopt);
    const auto closed = never.followed_by(monday, true);
    EXPECT_EQ(closed.closed_at, monday);
    const auto broken = closed.followed_by(tuesday, false);
    EXPECT_EQ(broken.at, tuesday);
    EXPECT_FALSE(broken.closes);
    EXPECT_EQ(broken.closed_at, monday);
}

TEST(audit_note, is_read_as_it_was_written) {
    for (const audit_note& each : {audit_note{.at = monday}.followed_by(tuesday, true),
                                   audit_note{}.followed_by(monday, true).followed_by(tuesday, false),
                                   audit_note{}.followed_by(tuesday, false)}) {
        EXPECT_EQ(audit_note_from(to_text(each)), each) << to_text(each);
    }
}

TEST(audit_note, of_somebody_else_is_none) {
    for (const char* text : {"", "closed", "Monday closed", "2026-11-30T08:00:00Z", "2026-11-30T08:00:00Z perhaps",
                             "2026-11-30T08:00:00Z open sometimes"}) {
        EXPECT_EQ(audit_note_from(text), std::nullopt) << text;
    }
}

}  // namespace
}  // namespace sluice::store
