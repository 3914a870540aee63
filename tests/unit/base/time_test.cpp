#include <sluice/error.hpp>
#include <sluice/time.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace {

using sluice::date_time;

std::string failure(std::string_view text) {
    try {
        static_cast<void>(date_time::parse(text));
    } catch (const sluice::decode_error& e) {
        return e.what();
    }
    return "accepted";
}

TEST(date_time, is_written_as_python_isoformat) {
    EXPECT_EQ(date_time{}.to_string(), "1970-01-01T00:00:00+00:00");
    EXPECT_EQ(date_time::from_micros(1795420585613701).to_string(), "2026-11-23T07:56:25.613701+00:00");
    EXPECT_EQ(date_time::from_micros(1).to_string(), "1970-01-01T00:00:00.000001+00:00");
    EXPECT_EQ(date_time::from_micros(-1).to_string(), "1969-12-31T23:59:59.999999+00:00");
    EXPECT_EQ(date_time::from_micros(951782400000000).to_string(), "2000-02-29T00:00:00+00:00");
}

TEST(date_time, is_written_as_the_first_or_last_instant_when_it_lies_outside) {
    constexpr auto limits = std::numeric_limits<std::int64_t>{};
    EXPECT_EQ(date_time::from_micros(limits.min()).to_string(), "0001-01-01T00:00:00+00:00");
    EXPECT_EQ(date_time::from_micros(limits.max()).to_string(), "9999-12-31T23:59:59.999999+00:00");
}

TEST(date_time, reads_what_it_writes) {
    for (const char* text : {"0001-01-01T00:00:00+00:00", "1969-12-31T23:59:59.999999+00:00",
                             "2026-11-23T07:56:25.613701+00:00", "9999-12-31T23:59:59.999999+00:00"}) {
        EXPECT_EQ(date_time::parse(text).to_string(), text);
    }
}

TEST(date_time, reads_iso_8601_in_its_variants) {
    const date_time expected = date_time::parse("2026-11-23T07:56:25.600000+00:00");
    for (const char* text : {"2026-11-23T07:56:25.6Z", "2026-11-23 07:56:25.6", "2026-11-23T07:56:25.600000999",
                             "2026-11-23T13:26:25.6+05:30", "2026-11-22T23:56:25.6-08:00"}) {
        EXPECT_EQ(date_time::parse(text), expected) << text;
    }
    EXPECT_EQ(date_time::parse("2026-11-23T07:56:25").micros() % 1'000'000, 0);
    EXPECT_EQ(date_time::parse("1969-12-31T23:59:59.9999999Z").micros(), -1);
}

TEST(date_time, refuses_what_is_no_time) {
    for (const char* text : {"",
                             "2026-11-23",
                             "2026-11-23T07:56",
                             "2026-11-23T07:56:25.",
                             "2026-11-23T07:56:25.1234567890",
                             "2026-02-29T00:00:00Z",
                             "2026-13-01T00:00:00Z",
                             "2026-00-01T00:00:00Z",
                             "2026-01-00T00:00:00Z",
                             "2026-01-01T24:00:00Z",
                             "2026-01-01T00:60:00Z",
                             "2026-01-01T00:00:60Z",
                             "2026-01-01t00:00:00Z",
                             "2026-01-01T00:00:00z",
                             "2026-01-01T00:00:00+0100",
                             "2026-01-01T00:00:00+24:00",
                             "2026-01-01T00:00:00+01:60",
                             "2026-01-01T00:00:00Zx",
                             "2026-01-01T00:00:00 Z",
                             "0000-01-01T00:00:00Z",
                             "0001-01-01T00:00:00+00:01",
                             "9999-12-31T23:59:59-00:01",
                             "+2026-01-01T00:00:00Z",
                             "26-01-01T00:00:00Z",
                             "2026-1-01T00:00:00Z"}) {
        EXPECT_NE(failure(text), "accepted") << text;
    }
}

TEST(date_time, failure_names_the_text_but_not_all_of_a_long_one) {
    EXPECT_EQ(failure("soon"), "'soon' is not a time; expected for example 2026-11-23T07:56:25.613701+00:00");
    EXPECT_LT(failure(std::string(10'000, '9')).size(), 200U);
}

TEST(date_time, is_an_ordered_instant) {
    const date_time t = date_time::from_micros(10);
    EXPECT_EQ((t + sluice::duration{5}).micros(), 15);
    EXPECT_EQ((t - sluice::duration{15}).micros(), -5);
    EXPECT_EQ((t + sluice::duration{5}) - t, sluice::duration{5});
    EXPECT_LT(t, t + sluice::duration{1});
}

TEST(system_clock, tells_the_time_of_the_machine) {
    const auto machine_now = [] {
        const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
        return date_time{std::chrono::floor<sluice::duration>(since_epoch)};
    };
    const date_time before = machine_now();
    const date_time now = sluice::system_clock().now();
    EXPECT_GE(now, before);
    EXPECT_LE(now, machine_now());
}

}  // namespace
