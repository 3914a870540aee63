#include <sluice/date.hpp>

#include <sluice/error.hpp>

#include <gmock/gmock.h>

#include <unordered_set>

namespace {

using namespace std::chrono_literals;
using sluice::date;

bool is_date(std::string_view text) {
    try {
        static_cast<void>(date::parse(text));
        return true;
    } catch (const sluice::decode_error&) {
        return false;
    }
}

TEST(date, reads_what_it_writes) {
    for (const char* text : {"0001-01-01", "1969-12-31", "2024-02-29", "2026-11-23", "9999-12-31"}) {
        EXPECT_EQ(date::parse(text).to_string(), text);
    }
    EXPECT_EQ(date{}.to_string(), "1970-01-01");
}

TEST(date, refuses_what_the_calendar_does_not_have) {
    for (const char* text : {"", "2026-02-29", "2026-02-30", "1900-02-29", "2026-13-01", "2026-00-10", "2026-01-00",
                             "2026-04-31", "0000-01-01", "26-01-01", "2026-1-01", "2026/01/01", "2026-01-01T00:00:00",
                             " 2026-01-01", "+2026-01-01", "-026-01-01", "2026-01-1x", "20260101"}) {
        EXPECT_FALSE(is_date(text)) << text;
    }
    try {
        static_cast<void>(date::parse("2026-02-30"));
        FAIL() << "accepted";
    } catch (const sluice::decode_error& e) {
        EXPECT_STREQ(e.what(), "'2026-02-30' is not a date; expected for example 2026-11-23");
    }
}

TEST(date, is_a_day_of_the_standard_calendar) {
    const date day = 2026y / 11 / 23;
    EXPECT_EQ(day, date::parse("2026-11-23"));
    EXPECT_EQ((day + std::chrono::days{30}).to_string(), "2026-12-23");
    EXPECT_EQ((day - std::chrono::days{23}).to_string(), "2026-10-31");
    EXPECT_EQ(date{2027y / 1 / 1} - day, std::chrono::days{39});
    EXPECT_EQ(date{day.ymd() + std::chrono::months{1}}.to_string(), "2026-12-23");
    EXPECT_EQ(std::chrono::weekday{day.sys_days()}, std::chrono::Monday);
    EXPECT_LT(day, date{2026y / 11 / 24});
    EXPECT_LT(date{2025y / 12 / 31}, day);
}

TEST(date, is_kept_when_it_is_none_and_says_so) {
    EXPECT_TRUE(date{2026y / 2 / 28}.ok());
    EXPECT_FALSE(date{2026y / 2 / 30}.ok());
    EXPECT_FALSE(date{10000y / 1 / 1}.ok()) << "its text has four digits for the year";
    EXPECT_FALSE(date{0y / 1 / 1}.ok());
    EXPECT_FALSE(is_date(date{2026y / 2 / 30}.to_string())) << "no other day takes its place";
    EXPECT_FALSE(is_date(date{-5y / 2 / 3}.to_string()));
}

TEST(date, of_an_instant_is_that_in_utc) {
    EXPECT_EQ(date::of(sluice::date_time::parse("2026-11-23T23:30:00-01:00")).to_string(), "2026-11-24");
    EXPECT_EQ(date::of(sluice::date_time::from_micros(-1)).to_string(), "1969-12-31");
}

TEST(date, can_be_a_key) {
    const std::unordered_set<date> days{2026y / 11 / 23, 2026y / 11 / 23, 2026y / 11 / 24};
    EXPECT_EQ(days.size(), 2U);
}

}  // namespace
