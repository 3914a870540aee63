#include "http/metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "base/seconds.hpp"

namespace sluice::http {
namespace {

using namespace std::chrono_literals;
using observe::handling;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class metrics_test : public testing::Test {
protected:
    [[nodiscard]] std::string text(const health_report& report = {}) const {
        return metrics_.render(report, {.uptime = 3s, .restarts = {{"default:partner", 2}}});
    }

    metrics metrics_{"shop",
                     {{"default", "default", false}, {"default", "partner", true}},
                     {{"shop.notify", "default", "shop::order"}}};
};

TEST_F(metrics_test, every_line_is_a_comment_or_a_sample) {
    health_report report{.at = phase::running,
                         .databases = {{.name = "default", .sign = {.is = sign::ok, .age = 1s}}},
                         .brokers = {{.name = "default", .sign = {.is = sign::ok, .age = 1s}}}};
    report.lanes.push_back(
        {.database = "default", .broker = "partner", .external = true, .state = "idle", .rows = operate::lane_rows{}});
    report.subscriptions.push_back(
        {.handler = "shop.no\"ti\\fy\n", .type = "stream", .broker = "default", .stream = "shop::order", .lag = 1});
    const std::regex line{
        R"re((# (HELP|TYPE) sluice_[a-z_]+ .+)|(sluice_[a-z_]+(\{([a-z]+="([^"\\]|\\["\\n])*",?)+\})? [-+0-9.eInf]+))re"};
    std::istringstream lines{text(report)};
    int count = 0;
    for (std::string each; std::getline(lines, each); ++count) EXPECT_TRUE(std::regex_match(each, line)) << each;
    EXPECT_GT(count, 50);
}

TEST_F(metrics_test, counters_are_there_before_anything_happens) {
    EXPECT_THAT(text(), HasSubstr("sluice_outbox_published_total{broker=\"partner\",database=\"default\","
                                  "domain=\"shop\",external=\"true\"} 0\n"));
    EXPECT_THAT(text(), HasSubstr("sluice_subscription_processed_total{broker=\"default\",domain=\"shop\","
                                  "handler=\"shop.notify\",status=\"error\",stream=\"shop::order\"} 0\n"));
}

TEST_F(metrics_test, name_the_transaction_that_lanes_keep_a_place_for) {
    health_report report{.at = phase::running};
    report.writers.push_back({.database = "default"});
    EXPECT_THAT(text(report), HasSubstr("sluice_log_writer_age_seconds{domain=\"shop\",database=\"default\","
                                        "pid=\"\",application=\"\"} 0\n"));
    report.writers.front().oldest = store::open_writer{.pid = 4242, .age = 3min, .application = "nightly_import"};
    EXPECT_THAT(text(report), HasSubstr("sluice_log_writer_age_seconds{domain=\"shop\",database=\"default\","
                                        "pid=\"4242\",application=\"nightly_import\"} 180\n"));
}

TEST_F(metrics_test, counts_rows_by_lane) {
    const std::array latencies{0.0005, 0.2, 7200.0};
    metrics_.count(observe::settled_rows{.database = "default",
                                         .broker = "partner",
                                         .published = 3,
                                         .failed = 2,
                                         .abandoned = 1,
                                         .latencies = latencies});
    metrics_.count(observe::settled_rows{.database = "other", .broker = "partner", .published = 100});
    const std::string of = "{broker=\"partner\",database=\"default\",domain=\"shop\",external=\"true\"";
    EXPECT_THAT(text(), HasSubstr("sluice_outbox_published_total" + of + "} 3\n"));
    EXPECT_THAT(text(), HasSubstr("sluice_outbox_failed_total" + of + "} 3\n")) << "every refused attempt";
    EXPECT_THAT(text(), HasSubstr("sluice_outbox_abandoned_total" + of + "} 1\n"));
    EXPECT_THAT(text(), HasSubstr("sluice_outbox_latency_seconds_count" + of + "} 3\n"));
    EXPECT_THAT(text(), HasSubstr("sluice_outbox_latency_seconds_sum" + of + "} 7200.2005\n"));
    EXPECT_THAT(text(), HasSubstr("sluice_outbox_latency_seconds_bucket" + of + ",le=\"0.001\"} 1\n"));
    EXPECT_THAT(text(), HasSubstr("sluice_outbox_latency_seconds_bucket" + of + ",le=\"0.25\"} 2\n"));
    EXPECT_THAT(text(), HasSubstr("sluice_outbox_latency_seconds_bucket" + of + ",le=\"3600\"} 2\n"));
    EXPECT_THAT(text(), HasSubstr("sluice_outbox_latency_seconds_bucket" + of + ",le=\"+Inf\"} 3\n"));
    EXPECT_THAT(text(), HasSubstr("sluice_outbox_published_total{broker=\"default\",database=\"default\","
                                  "domain=\"shop\",external=\"false\"} 0\n"));
}

TEST_F(metrics_test, counts_messages_by_subscription) {
    const auto count = [&](handling what, duration took) {
        metrics_.count(observe::handled_message{
            .handler = "shop.notify", .broker = "default", .stream = "shop::order", .what = what, .took = took});
    };
    count(handling::handled, 20ms);
    count(handling::handled, 3s);
    count(handling::failed, 1ms);
    count(handling::expired, {});
    count(handling::put_off, {});
    count(handling::set_aside, {});
    count(handling::dropped, {});
    count(handling::dropped, {});
    metrics_.count(observe::handled_message{.handler = "else", .broker = "default", .stream = "shop::order"});
    const std::string of = "{broker=\"default\",domain=\"shop\",handler=\"shop.notify\",";
    EXPECT_THAT(text(),
                HasSubstr("sluice_subscription_processed_total" + of + "status=\"ok\",stream=\"shop::order\"} 2\n"));
    EXPECT_THAT(text(),
                HasSubstr("sluice_subscription_processed_total" + of + "status=\"error\",stream=\"shop::order\"} 1\n"));
    EXPECT_THAT(text(), HasSubstr("sluice_subscription_expired_total" + of + "stream=\"shop::order\"} 1\n"));
    EXPECT_THAT(text(), HasSubstr("sluice_subscription_retries_total" + of + "stream=\"shop::order\"} 1\n"));
    EXPECT_THAT(text(), HasSubstr("sluice_subscription_dlq_total" + of + "stream=\"shop::order\"} 1\n"));
    EXPECT_THAT(text(), HasSubstr("sluice_subscription_dropped_total" + of + "stream=\"shop::order\"} 2\n"));
    EXPECT_THAT(text(), HasSubstr("sluice_handler_duration_seconds_count" + of + "stream=\"shop::order\"} 3\n"));
    EXPECT_THAT(text(),
                HasSubstr("sluice_handler_duration_seconds_bucket" + of + "stream=\"shop::order\",le=\"0.025\"} 2\n"));
}

/// The exemplars of the one series of that metric that has any, by bound.
std::map<double, metric_exemplar> exemplars_in(const std::vector<metric_family>& all, std::string_view metric) {
    std::map<double, metric_exemplar> found;
    for (const metric_family& family : all) {
        if (family.name != metric) continue;
        for (const metric_sample& series : family.samples) {
            for (const metric_bucket& each : series.buckets) {
                if (each.exemplar) found.emplace(each.upper_bound, *each.exemplar);
            }
        }
    }
    return found;
}

TEST_F(metrics_test, a_bucket_has_the_latest_exemplar_of_its_lane) {
    const auto count = [&](std::string_view trace_id, duration latency, std::string_view database = "default") {
        const double seconds = base::seconds(latency);
        metrics_.count(observe::settled_rows{.database = database,
                                             .broker = "partner",
                                             .published = 1,
                                             .latencies = {&seconds, 1},
                                             .example = observe::exemplar{.trace_id = trace_id,
                                                                          .span_id = "b7ad6b7169203331",
                                                                          .value = latency,
                                                                          .at = date_time::from_micros(1'500'000)}});
    };
    count("first", 200ms);
    count("second", 240ms);
    count("late", 2h);
    count("unknown lane", 1ms, "other");
    const auto kept = exemplars_in(metrics_.collect({}, {}), "sluice_outbox_latency_seconds");
    ASSERT_EQ(kept.size(), 2U);
    EXPECT_EQ(kept.at(0.25).trace_id, "second");
    EXPECT_EQ(kept.at(0.25).span_id, "b7ad6b7169203331");
    EXPECT_EQ(kept.at(0.25).value, 0.24);
    EXPECT_EQ(kept.at(0.25).at, date_time::from_micros(1'500'000));
    EXPECT_EQ(kept.rbegin()->second.trace_id, "late");
    EXPECT_THAT(exemplars_in(metrics_.collect({}, {}), "sluice_handler_duration_seconds"), IsEmpty());
    EXPECT_THAT(
        metrics_.render({}, {}, metrics_format::openmetrics),
        HasSubstr("sluice_outbox_latency_seconds_bucket{broker=\"partner\",database=\"default\",domain=\"shop\","
                  "external=\"true\",le=\"0.25\"} 2 # {trace_id=\"second\",span_id=\"b7ad6b7169203331\"} "
                  "0.24 1.500000\n"));
    EXPECT_THAT(text(), Not(HasSubstr("trace_id"))) << "the other text has no place for them";
}

TEST_F(metrics_test, a_bucket_has_the_latest_exemplar_of_its_subscription) {
    const auto count = [&](handling what, std::string_view trace_id, duration took) {
        metrics_.count(observe::handled_message{
            .handler = "shop.notify",
            .broker = "default",
            .stream = "shop::order",
            .what = what,
            .took = took,
            .example = observe::exemplar{.trace_id = trace_id, .span_id = "s", .value = took, .at = date_time{}}});
    };
    count(handling::handled, "quick", 1ms);
    count(handling::failed, "slow", 4s);
    const auto kept = exemplars_in(metrics_.collect({}, {}), "sluice_handler_duration_seconds");
    ASSERT_EQ(kept.size(), 2U);
    EXPECT_EQ(kept.at(0.001).trace_id, "quick");
    EXPECT_EQ(kept.at(5).trace_id, "slow");
}

TEST_F(metrics_test, what_has_no_trace_leaves_the_exemplar_that_is_there) {
    const double seconds = 0.2;
    observe::settled_rows rows{.database = "default", .broker = "partner", .published = 1, .latencies = {&seconds, 1}};
    rows.example = observe::exemplar{.trace_id = "t", .span_id = "s", .value = 200ms, .at = date_time{}};
    metrics_.count(rows);
    rows.example = std::nullopt;
    metrics_.count(rows);
    EXPECT_EQ(exemplars_in(metrics_.collect({}, {}), "sluice_outbox_latency_seconds").at(0.25).trace_id, "t");
}

/// A query must find the same series, whichever text its numbers came by. Only bounds of buckets are written otherwise.
TEST_F(metrics_test, openmetrics_has_the_series_of_the_other_text) {
    const observe::span_counts spans;
    const auto series_in = [](const std::string& text) {
        std::multiset<std::string> all;
        std::istringstream lines{text};
        for (std::string each; std::getline(lines, each);) {
            if (each.starts_with('#')) continue;
            const auto bound = each.find("le=\"");
            all.insert(each.substr(0, bound == std::string::npos ? each.rfind(' ') : bound));
        }
        return all;
    };
    health_report report{.at = phase::running};
    report.lanes.push_back(
        {.database = "default", .broker = "partner", .external = true, .state = "idle", .rows = operate::lane_rows{}});
    const process_figures process{.restarts = {{"default:partner", 2}}, .spans = &spans};
    const std::string openmetrics = metrics_.render(report, process, metrics_format::openmetrics);
    EXPECT_EQ(series_in(openmetrics), series_in(metrics_.render(report, process)));
    EXPECT_TRUE(openmetrics.ends_with("\n# EOF\n"));
    EXPECT_THAT(openmetrics, HasSubstr("# TYPE sluice_outbox_published counter\n"));
    EXPECT_THAT(openmetrics, HasSubstr("# TYPE sluice_outbox_failed_total unknown\n"))
        << "a gauge is called sluice_outbox_failed";
}

TEST_F(metrics_test, counts_the_turns_of_a_circuit_breaker) {
    const auto count = [&](const char* handler, const char* to) {
        metrics_.count(
            observe::breaker_change{.handler = handler, .broker = "default", .stream = "shop::order", .to = to});
    };
    count("shop.notify", "opened");
    count("shop.notify", "half_open");
    count("shop.notify", "opened");
    count("shop.notify", "sideways");
    count("else", "opened");
    const std::string of =
        "sluice_subscription_circuit_breaker_total{broker=\"default\",domain=\"shop\","
        "handler=\"shop.notify\",stream=\"shop::order\",to=";
    EXPECT_THAT(text(), HasSubstr(of + "\"opened\"} 2\n"));
    EXPECT_THAT(text(), HasSubstr(of + "\"half_open\"} 1\n"));
    EXPECT_THAT(text(), HasSubstr(of + "\"closed\"} 0\n"));
}

TEST_F(metrics_test, gauges_are_what_was_seen_last) {
    health_report report{.at = phase::running,
                         .databases = {{.name = "default", .sign = {.is = sign::ok, .age = 2s}}},
                         .brokers = {{.name = "default", .sign = {.is = sign::ok}},
                                     {.name = "partner", .decisive = false, .sign = {.is = sign::unavailable}}}};
    report.lanes.push_back(
        {.database = "default",
         .broker = "partner",
         .external = true,
         .state = "paused",
         .rows = operate::lane_rows{.pending = 999'999, .failed = 1, .abandoned = 4, .age = duration{1min}}});
    report.subscriptions.push_back({.handler = "shop.notify",
                                    .type = "stream",
                                    .broker = "default",
                                    .stream = "shop::order",
                                    .lag = 5,
                                    .pending = 6,
                                    .dead = 7});
    const std::string of = "{domain=\"shop\",database=\"default\",broker=\"partner\",external=\"true\"";
    EXPECT_THAT(text(report), HasSubstr("sluice_up 1\n"));
    EXPECT_THAT(text(report), HasSubstr("sluice_ready 1\n"));
    EXPECT_THAT(text(report), HasSubstr("sluice_uptime_seconds 3\n"));
    EXPECT_THAT(text(report), HasSubstr("sluice_log_lines_dropped_total 0\n"));
    EXPECT_THAT(text(report), HasSubstr("sluice_database_up{database=\"default\"} 1\n"));
    EXPECT_THAT(text(report), HasSubstr("sluice_check_age_seconds{kind=\"database\",name=\"default\"} 2\n"));
    EXPECT_THAT(text(report), HasSubstr("sluice_broker_up{broker=\"partner\",internal=\"false\"} 0\n"));
    EXPECT_THAT(text(report), HasSubstr("sluice_lane_state" + of + ",state=\"paused\"} 1\n"));
    EXPECT_THAT(text(report), HasSubstr("sluice_lane_state" + of + ",state=\"flowing\"} 0\n"));
    EXPECT_THAT(text(report), HasSubstr("sluice_outbox_pending" + of + "} 1000000\n"));
    EXPECT_THAT(text(report), HasSubstr("sluice_outbox_failed" + of + "} 1\n"));
    EXPECT_THAT(text(report), HasSubstr("sluice_outbox_abandoned" + of + "} 4\n"));
    EXPECT_THAT(text(report), HasSubstr("sluice_outbox_oldest_age_seconds" + of + "} 60\n"));
    EXPECT_THAT(text(report), Not(HasSubstr("sluice_audit"))) << "nobody has audited";
    auto& audit = report.lanes.front().audit.emplace();
    audit = audit.followed_by(date_time::from_micros(7'500'000), false);
    EXPECT_THAT(text(report), HasSubstr("sluice_audit_timestamp_seconds" + of + "} 7.5\n"));
    EXPECT_THAT(text(report), HasSubstr("sluice_audit_closed_timestamp_seconds" + of + "} 0\n"));
    audit = audit.followed_by(date_time::from_micros(8'000'000), true)
                .followed_by(date_time::from_micros(9'000'000), false);
    EXPECT_THAT(text(report), HasSubstr("sluice_audit_timestamp_seconds" + of + "} 9\n"));
    EXPECT_THAT(text(report), HasSubstr("sluice_audit_closed_timestamp_seconds" + of + "} 8\n"));
    EXPECT_THAT(text(report), ContainsRegex("sluice_subscription_lag\\{[^\n]*\\} 5\n"));
    EXPECT_THAT(text(report), ContainsRegex("sluice_subscription_pending\\{[^\n]*\\} 6\n"));
    EXPECT_THAT(text(report), ContainsRegex("sluice_subscription_dead_letters\\{[^\n]*\\} 7\n"));
    EXPECT_THAT(text(report),
                HasSubstr("sluice_thread_restarts_total{domain=\"shop\",thread=\"default:partner\"} 2\n"));
}

TEST_F(metrics_test, tells_how_late_the_schedule_is) {
    health_report report{.at = phase::running};
    EXPECT_THAT(text(report), Not(HasSubstr("sluice_schedule_overdue_seconds")));
    report.schedules.push_back({.database = "default", .overdue = 90s});
    EXPECT_THAT(text(report), HasSubstr("sluice_schedule_overdue_seconds{domain=\"shop\",database=\"default\"} 90\n"));
}

TEST_F(metrics_test, what_is_not_known_is_left_out) {
    health_report report{.at = phase::running};
    report.lanes.push_back({.database = "default", .broker = "partner", .external = true});
    report.subscriptions.push_back({.handler = "shop.notify", .broker = "default", .stream = "shop::order"});
    EXPECT_THAT(text(report), Not(HasSubstr("sluice_outbox_pending")));
    EXPECT_THAT(text(report), Not(HasSubstr("sluice_outbox_oldest_age_seconds")));
    EXPECT_THAT(text(report), Not(HasSubstr("sluice_subscription_lag")));
    EXPECT_THAT(text(report), ContainsRegex("sluice_lane_state\\{[^\n]*state=\"unknown\"\\} 1\n"));
}

TEST(worker_metrics, tell_of_the_workers) {
    const std::string text = render_metrics({{.index = 1, .pid = 7, .ready = true}, {.index = 2, .restarts = 3}}, 1min);
    EXPECT_THAT(text, HasSubstr("sluice_uptime_seconds 60\n"));
    EXPECT_THAT(text, HasSubstr("sluice_worker_up{worker=\"1\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("sluice_worker_up{worker=\"2\"} 0\n"));
    EXPECT_THAT(text, HasSubstr("sluice_worker_restarts_total{worker=\"2\"} 3\n"));
    const std::string openmetrics =
        render_metrics({{.index = 1, .pid = 7, .ready = true}}, 1min, metrics_format::openmetrics);
    EXPECT_THAT(openmetrics, HasSubstr("# TYPE sluice_worker_restarts counter\n"));
    EXPECT_THAT(openmetrics, HasSubstr("sluice_worker_restarts_total{worker=\"1\"} 0\n"));
    EXPECT_TRUE(openmetrics.ends_with("# EOF\n"));
}

}  // namespace
}  // namespace sluice::http
