#include "http/readiness.hpp"

#include <gtest/gtest.h>

namespace sluice::http {
namespace {

using namespace std::chrono_literals;

constexpr auto away = sign::unavailable;

component part(const std::string& name, bool decisive, sign is, duration age = 1s) {
    return {.name = name, .decisive = decisive, .sign = {.is = is, .reason = is == sign::ok ? "" : "gone", .age = age}};
}

health_report all_well() {
    return {.at = phase::running,
            .databases = {part("default", true, sign::ok)},
            .brokers = {part("default", true, sign::ok), part("partner", false, sign::ok)}};
}

const json::value& check(const json::value& body, const char* key) { return body.at("checks").at(key); }

TEST(readiness, the_databases_and_the_internal_broker_decide) {
    EXPECT_EQ(decide(all_well()), readiness::ok);

    health_report report = all_well();
    report.databases.push_back(part("archive", true, away));
    EXPECT_EQ(decide(report), readiness::degraded);

    report = all_well();
    report.brokers[0] = part("default", true, away);
    EXPECT_EQ(decide(report), readiness::degraded);

    report.brokers[0] = part("default", true, sign::unknown);
    EXPECT_EQ(decide(report), readiness::degraded) << "what was never seen is not there";
}

TEST(readiness, a_partner_that_is_down_is_shown_and_changes_nothing) {
    health_report report = all_well();
    report.brokers[1] = part("partner", false, away);
    EXPECT_EQ(decide(report), readiness::ok);
    const json::value body = to_json(report);
    EXPECT_EQ(body.at("status").as_string(), "ok");
    EXPECT_EQ(check(body, "brokers").at("partner").as_string(), "unavailable");
    EXPECT_EQ(check(body, "brokers").at("default").as_string(), "ok");
    EXPECT_EQ(check(body, "reasons").at("brokers.partner").as_string(), "gone");
}

TEST(readiness, lag_changes_nothing_either) {
    health_report report = all_well();
    report.lanes.push_back({.database = "default",
                            .broker = "default",
                            .state = "paused",
                            .rows = operate::lane_rows{.pending = 1'000'000}});
    report.subscriptions.push_back({.handler = "h", .type = "stream", .broker = "default", .stream = "s", .lag = 7});
    EXPECT_EQ(decide(report), readiness::ok);
}

TEST(readiness, nothing_is_ready_before_the_start_and_during_the_drain) {
    health_report report = all_well();
    report.at = phase::draining;
    EXPECT_EQ(decide(report), readiness::unavailable);
    EXPECT_EQ(json::dump(to_json(report)), R"({"status":"unavailable","checks":{"shutting_down":true}})");
    report.at = phase::starting;
    EXPECT_EQ(decide(report), readiness::unavailable);
    EXPECT_EQ(json::dump(to_json(report)),
              R"({"status":"unavailable","checks":{"shutting_down":false,"starting":true}})");
}

TEST(readiness, tells_what_the_reference_tells) {
    const json::value body = to_json(all_well());
    for (const char* key : {"shutting_down", "providers", "brokers", "event_store", "caches", "subscriptions"}) {
        EXPECT_TRUE(body.at("checks").contains(key)) << key;
    }
    EXPECT_EQ(check(body, "providers").at("default").as_string(), "ok");
    EXPECT_EQ(check(body, "event_store").as_string(), "ok");
    EXPECT_DOUBLE_EQ(check(body, "age_seconds").as_double(), 1);
    EXPECT_FALSE(body.at("checks").contains("reasons"));
}

TEST(readiness, each_lane_is_an_entry) {
    health_report report = all_well();
    report.lanes = {{.database = "default", .broker = "default", .state = "idle", .rows = operate::lane_rows{}},
                    {.database = "default",
                     .broker = "partner",
                     .external = true,
                     .state = "paused",
                     .detail = "no such host",
                     .rows = operate::lane_rows{.pending = 3, .failed = 2, .abandoned = 3, .age = duration{90s}}},
                    {.database = "archive", .broker = "default"}};
    const json::value block = check(to_json(report), "subscriptions");
    EXPECT_EQ(block.at("total").as_int(), 3);
    EXPECT_EQ(json::dump(block.at("details").at(0)),
              R"({"name":"default:default","handler_name":"outbox","subscription_type":"outbox",)"
              R"("stream_category":"default → default","lag":0,"pending":0,"status":"ok","dlq_depth":0,)"
              R"("lag_seconds":0.0,"state":"idle","detail":null})");
    EXPECT_EQ(
        json::dump(block.at("details").at(1)),
        R"({"name":"default:partner","handler_name":"outbox","subscription_type":"outbox",)"
        R"x("stream_category":"default → partner (external)","lag":5,"pending":2,"status":"lagging","dlq_depth":3,)x"
        R"("lag_seconds":90.0,"state":"paused","detail":"no such host"})");
    EXPECT_EQ(json::dump(block.at("details").at(2)),
              R"({"name":"archive:default","handler_name":"outbox","subscription_type":"outbox",)"
              R"("stream_category":"archive → default","lag":null,"pending":null,"status":"unknown","dlq_depth":null,)"
              R"("lag_seconds":null,"state":"unknown","detail":null})");
}

TEST(readiness, a_lane_lags_when_it_does_not_move_or_its_rows_grow_old) {
    const auto status_of = [](const std::string& state, std::int64_t open, duration oldest) {
        health_report report = all_well();
        report.lanes.push_back({.database = "default",
                                .broker = "default",
                                .state = state,
                                .rows = operate::lane_rows{.pending = open, .age = oldest}});
        return check(to_json(report), "subscriptions").at("details").at(0).at("status").as_string();
    };
    EXPECT_EQ(status_of("flowing", 1000, 1s), "ok");
    EXPECT_EQ(status_of("flowing", 1000, 2min), "lagging");
    EXPECT_EQ(status_of("blocked", 1, 1s), "lagging") << "a storm of refusals is no health";
    EXPECT_EQ(status_of("stopped", 1, 1s), "lagging");
    EXPECT_EQ(status_of("stopped", 0, 0s), "ok");
}

TEST(readiness, each_subscription_is_an_entry) {
    health_report report = all_well();
    report.subscriptions = {
        {.handler = "shop.notify",
         .type = "stream",
         .broker = "default",
         .stream = "shop::order",
         .state = "working",
         .lag = 4,
         .pending = 2,
         .dead = 1},
        {.handler = "shop.listen", .type = "broker", .broker = "partner", .stream = "other::thing"}};
    const json::value details = check(to_json(report), "subscriptions").at("details");
    EXPECT_EQ(json::dump(details.at(0)),
              R"({"name":"shop.notify shop::order","handler_name":"shop.notify","subscription_type":"stream",)"
              R"("stream_category":"shop::order","lag":4,"pending":2,"status":"lagging","dlq_depth":1,)"
              R"("lag_seconds":null,"state":"working"})");
    EXPECT_EQ(details.at(1).at("status").as_string(), "unknown");
    EXPECT_TRUE(details.at(1).at("lag").is_null());
}

TEST(readiness, says_how_old_the_picture_is) {
    health_report report = all_well();
    report.brokers[1] = part("partner", false, away, 7s);
    json::value block = check(to_json(report), "subscriptions");
    EXPECT_TRUE(block.at("stale").as_bool());
    EXPECT_DOUBLE_EQ(block.at("age_seconds").as_double(), 7);

    report.brokers[1].sign.age.reset();
    block = check(to_json(report), "subscriptions");
    EXPECT_TRUE(block.at("collection_pending").as_bool());
    EXPECT_FALSE(block.contains("stale"));
}

}  // namespace
}  // namespace sluice::http
