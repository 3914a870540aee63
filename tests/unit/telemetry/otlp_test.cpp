#include "telemetry/otlp.hpp"

#include <gtest/gtest.h>

#include <limits>

#include <sluice/json.hpp>

namespace sluice::telemetry {
namespace {

const resource shop{.attributes = {{"service.name", std::string{"shop"}}, {"process.pid", std::int64_t{7}}}};

finished_span example() {
    finished_span span;
    span.context = {"0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", true};
    span.name = "publish \"shop\"";
    span.kind = span_kind::client;
    span.begin = date_time::from_micros(1'700'000'000'123'456);
    span.took = std::chrono::microseconds{789};
    return span;
}

json::value first_span(const finished_span& span) {
    return json::parse(encode_spans(shop, {&span, 1}))
        .at("resourceSpans")
        .at(std::size_t{0})
        .at("scopeSpans")
        .at(std::size_t{0})
        .at("spans")
        .at(std::size_t{0});
}

json::value first_metric(const metric_family& metric) {
    return json::parse(encode_metrics(shop, {&metric, 1}, date_time::from_micros(1), date_time::from_micros(2)))
        .at("resourceMetrics")
        .at(std::size_t{0})
        .at("scopeMetrics")
        .at(std::size_t{0})
        .at("metrics")
        .at(std::size_t{0});
}

TEST(otlp, a_span_has_hexadecimal_ids_and_times_as_texts) {
    const json::value span = first_span(example());
    EXPECT_EQ(span.at("traceId").as_string(), "0af7651916cd43dd8448eb211c80319c");
    EXPECT_EQ(span.at("spanId").as_string(), "b7ad6b7169203331");
    EXPECT_FALSE(span.contains("parentSpanId"));
    EXPECT_EQ(span.at("startTimeUnixNano").as_string(), "1700000000123456000");
    EXPECT_EQ(span.at("endTimeUnixNano").as_string(), "1700000000124245000");
    EXPECT_EQ(span.at("name").as_string(), "publish \"shop\"");
    EXPECT_EQ(span.at("kind").as_int(), 3);
    EXPECT_FALSE(span.contains("status")) << "unset";
}

TEST(otlp, kinds_have_the_numbers_of_the_protocol) {
    const std::vector<span_kind> kinds{span_kind::internal, span_kind::server, span_kind::client, span_kind::producer,
                                       span_kind::consumer};
    for (std::size_t i = 0; i < kinds.size(); ++i) {
        finished_span span = example();
        span.kind = kinds[i];
        EXPECT_EQ(first_span(span).at("kind").as_int(), static_cast<std::int64_t>(i + 1)) << to_string(kinds[i]);
    }
}

TEST(otlp, attributes_have_their_types) {
    finished_span span = example();
    span.attributes = {{"text", std::string{"t"}}, {"whole", std::int64_t{-5}}, {"flag", true}, {"number", 2.5}};
    const json::value shown = first_span(span).at("attributes");
    EXPECT_EQ(json::dump(shown), R"([{"key":"text","value":{"stringValue":"t"}},)"
                                 R"({"key":"whole","value":{"intValue":"-5"}},)"
                                 R"({"key":"flag","value":{"boolValue":true}},)"
                                 R"({"key":"number","value":{"doubleValue":2.5}}])");
}

TEST(otlp, a_failed_child_with_links) {
    finished_span span = example();
    span.parent_id = "00f067aa0ba902b7";
    span.links = {{"4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", false}};
    span.dropped_links = 3;
    span.failed = true;
    span.error = "no such queue";
    const json::value shown = first_span(span);
    EXPECT_EQ(shown.at("parentSpanId").as_string(), "00f067aa0ba902b7");
    EXPECT_EQ(shown.at("links").at(std::size_t{0}).at("traceId").as_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
    EXPECT_EQ(shown.at("droppedLinksCount").as_int(), 3);
    EXPECT_EQ(shown.at("status").at("code").as_int(), 2);
    EXPECT_EQ(shown.at("status").at("message").as_string(), "no such queue");
}

TEST(otlp, names_the_resource_and_the_scope) {
    const finished_span span = example();
    const json::value request = json::parse(encode_spans(shop, {&span, 1}));
    const json::value& of = request.at("resourceSpans").at(std::size_t{0});
    EXPECT_EQ(json::dump(of.at("resource")), R"({"attributes":[{"key":"service.name","value":{"stringValue":"shop"}},)"
                                             R"({"key":"process.pid","value":{"intValue":"7"}}]})");
    EXPECT_EQ(of.at("scopeSpans").at(std::size_t{0}).at("scope").at("name").as_string(), "sluice");
}

TEST(otlp, a_counter_is_a_cumulative_monotonic_sum) {
    const json::value shown = first_metric({.name = "sluice_rows_total",
                                            .help = "Rows.",
                                            .kind = metric_kind::counter,
                                            .samples = {{.labels = {{"broker", "b"}}, .value = 4}}});
    EXPECT_EQ(json::dump(shown), R"({"name":"sluice_rows_total","description":"Rows.","sum":)"
                                 R"({"aggregationTemporality":2,"isMonotonic":true,"dataPoints":[)"
                                 R"({"attributes":[{"key":"broker","value":{"stringValue":"b"}}],)"
                                 R"("startTimeUnixNano":"1000","timeUnixNano":"2000","asDouble":4.0}]}})");
}

TEST(otlp, a_gauge_has_no_beginning) {
    const json::value shown = first_metric({.name = "sluice_age_seconds", .samples = {{.value = 0.5}}});
    EXPECT_EQ(shown.at("unit").as_string(), "s");
    const json::value& point = shown.at("gauge").at("dataPoints").at(std::size_t{0});
    EXPECT_FALSE(point.contains("startTimeUnixNano"));
    EXPECT_EQ(point.at("asDouble").as_double(), 0.5);
}

/// Prometheus counts what lies below each bound, the protocol what lies between two.
TEST(otlp, a_histogram_counts_between_its_bounds) {
    const json::value shown = first_metric(
        {.name = "h",
         .kind = metric_kind::histogram,
         .samples = {
             {.value = 3.5, .count = 6, .buckets = {{0.1, 1}, {1, 4}, {std::numeric_limits<double>::infinity(), 6}}}}});
    const json::value& point = shown.at("histogram").at("dataPoints").at(std::size_t{0});
    EXPECT_EQ(point.at("count").as_string(), "6");
    EXPECT_EQ(point.at("sum").as_double(), 3.5);
    EXPECT_EQ(json::dump(point.at("bucketCounts")), R"(["1","3","2"])");
    EXPECT_EQ(json::dump(point.at("explicitBounds")), "[0.1,1.0]");
    EXPECT_FALSE(point.contains("exemplars")) << "nothing is traced";
}

TEST(otlp, a_histogram_has_the_exemplars_of_its_buckets) {
    const metric_exemplar quick{.value = 0.0625,
                                .at = date_time::from_micros(1'700'000'000'123'456),
                                .trace_id = "0af7651916cd43dd8448eb211c80319c",
                                .span_id = "b7ad6b7169203331"};
    const metric_exemplar slow{.value = 7,
                               .at = date_time::from_micros(1'700'000'001'000'000),
                               .trace_id = "4bf92f3577b34da6a3ce929d0e0e4736",
                               .span_id = "00f067aa0ba902b7"};
    const json::value shown = first_metric(
        {.name = "h",
         .kind = metric_kind::histogram,
         .samples = {
             {.value = 7.5,
              .count = 3,
              .buckets = {{.upper_bound = 0.1, .count = 1, .exemplar = quick},
                          {.upper_bound = 1, .count = 2},
                          {.upper_bound = std::numeric_limits<double>::infinity(), .count = 3, .exemplar = slow}}}}});
    const json::value& point = shown.at("histogram").at("dataPoints").at(std::size_t{0});
    EXPECT_EQ(json::dump(point.at("exemplars")),
              R"([{"timeUnixNano":"1700000000123456000","asDouble":0.0625,)"
              R"("traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331"},)"
              R"({"timeUnixNano":"1700000001000000000","asDouble":7.0,)"
              R"("traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"00f067aa0ba902b7"}])");
}

TEST(otlp, what_is_no_finite_number_is_a_text) {
    const json::value shown =
        first_metric({.name = "g", .samples = {{.value = std::numeric_limits<double>::infinity()}}});
    EXPECT_EQ(shown.at("gauge").at("dataPoints").at(std::size_t{0}).at("asDouble").as_string(), "Infinity");
}

}  // namespace
}  // namespace sluice::telemetry
