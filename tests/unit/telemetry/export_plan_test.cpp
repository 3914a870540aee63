#include "telemetry/export_plan.hpp"

#include <gtest/gtest.h>

namespace sluice::telemetry {
namespace {

using namespace std::chrono_literals;
using step = export_plan::step;

const delivery taken{};
const delivery later{.is = delivery::result::again, .reason = "away"};
const delivery never{.is = delivery::result::refused, .reason = "HTTP status 400"};

class export_plan_test : public ::testing::Test {
protected:
    [[nodiscard]] static export_timing timing() {
        return {.batch = 10, .delay = 5s, .metrics_every = 60s, .retry = {.first = 1s, .factor = 2, .most = 30s}};
    }
    [[nodiscard]] step next() { return plan_.next(queue_, now_).what; }
    [[nodiscard]] duration rest() {
        const auto action = plan_.next(queue_, now_);
        EXPECT_EQ(action.what, step::rest);
        return action.until - now_;
    }
    void bring(std::size_t spans) {
        if (queue_.spans == 0) queue_.since = now_;
        queue_.spans += spans;
    }
    /// The shell takes a batch and sends it.
    bool send(const delivery& answered) {
        if (!plan_.has_batch()) {
            queue_.spans -= std::min(queue_.spans, timing().batch);
            if (queue_.spans == 0) queue_.since.reset();
            plan_.took_batch();
        }
        return plan_.sent_spans(answered, now_);
    }

    instant now_{1h};
    export_plan plan_{timing(), now_};
    export_plan::waiting queue_{};
};

TEST_F(export_plan_test, rests_until_metrics_are_due) {
    EXPECT_EQ(rest(), 60s);
    now_ += 60s;
    EXPECT_EQ(next(), step::send_metrics);
    plan_.sent_metrics(taken, now_);
    EXPECT_EQ(rest(), 60s);
}

TEST_F(export_plan_test, a_span_waits_for_others_no_longer_than_the_delay) {
    bring(1);
    EXPECT_EQ(rest(), 5s);
    now_ += 5s;
    EXPECT_EQ(next(), step::send_spans);
    EXPECT_TRUE(send(taken));
    EXPECT_EQ(next(), step::rest);
}

TEST_F(export_plan_test, a_full_batch_leaves_at_once_and_the_next_one_too) {
    bring(20);
    EXPECT_EQ(next(), step::send_spans);
    EXPECT_TRUE(send(taken));
    EXPECT_EQ(next(), step::send_spans);
    EXPECT_TRUE(send(taken));
    EXPECT_EQ(next(), step::rest);
}

TEST_F(export_plan_test, is_tried_again_with_growing_pauses_and_given_up_after_a_minute) {
    bring(10);
    EXPECT_FALSE(send(later));
    EXPECT_EQ(rest(), 1s);
    now_ += 1s;
    EXPECT_EQ(next(), step::send_spans);
    EXPECT_FALSE(send(later));
    EXPECT_EQ(rest(), 2s);
    now_ += 58s;
    EXPECT_FALSE(send(later));
    now_ += 1s;
    EXPECT_TRUE(send(later)) << "a minute after the first attempt";
    EXPECT_FALSE(plan_.has_batch());
}

/// After an outage has cost a batch, the next one is not sent at once: the receiver is still away.
TEST_F(export_plan_test, pauses_after_giving_up_as_well) {
    bring(20);
    EXPECT_FALSE(send(later));
    now_ += 60s;
    EXPECT_TRUE(send(later));
    plan_.sent_metrics(later, now_);
    EXPECT_GT(rest(), 0s);
}

TEST_F(export_plan_test, the_receiver_is_left_alone_for_as_long_as_it_asks) {
    bring(10);
    delivery busy = later;
    busy.retry_after = 45s;
    EXPECT_FALSE(send(busy));
    EXPECT_EQ(rest(), 45s);
    now_ += 45s;
    EXPECT_EQ(next(), step::send_spans);
}

TEST_F(export_plan_test, metrics_wait_for_the_end_of_such_a_pause) {
    now_ += 60s;
    delivery busy = later;
    busy.retry_after = 90s;
    plan_.sent_metrics(busy, now_);
    now_ += 60s;
    EXPECT_EQ(rest(), 30s);
    now_ += 30s;
    EXPECT_EQ(next(), step::send_metrics);
}

TEST_F(export_plan_test, what_is_refused_is_not_sent_again) {
    bring(10);
    EXPECT_TRUE(send(never));
    EXPECT_FALSE(plan_.has_batch());
    EXPECT_EQ(next(), step::rest);
}

TEST_F(export_plan_test, metrics_are_not_starved_by_spans_that_nobody_takes) {
    bring(10);
    EXPECT_FALSE(send(later));
    now_ += 60s;
    EXPECT_EQ(next(), step::send_metrics);
}

TEST_F(export_plan_test, a_flush_sends_all_at_once_and_the_usual_pace_returns) {
    bring(3);
    plan_.flush(now_);
    EXPECT_FALSE(plan_.is_flushed(queue_));
    EXPECT_EQ(next(), step::send_spans);
    EXPECT_TRUE(send(taken));
    EXPECT_FALSE(plan_.is_flushed(queue_)) << "metrics are to come";
    EXPECT_EQ(next(), step::send_metrics);
    plan_.sent_metrics(taken, now_);
    EXPECT_TRUE(plan_.is_flushed(queue_));
    EXPECT_EQ(next(), step::rest);
    bring(1);
    EXPECT_EQ(rest(), 5s);
}

TEST_F(export_plan_test, a_batch_on_its_way_is_not_flushed_yet) {
    bring(1);
    plan_.flush(now_);
    plan_.sent_metrics(taken, now_);
    queue_ = {};
    plan_.took_batch();
    EXPECT_FALSE(plan_.is_flushed(queue_));
    EXPECT_TRUE(plan_.sent_spans(taken, now_));
    EXPECT_TRUE(plan_.is_flushed(queue_));
}

/// A command in a terminal must not be slow because a receiver is away.
TEST_F(export_plan_test, stops_when_the_receiver_is_away) {
    bring(3);
    plan_.stop(now_, now_ + 2s);
    EXPECT_EQ(next(), step::send_spans);
    EXPECT_FALSE(send(later));
    EXPECT_TRUE(plan_.has_batch());
    EXPECT_EQ(next(), step::end);
}

TEST_F(export_plan_test, waits_for_a_receiver_that_names_a_time_before_the_end) {
    delivery busy = later;
    busy.retry_after = 2s;
    bring(3);
    plan_.stop(now_, now_ + 3s);
    EXPECT_EQ(next(), step::send_spans);
    EXPECT_FALSE(send(busy));
    EXPECT_EQ(rest(), 2s);
    now_ += 2s;
    EXPECT_EQ(next(), step::send_spans);
    EXPECT_FALSE(send(busy));
    EXPECT_EQ(rest(), 1s) << "no longer than to the end";
    now_ += 1s;
    EXPECT_EQ(next(), step::end);
}

TEST_F(export_plan_test, a_flush_is_hopeless_when_the_receiver_is_away) {
    bring(3);
    plan_.flush(now_);
    EXPECT_FALSE(send(later));
    EXPECT_TRUE(plan_.is_hopeless());
    plan_.flush(now_);
    EXPECT_FALSE(plan_.is_hopeless()) << "another attempt is to come";
    EXPECT_EQ(next(), step::send_spans);
}

TEST_F(export_plan_test, ends_early_when_nothing_is_left) {
    plan_.stop(now_, now_ + 1h);
    EXPECT_EQ(next(), step::send_metrics);
    plan_.sent_metrics(taken, now_);
    EXPECT_EQ(next(), step::end);
}

TEST_F(export_plan_test, without_metrics_only_spans_are_sent) {
    export_timing quiet = timing();
    quiet.metrics_every = 0s;
    plan_ = export_plan{quiet, now_};
    now_ += 2h;
    EXPECT_EQ(next(), step::rest);
    plan_.flush(now_);
    EXPECT_TRUE(plan_.is_flushed(queue_));
}

}  // namespace
}  // namespace sluice::telemetry
