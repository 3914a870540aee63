#include <sluice/decimal.hpp>

#include <sluice/error.hpp>

#include <gmock/gmock.h>

#include <limits>
#include <unordered_set>

#include "base/decimal_text.hpp"

namespace {

using sluice::decimal;
using sluice::rounding;
using ::testing::HasSubstr;
using money = decimal<2>;
using limits = std::numeric_limits<std::int64_t>;

static_assert(money{"19.99"}.units() == 1999);
static_assert(money{"-0.5"}.units() == -50);
static_assert(money{"-92233720368547758.08"}.units() == limits::min());
static_assert(money{5} + money{"0.01"} == money::from_units(501));
static_assert(decimal<3>{money{"1.25"}}.units() == 1250);
static_assert(!std::is_constructible_v<money, double>, "a binary fraction is not the number that was meant");
static_assert(!std::is_convertible_v<int, money>, "cents are easily taken for whole ones");
static_assert(!std::is_constructible_v<money, decimal<3>>, "it would have to be rounded");

template <class Do>
std::string refusal(const Do& what) {
    try {
        static_cast<void>(what());
        return "accepted";
    } catch (const sluice::error& e) {
        return std::string{e.code()} + ": " + e.what();
    }
}

TEST(decimal, reads_what_python_and_json_write) {
    for (const auto& [text, units] :
         std::vector<std::pair<const char*, std::int64_t>>{{"19.99", 1999},
                                                           {"-0.5", -50},
                                                           {"+7", 700},
                                                           {".5", 50},
                                                           {"5.", 500},
                                                           {"0", 0},
                                                           {"-0.00", 0},
                                                           {"0E-7", 0},
                                                           {"0E+99999999999999999999", 0},
                                                           {"1E+3", 100000},
                                                           {"1999e-2", 1999},
                                                           {"19.990000000000000000000000000000", 1999},
                                                           {"0000000000000000000000000019.99", 1999},
                                                           {"92233720368547758.07", limits::max()},
                                                           {"-92233720368547758.08", limits::min()}}) {
        EXPECT_EQ(money::parse(text).units(), units) << text;
    }
}

TEST(decimal, refuses_what_it_cannot_hold_exactly) {
    for (const char* text : {"19.999", "0.001", "1e-3", "1E-99999999999999999999", "0.30000000000000004"}) {
        EXPECT_THAT(refusal([&] { return money::parse(text); }),
                    HasSubstr("has more than 2 digits after the point; round it first"))
            << text;
    }
    for (const char* text : {"92233720368547758.08", "-92233720368547758.09", "1e17", "1E+99999999999999999999",
                             "99999999999999999999999999"}) {
        EXPECT_THAT(refusal([&] { return money::parse(text); }), HasSubstr("is beyond the range of decimal<2>"))
            << text;
    }
}

TEST(decimal, refuses_what_is_no_number) {
    for (const char* text : {"", "-", ".", "1.2.3", "1,5", "abc", "NaN", "Infinity", "1e", "e5", "1e+-5", "1e++5",
                             "--5", "0x10", " 5", "5 ", "1_000", "1e5.0", "+-5"}) {
        EXPECT_THAT(refusal([&] { return money::parse(text); }),
                    HasSubstr("is not a decimal number; expected for example -0.50"))
            << text;
    }
}

TEST(decimal, is_written_with_all_of_its_digits) {
    EXPECT_EQ(money{}.to_string(), "0.00");
    EXPECT_EQ(money{"-0.5"}.to_string(), "-0.50");
    EXPECT_EQ(money{1200}.to_string(), "1200.00");
    EXPECT_EQ(decimal<0>{-7}.to_string(), "-7");
    EXPECT_EQ(decimal<18>::from_units(limits::min()).to_string(), "-9.223372036854775808");
    EXPECT_EQ(decimal<18>::from_units(-1).to_string(), "-0.000000000000000001");
}

TEST(decimal, calculates_exactly) {
    EXPECT_EQ(money{"0.10"} + money{"0.20"}, money{"0.30"});
    EXPECT_EQ(money{"0.10"} - money{"0.30"}, money{"-0.20"});
    EXPECT_EQ(-money{"1.00"} * 3, money{"-3.00"});
    EXPECT_EQ(3 * money{"19.99"}, money{"59.97"});
    EXPECT_LT(money{"-1.00"}, money{"0.99"});
    EXPECT_TRUE(money{"-0.01"}.is_negative());
    EXPECT_TRUE(money{}.is_zero());
}

TEST(decimal, never_overflows_in_silence) {
    const money most = money::from_units(limits::max());
    const money least = money::from_units(limits::min());
    const auto beyond = HasSubstr(
        "validation_error: decimal<2> is not valid: the result is beyond its range, from -92233720368547758.08 to "
        "92233720368547758.07");
    EXPECT_THAT(refusal([&] { return most + money{"0.01"}; }), beyond);
    EXPECT_THAT(refusal([&] { return least - money{"0.01"}; }), beyond);
    EXPECT_THAT(refusal([&] { return -least; }), beyond);
    EXPECT_THAT(refusal([&] { return most * 2; }), beyond);
    EXPECT_THAT(refusal([&] { return money{limits::max()}; }), beyond);
    EXPECT_THAT(refusal([&] { return money{std::numeric_limits<std::uint64_t>::max()}; }), beyond);
    EXPECT_THAT(refusal([&] { return most.times(money{"1.01"}, rounding::floor); }), beyond);
    EXPECT_THAT(refusal([&] { return most.divided_by(money{"0.99"}, rounding::floor); }), beyond);
    EXPECT_THAT(refusal([&] { return most.rounded<3>(rounding::floor); }), HasSubstr("decimal<3>"));
    EXPECT_THAT(refusal([&] { return decimal<3>{most}; }), HasSubstr("decimal<3>"));
    money sum = most;
    EXPECT_THAT(refusal([&] { return sum += money{1}; }), beyond);
    EXPECT_EQ(sum, most) << "it is as before";
}

TEST(decimal, is_rounded_as_asked_for) {
    using enum rounding;
    struct expectation {
        const char* text;
        std::int64_t half_even, half_up, toward_zero, away, floor, ceiling;
    };
    for (const auto& e : {expectation{"2.5", 2, 3, 2, 3, 2, 3}, expectation{"3.5", 4, 4, 3, 4, 3, 4},
                          expectation{"-2.5", -2, -3, -2, -3, -3, -2}, expectation{"-3.5", -4, -4, -3, -4, -4, -3},
                          expectation{"2.4", 2, 2, 2, 3, 2, 3}, expectation{"-2.6", -3, -3, -2, -3, -3, -2},
                          expectation{"0.1", 0, 0, 0, 1, 0, 1}, expectation{"7.0", 7, 7, 7, 7, 7, 7}}) {
        const auto number = decimal<1>::parse(e.text);
        EXPECT_EQ(number.rounded<0>(half_even).units(), e.half_even) << e.text;
        EXPECT_EQ(number.rounded<0>(half_up).units(), e.half_up) << e.text;
        EXPECT_EQ(number.rounded<0>(toward_zero).units(), e.toward_zero) << e.text;
        EXPECT_EQ(number.rounded<0>(away_from_zero).units(), e.away) << e.text;
        EXPECT_EQ(number.rounded<0>(rounding::floor).units(), e.floor) << e.text;
        EXPECT_EQ(number.rounded<0>(ceiling).units(), e.ceiling) << e.text;
    }
    EXPECT_EQ(money{"19.99"}.rounded<4>(half_even).to_string(), "19.9900");
}

TEST(decimal, is_multiplied_and_divided_with_a_rounding) {
    EXPECT_EQ(money{"64.97"}.times(decimal<3>{"0.190"}, rounding::half_up), money{"12.34"});
    EXPECT_EQ(money{"-0.05"}.times(decimal<1>{"0.5"}, rounding::half_even), money{"-0.02"});
    EXPECT_EQ(money{100}.divided_by(3, rounding::half_even), money{"33.33"});
    EXPECT_EQ(money{"-100"}.divided_by(3, rounding::floor), money{"-33.34"});
    EXPECT_EQ(money{1}.divided_by(decimal<3>{"-0.008"}, rounding::half_even), money{-125});
    EXPECT_EQ(money::from_units(limits::max()).times(decimal<18>{"1"}, rounding::half_even).units(), limits::max());
    EXPECT_THAT(refusal([] { return money{1}.divided_by(money{}, rounding::floor); }),
                HasSubstr("usage_error: a decimal<2> was divided by zero"));
    EXPECT_THAT(refusal([] { return money{1}.divided_by(0, rounding::floor); }), HasSubstr("divided by zero"));
}

TEST(decimal, can_be_a_key) { EXPECT_EQ((std::unordered_set<money>{money{1}, money{"1.00"}, money{2}}).size(), 2U); }

TEST(decimal, text_is_rounded_to_the_nearest_when_that_is_asked_for) {
    const auto seconds = [](std::string_view text) {
        return sluice::base::read_decimal(text, 6, sluice::base::excess_digits::round_half_even).units;
    };
    EXPECT_EQ(seconds("0.30000000000000004"), 300'000);
    EXPECT_EQ(seconds("0.0000005"), 0) << "half way, and 0 is even";
    EXPECT_EQ(seconds("0.00000050000000001"), 1);
    EXPECT_EQ(seconds("0.0000015"), 2);
    EXPECT_EQ(seconds("-1.9999999"), -2'000'000);
    EXPECT_EQ(seconds("0.00000009"), 0) << "nothing of it is kept, and it is less than a half";
    EXPECT_EQ(seconds("9e-99"), 0);
}

}  // namespace
