#include "observe/tracer.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

#include "support/captured_log.hpp"

namespace sluice::observe {
namespace {

class fixed_clock final : public clock {
public:
    [[nodiscard]] date_time now() const override { return date_time::from_micros(1'000'000); }
    [[nodiscard]] instant monotonic_now() const override { return {}; }
};

class tracer_test : public ::testing::Test {
protected:
    tracer_test() { configure_log({.threshold = level::info}); }
    ~tracer_test() override { configure_log({}); }

    static trace_event published() {
        trace_event event;
        event.event = "outbox.published";
        event.status = "ok";
        event.message_id = "m-1";
        return event;
    }

    fixed_clock clock_;
    tracer tracer_{"shop", clock_};
};

TEST_F(tracer_test, fills_domain_and_time_and_hands_to_every_subscriber) {
    std::vector<trace_event> first;
    std::vector<trace_event> second;
    tracer_.subscribe([&](const trace_event& event) { first.push_back(event); });
    tracer_.subscribe([&](const trace_event& event) { second.push_back(event); });
    tracer_.emit(published());
    ASSERT_EQ(first.size(), 1U);
    ASSERT_EQ(second.size(), 1U);
    EXPECT_EQ(first[0].domain, "shop");
    EXPECT_EQ(first[0].timestamp, clock_.now());
    EXPECT_EQ(first[0].message_id, "m-1");
}

TEST_F(tracer_test, drops_what_a_subscriber_throws) {
    int reached = 0;
    tracer_.subscribe([](const trace_event&) { throw std::runtime_error{"subscriber's own trouble"}; });
    tracer_.subscribe([](const trace_event&) { throw 7; });  // NOLINT(hicpp-exception-baseclass)
    tracer_.subscribe([&](const trace_event&) { ++reached; });
    sluice::testing::captured_log captured;
    tracer_.emit(published());
    const auto written = captured.text();
    EXPECT_EQ(reached, 1);
    EXPECT_NE(written.find("trace.subscriber_failed event=outbox.published error=\"subscriber's own trouble\""),
              std::string::npos)
        << written;
}

TEST_F(tracer_test, writes_failures_as_warnings_and_successes_for_debugging) {
    auto failed = published();
    failed.event = "outbox.failed";
    failed.status = "error";
    failed.error = "too big";
    failed.metadata.set("retry_count", 2);
    sluice::testing::captured_log captured;
    tracer_.emit(published());
    tracer_.emit(failed);
    const auto written = captured.text();
    EXPECT_EQ(written.find("outbox.published"), std::string::npos);
    EXPECT_NE(written.find("warning outbox.failed status=error"), std::string::npos) << written;
    EXPECT_NE(written.find("error=\"too big\""), std::string::npos);
    EXPECT_NE(written.find(R"({\"retry_count\":2})"), std::string::npos);
}

TEST_F(tracer_test, lines_name_the_trace_of_their_event) {
    auto failed = published();
    failed.status = "error";
    failed.traceparent = {"0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", true};
    sluice::testing::captured_log captured;
    tracer_.emit(failed);
    EXPECT_NE(captured.text().find("trace_id=0af7651916cd43dd8448eb211c80319c span_id=b7ad6b7169203331"),
              std::string::npos);
}

TEST_F(tracer_test, is_wanted_by_subscribers_or_a_debug_log) {
    EXPECT_FALSE(tracer_.wanted());
    configure_log({.threshold = level::debug});
    EXPECT_TRUE(tracer_.wanted());
    configure_log({});
    tracer_.subscribe([](const trace_event&) {});
    EXPECT_TRUE(tracer_.wanted());
}

/// Remembers the names of what it was told.
class noting_meter final : public meter {
public:
    void count(const settled_rows& rows) noexcept override { broker = rows.broker; }
    void count(const handled_message& message) noexcept override { handler = message.handler; }
    void count(const breaker_change& /*change*/) noexcept override {}

    std::string broker;
    std::string handler;
};

TEST_F(tracer_test, hands_counts_to_one_meter_and_needs_no_events_for_that) {
    EXPECT_EQ(tracer_.counts(), nullptr);
    const auto counts = std::make_shared<noting_meter>();
    tracer_.count_with(counts);
    tracer_.counts()->count(settled_rows{.database = "default", .broker = "partner", .published = 1});
    tracer_.counts()->count(handled_message{.handler = "notify", .broker = "default", .stream = "s"});
    EXPECT_EQ(counts->broker, "partner");
    EXPECT_EQ(counts->handler, "notify");
    EXPECT_FALSE(tracer_.wanted());
}

}  // namespace
}  // namespace sluice::observe
