#include "http/metrics_format.hpp"

#include <gtest/gtest.h>

#include <string>

namespace sluice::http {
namespace {

using enum metrics_format;

TEST(metrics_format_test, prometheus_gets_openmetrics) {
    // 2.26 to 2.55
    EXPECT_EQ(choose_metrics_format("application/openmetrics-text;version=1.0.0,"
                                    "application/openmetrics-text;version=0.0.1;q=0.75,"
                                    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"),
              openmetrics);
    // 3.0
    EXPECT_EQ(choose_metrics_format("application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
                                    "application/openmetrics-text;version=0.0.1;q=0.5,"
                                    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
                                    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"),
              openmetrics);
}

TEST(metrics_format_test, who_names_nothing_gets_the_text_of_always) {
    for (const char* accept : {"", "*/*", "*/*;q=0.1", "text/plain", "text/*", "text/plain;version=0.0.4",
                               "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "application/json",
                               "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily"}) {
        EXPECT_EQ(choose_metrics_format(accept), prometheus_text) << accept;
    }
}

TEST(metrics_format_test, the_greater_weight_decides_and_of_equal_ones_the_name) {
    EXPECT_EQ(choose_metrics_format("application/openmetrics-text"), openmetrics);
    EXPECT_EQ(choose_metrics_format("application/*"), openmetrics);
    EXPECT_EQ(choose_metrics_format("text/plain, application/openmetrics-text"), openmetrics);
    EXPECT_EQ(choose_metrics_format("text/plain, application/*"), prometheus_text) << "it is not named";
    EXPECT_EQ(choose_metrics_format("application/openmetrics-text;q=0.5, text/plain;q=0.6"), prometheus_text);
    EXPECT_EQ(choose_metrics_format("application/openmetrics-text;q=0.5, */*"), prometheus_text);
    EXPECT_EQ(choose_metrics_format("text/plain;q=0.5, */*;q=0.6"), openmetrics) << "the rest is wanted more";
}

TEST(metrics_format_test, a_weight_of_zero_refuses) {
    EXPECT_EQ(choose_metrics_format("application/openmetrics-text;q=0"), prometheus_text);
    EXPECT_EQ(choose_metrics_format("application/openmetrics-text;q=0.000, application/*"), prometheus_text)
        << "the range that says more decides, whatever its weight";
    EXPECT_EQ(choose_metrics_format("text/plain;q=0, application/openmetrics-text;q=0"), prometheus_text);
}

TEST(metrics_format_test, another_version_asks_for_something_else) {
    EXPECT_EQ(choose_metrics_format("application/openmetrics-text;version=0.0.1,text/plain;version=0.0.4;q=0.5"),
              prometheus_text);
    EXPECT_EQ(choose_metrics_format("application/openmetrics-text;version=2.0.0,"
                                    "application/openmetrics-text;version=1.0.0;q=0.2"),
              openmetrics);
}

TEST(metrics_format_test, reads_what_the_grammar_allows) {
    EXPECT_EQ(choose_metrics_format("Application/OpenMetrics-Text ; Version=\"1.0.0\" ; Q=0.9 ,\ttext/plain;q=0.8"),
              openmetrics);
    EXPECT_EQ(choose_metrics_format(R"(application/openmetrics-text;x="\",;";q=0.1, text/plain;q=0.5)"),
              prometheus_text)
        << "what is quoted separates nothing";
    EXPECT_EQ(choose_metrics_format(",, application/openmetrics-text ,"), openmetrics);
}

TEST(metrics_format_test, what_cannot_be_read_is_passed_over) {
    for (const char* weight : {"", "x", "-1", "2", "nan", "inf", "1x", "1e0"}) {
        const std::string accept = std::string{"application/openmetrics-text;q="} + weight;
        EXPECT_EQ(choose_metrics_format(accept), prometheus_text) << accept;
        EXPECT_EQ(choose_metrics_format(accept + ",application/openmetrics-text;q=0.1"), openmetrics) << accept;
    }
    for (const char* accept : {";", ",", ";;q", "\"", "application/openmetrics-text\"", "/", "*", "application/",
                               "application/openmetrics-text/x", "\\"}) {
        EXPECT_EQ(choose_metrics_format(accept), prometheus_text) << accept;
    }
}

TEST(metrics_format_test, names_what_it_is) {
    EXPECT_STREQ(content_type_of(openmetrics), "application/openmetrics-text; version=1.0.0; charset=utf-8");
    EXPECT_STREQ(content_type_of(prometheus_text), "text/plain; version=0.0.4; charset=utf-8");
}

}  // namespace
}  // namespace sluice::http
