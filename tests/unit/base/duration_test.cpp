#include <sluice/duration.hpp>

#include <sluice/error.hpp>

#include <gmock/gmock.h>

#include <limits>

namespace {

using namespace std::chrono_literals;
using sluice::duration;
using sluice::format_duration;
using sluice::parse_duration;

constexpr duration longest = duration::max();
constexpr duration most_negative = duration::min();

TEST(duration, is_written_as_iso_8601) {
    EXPECT_EQ(format_duration(0s), "PT0S");
    EXPECT_EQ(format_duration(90min), "PT1H30M");
    EXPECT_EQ(format_duration(45s), "PT45S");
    EXPECT_EQ(format_duration(24h), "P1D");
    EXPECT_EQ(format_duration(84h + 30min + 5s), "P3DT12H30M5S") << "as Python's pydantic";
    EXPECT_EQ(format_duration(500ms), "PT0.5S");
    EXPECT_EQ(format_duration(1us), "PT0.000001S");
    EXPECT_EQ(format_duration(-15min), "-PT15M");
    EXPECT_EQ(format_duration(-1us), "-PT0.000001S");
    EXPECT_EQ(format_duration(longest), "P106751991DT4H54.775807S");
    EXPECT_EQ(format_duration(most_negative), "-P106751991DT4H54.775808S");
}

TEST(duration, reads_what_it_writes) {
    for (const duration length : {duration{0}, duration{90min}, duration{24h}, duration{-1us}, duration{60s},
                                  duration{1h + 1us}, longest, most_negative}) {
        EXPECT_EQ(parse_duration(format_duration(length)), length) << format_duration(length);
    }
}

TEST(duration, reads_iso_8601_in_its_variants) {
    EXPECT_EQ(parse_duration("P2W"), 336h);
    EXPECT_EQ(parse_duration("P1W2D"), 216h);
    EXPECT_EQ(parse_duration("PT36H"), 36h);
    EXPECT_EQ(parse_duration("PT5400S"), 90min);
    EXPECT_EQ(parse_duration("+PT1M"), 1min);
    EXPECT_EQ(parse_duration("P0.5D"), 12h);
    EXPECT_EQ(parse_duration("PT0,25H"), 15min);
    EXPECT_EQ(parse_duration("PT1.0000019S"), 1'000'001us) << "cut off, like the fraction of a date_time";
}

TEST(duration, refuses_what_has_no_fixed_length_or_is_none) {
    for (const char* text : {"",
                             "P",
                             "PT",
                             "-P",
                             "P1Y",
                             "P1M",
                             "1H",
                             "PT1",
                             "P1H",
                             "PT1D",
                             "P1DT",
                             "PT1S1M",
                             "PT1M1M",
                             "P1D2W",
                             "PT1.5H30M",
                             "PT.5S",
                             "PT1.S",
                             "PT-1S",
                             "pt1s",
                             "PT1S ",
                             " PT1S",
                             "1:30:00",
                             "P106751992D",
                             "PT9223372036854775808S",
                             "P99999999999999999999D",
                             "P106751991DT4H54.775808S",
                             "--PT1S"}) {
        try {
            ADD_FAILURE() << text << " is " << parse_duration(text).count();
        } catch (const sluice::decode_error& e) {
            EXPECT_THAT(e.what(), ::testing::HasSubstr("expected for example PT1H30M")) << text;
        }
    }
}

}  // namespace
