#include "http/openmetrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace sluice::http {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr double infinite = std::numeric_limits<double>::infinity();
constexpr const char* trace = "0af7651916cd43dd8448eb211c80319c";
constexpr const char* span = "b7ad6b7169203331";

std::string shown(const metric_family& family) { return to_openmetrics({&family, 1}); }

/// What a bucket shows behind its count.
std::string shown_exemplar(const metric_exemplar& exemplar) {
    const std::string text = shown({.name = "h",
                                    .kind = metric_kind::histogram,
                                    .samples = {{.buckets = {{.upper_bound = infinite, .exemplar = exemplar}}}}});
    const std::string before = "h_bucket{le=\"+Inf\"} 0";
    const auto begin = text.find(before) + before.size();
    return text.substr(begin, text.find('\n', begin) - begin);
}

TEST(openmetrics, nothing_is_a_text_too) { EXPECT_EQ(to_openmetrics({}), "# EOF\n"); }

TEST(openmetrics, shows_each_kind_as_the_specification_has_it) {
    const std::vector<metric_family> all{
        {.name = "sluice_rows_total",
         .help = "Rows.",
         .kind = metric_kind::counter,
         .samples = {{.labels = {{"broker", "a"}, {"external", "true"}}, .value = 4},
                     {.labels = {{"broker", "b"}, {"external", "true"}}, .value = 0}}},
        {.name = "sluice_age_seconds", .help = "Age.", .samples = {{.value = 0.25}}},
        {.name = "sluice_build_info", .help = "Version.", .samples = {{.labels = {{"version", "0.1"}}, .value = 1}}},
        {.name = "sluice_took_seconds",
         .help = "Time.",
         .kind = metric_kind::histogram,
         .samples = {{.labels = {{"handler", "h"}},
                      .value = 3.5,
                      .count = 6,
                      .buckets = {{.upper_bound = 0.1, .count = 1},
                                  {.upper_bound = 1,
                                   .count = 4,
                                   .exemplar = metric_exemplar{.value = 0.5,
                                                               .at = date_time::from_micros(1'700'000'000'000'042),
                                                               .trace_id = trace,
                                                               .span_id = span}},
                                  {.upper_bound = infinite, .count = 6}}}}}};
    EXPECT_EQ(to_openmetrics(all), R"(# TYPE sluice_rows counter
# HELP sluice_rows Rows.
sluice_rows_total{broker="a",external="true"} 4
sluice_rows_total{broker="b",external="true"} 0
# TYPE sluice_age_seconds gauge
# UNIT sluice_age_seconds seconds
# HELP sluice_age_seconds Age.
sluice_age_seconds 0.25
# TYPE sluice_build_info gauge
# HELP sluice_build_info Version.
sluice_build_info{version="0.1"} 1
# TYPE sluice_took_seconds histogram
# UNIT sluice_took_seconds seconds
# HELP sluice_took_seconds Time.
sluice_took_seconds_bucket{handler="h",le="0.1"} 1
sluice_took_seconds_bucket{handler="h",le="1.0"} 4 # {trace_id="0af7651916cd43dd8448eb211c80319c",span_id="b7ad6b7169203331"} 0.5 1700000000.000042
sluice_took_seconds_bucket{handler="h",le="+Inf"} 6
sluice_took_seconds_count{handler="h"} 6
sluice_took_seconds_sum{handler="h"} 3.5
# EOF
)");
}

TEST(openmetrics, a_counter_beside_a_metric_of_its_own_name_is_of_no_known_type) {
    const std::vector<metric_family> all{
        {.name = "sluice_failed_total", .help = "Ever.", .kind = metric_kind::counter, .samples = {{.value = 3}}},
        {.name = "sluice_failed", .help = "Now.", .samples = {{.value = 1}}},
        {.name = "sluice_odd", .help = "Odd.", .kind = metric_kind::counter, .samples = {{.value = 2}}}};
    EXPECT_EQ(to_openmetrics(all), R"(# TYPE sluice_failed_total unknown
# HELP sluice_failed_total Ever.
sluice_failed_total 3
# TYPE sluice_failed gauge
# HELP sluice_failed Now.
sluice_failed 1
# TYPE sluice_odd unknown
# HELP sluice_odd Odd.
sluice_odd 2
# EOF
)");
}

TEST(openmetrics, escapes_labels_and_help) {
    const std::string text = shown(
        {.name = "g", .help = "a \"b\" \\ c\nd", .samples = {{.labels = {{"x", "a\"b\\c\nd\xC3\xA4"}}, .value = 1}}});
    EXPECT_THAT(text, HasSubstr("# HELP g a \\\"b\\\" \\\\ c\\nd\n"));
    EXPECT_THAT(text, HasSubstr("g{x=\"a\\\"b\\\\c\\nd\xC3\xA4\"} 1\n"));
}

TEST(openmetrics, replaces_what_is_no_text) {
    const std::string text = shown({.name = "g", .samples = {{.labels = {{"x", "a\xFF\xC3"}}, .value = 1}}});
    EXPECT_THAT(text, HasSubstr("g{x=\"a\xEF\xBF\xBD\xEF\xBF\xBD\"} 1\n"));
}

TEST(openmetrics, whole_numbers_have_no_point_and_others_all_their_digits) {
    const auto value = [](double number) {
        const std::string text = shown({.name = "g", .samples = {{.value = number}}});
        const auto begin = text.find("\ng ") + 3;
        return text.substr(begin, text.find('\n', begin) - begin);
    };
    EXPECT_EQ(value(0), "0");
    EXPECT_EQ(value(-3), "-3");
    EXPECT_EQ(value(1'700'000'000), "1700000000");
    EXPECT_EQ(value(9007199254740991), "9007199254740991");
    EXPECT_EQ(value(1e300), "1e+300");
    EXPECT_EQ(value(0.1), "0.1");
    EXPECT_EQ(value(7200.2005), "7200.2005");
    EXPECT_EQ(value(1.0 / 3), "0.3333333333333333");
    EXPECT_EQ(value(infinite), "+Inf");
    EXPECT_EQ(value(-infinite), "-Inf");
    EXPECT_EQ(value(std::numeric_limits<double>::quiet_NaN()), "NaN");
}

/// The examples of the specification, section "Canonical Numbers".
TEST(openmetrics, bounds_are_canonical_numbers) {
    const std::vector<std::pair<double, const char*>> examples{
        {0, "0.0"},       {0.001, "0.001"}, {0.002, "0.002"},  {0.01, "0.01"},     {0.1, "0.1"},     {0.9, "0.9"},
        {0.95, "0.95"},   {0.99, "0.99"},   {0.999, "0.999"},  {1, "1.0"},         {1.7, "1.7"},     {10, "10.0"},
        {1e-10, "1e-10"}, {1e-9, "1e-09"},  {1e-5, "1e-05"},   {0.0001, "0.0001"}, {3600, "3600.0"}, {1e5, "100000.0"},
        {1e6, "1e+06"},   {1e10, "1e+10"},  {infinite, "+Inf"}};
    for (const auto& [bound, text] : examples) {
        EXPECT_THAT(
            shown({.name = "h", .kind = metric_kind::histogram, .samples = {{.buckets = {{.upper_bound = bound}}}}}),
            HasSubstr(std::string{"h_bucket{le=\""} + text + "\"} 0\n"));
    }
}

TEST(openmetrics, an_exemplar_names_trace_span_value_and_time) {
    metric_exemplar exemplar{.value = 2, .at = date_time::from_micros(1'000'000), .trace_id = trace, .span_id = span};
    const std::string links = std::string{" # {trace_id=\""} + trace + "\",span_id=\"" + span + "\"}";
    EXPECT_EQ(shown_exemplar(exemplar), links + " 2 1.000000");
    exemplar.value = 0.000021;
    exemplar.at = date_time::from_micros(1'764'583'200'999'999);
    EXPECT_EQ(shown_exemplar(exemplar), links + " 2.1e-05 1764583200.999999");
    exemplar.at = date_time::from_micros(-1'500'000);
    EXPECT_EQ(shown_exemplar(exemplar), links + " 2.1e-05 -1.500000");
}

TEST(openmetrics, an_exemplar_that_is_too_long_is_left_out) {
    metric_exemplar exemplar{.value = 2, .trace_id = trace, .span_id = std::string(128 - 8 - 32 - 7, 'a')};
    EXPECT_THAT(shown_exemplar(exemplar), HasSubstr("trace_id"));
    exemplar.span_id += 'a';
    EXPECT_EQ(shown_exemplar(exemplar), "");
}

}  // namespace
}  // namespace sluice::http
