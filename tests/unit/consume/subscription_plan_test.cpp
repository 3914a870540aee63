#include "consume/subscription_plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

using namespace sluice::consume;
using namespace std::chrono_literals;
using sluice::date_time;
using sluice::duration;
using testing::ElementsAre;

/// Drives a plan the way the shell does, with a clock moved by hand.
class subscription_plan_test : public testing::Test {
protected:
    static plan_settings settings() {
        plan_settings s;
        s.read_limit = 10;
        s.max_held = 6;
        s.max_attempts = 3;
        s.retry = {.first = 1s, .factor = 2, .most = 60s};
        s.outage = {.first = 500ms, .factor = 2, .most = 2s};
        s.claim = 30s;
        s.poll = 5s;
        s.ack_limit = 3;
        s.ack_delay = 1h;
        return s;
    }

    static arrival message(const std::string& entry, const std::string& key, int attempts = 0,
                           std::optional<date_time> not_before = {}) {
        return {
            {0,
             {.entry = entry, .stream = "s", .body = "b", .key = key, .attempts = attempts, .not_before = not_before}},
            wanted{key}};
    }

    action next() { return plan.next(now); }

    /// The entry that is to be handled next, or the kind of the other action.
    std::string handle_next() {
        const action a = next();
        if (const auto* handle = std::get_if<handle_parcel>(&a)) return handle->what->delivery.entry;
        return kind(a);
    }

    static std::string kind(const action& a) {
        struct {
            std::string operator()(const handle_parcel& act) { return "handle " + act.what->delivery.entry; }
            std::string operator()(const acknowledge& act) {
                std::string text = "ack";
                for (const receipt& each : *act.receipts) text += " " + each.entry;
                return text;
            }
            std::string operator()(const put_off& act) { return "defer " + act.what.delivery.entry; }
            std::string operator()(const set_aside& act) { return "bury " + act.what.delivery.entry; }
            std::string operator()(const read_more& act) {
                return "read " + std::to_string(act.source) + " " + std::to_string(act.limit);
            }
            std::string operator()(const keep_claims&) { return "heartbeat"; }
            std::string operator()(const reopen&) { return "reopen"; }
            std::string operator()(const rest& act) { return act.listen ? "listen" : "sleep"; }
        } name;
        return std::visit(name, a);
    }

    void acknowledge_all() {
        while (const auto left = plan.last_acknowledgement()) plan.acknowledged(left->source);
    }

    subscription_plan plan{settings()};
    date_time now = date_time::parse("2026-11-23T08:00:00Z");
};

TEST_F(subscription_plan_test, reads_then_listens_when_the_stream_is_empty) {
    EXPECT_EQ(kind(next()), "read 0 6");
    plan.received(0, {}, now);
    const action quiet = next();
    EXPECT_EQ(kind(quiet), "listen");
    EXPECT_EQ(std::get<rest>(quiet).until, now + 5s);
    EXPECT_EQ(kind(next()), "read 0 6") << "after a rest it looks again";
}

TEST_F(subscription_plan_test, handles_in_order_of_arrival_and_acknowledges_in_batches) {
    plan.received(0, {message("1", "a"), message("2", "b"), message("3", "a"), message("4", "c")}, now);
    for (const char* entry : {"1", "2", "3"}) {
        EXPECT_EQ(handle_next(), entry);
        plan.handled(false, now);
    }
    EXPECT_EQ(kind(next()), "ack 1 2 3") << "the batch is full";
    plan.acknowledged(0);
    EXPECT_EQ(handle_next(), "4");
    plan.handled(false, now);
    EXPECT_EQ(kind(next()), "ack 4") << "before it reads on";
    plan.acknowledged(0);
    EXPECT_EQ(kind(next()), "read 0 6");
}

TEST_F(subscription_plan_test, acknowledges_a_small_batch_when_it_gets_old) {
    plan_settings s = settings();
    s.ack_delay = 100ms;
    plan = subscription_plan{s};
    plan.received(0, {message("1", "a"), message("2", "b")}, now);
    EXPECT_EQ(handle_next(), "1");
    plan.handled(false, now);
    now += 100ms;
    EXPECT_EQ(kind(next()), "ack 1");
}

TEST_F(subscription_plan_test, a_failing_message_holds_back_its_own_key_only) {
    plan.received(0, {message("1", "a"), message("2", "a"), message("3", "b")}, now);
    EXPECT_EQ(handle_next(), "1");
    plan.failed("no", "handler_failed", now);
    const action deferred = next();
    ASSERT_EQ(kind(deferred), "defer 1");
    EXPECT_EQ(std::get<put_off>(deferred).attempts, 1);
    EXPECT_EQ(std::get<put_off>(deferred).not_before, now + 1s);

    EXPECT_EQ(handle_next(), "3");
    plan.handled(false, now);
    acknowledge_all();
    plan.received(0, {}, now);
    const action quiet = next();
    EXPECT_EQ(kind(quiet), "listen");
    EXPECT_EQ(std::get<rest>(quiet).until, now + 1s) << "until the retry";

    now += 1s;
    EXPECT_EQ(handle_next(), "1");
    plan.handled(false, now);
    EXPECT_EQ(handle_next(), "2");
}

TEST_F(subscription_plan_test, delays_double_up_to_the_cap) {
    plan_settings s = settings();
    s.max_attempts = 10;
    s.retry = {.first = 1s, .factor = 2, .most = 5s};
    plan = subscription_plan{s};
    plan.received(0, {message("1", "a")}, now);
    std::vector<duration> delays;
    for (int i = 0; i < 5; ++i) {
        while (handle_next() != "1") {
        }
        plan.failed("no", "x", now);
        delays.push_back(std::get<put_off>(next()).not_before - now);
        now += delays.back();
    }
    EXPECT_THAT(delays, ElementsAre(1s, 2s, 4s, 5s, 5s));
}

TEST_F(subscription_plan_test, sets_a_message_aside_after_the_last_attempt_and_its_key_goes_on) {
    plan.received(0, {message("1", "a", 2), message("2", "a")}, now);
    EXPECT_EQ(handle_next(), "1");
    plan.failed("out of stamps", "handler_failed", now);
    const action buried = next();
    ASSERT_EQ(kind(buried), "bury 1");
    const auto& why = std::get<set_aside>(buried).why;
    EXPECT_EQ(why.reason, "out of stamps");
    EXPECT_EQ(why.code, "handler_failed");
    EXPECT_EQ(why.attempts, 3);
    EXPECT_EQ(why.at, now);
    EXPECT_EQ(handle_next(), "2");
}

TEST_F(subscription_plan_test, sets_unusable_messages_aside_at_once_even_behind_a_failing_one) {
    arrival poison = message("2", "a");
    poison.is = unusable{"no JSON", "undecodable"};
    plan.received(0, {message("1", "a"), poison, message("3", "b")}, now);
    const action buried = next();
    ASSERT_EQ(kind(buried), "bury 2");
    EXPECT_EQ(std::get<set_aside>(buried).why.code, "undecodable");
    EXPECT_EQ(std::get<set_aside>(buried).what.delivery.body, "b");
    EXPECT_EQ(handle_next(), "1");
}

TEST_F(subscription_plan_test, acknowledges_unwanted_messages_without_a_handler) {
    arrival other = message("1", "a");
    other.is = unwanted{};
    plan.received(0, {other}, now);
    EXPECT_EQ(kind(next()), "ack 1");
}

TEST_F(subscription_plan_test, messages_without_a_key_do_not_wait_for_each_other) {
    plan.received(0, {message("1", ""), message("2", "")}, now);
    EXPECT_EQ(handle_next(), "1");
    plan.failed("no", "x", now);
    EXPECT_EQ(kind(next()), "defer 1");
    EXPECT_EQ(handle_next(), "2");
}

TEST_F(subscription_plan_test, keeps_order_when_a_waiting_message_comes_back_after_a_restart) {
    plan.received(0, {message("1", "a", 1, now + 10s), message("2", "a"), message("3", "b")}, now);
    EXPECT_EQ(handle_next(), "3");
    plan.handled(false, now);
    acknowledge_all();
    now += 9s;
    EXPECT_EQ(kind(next()), "read 0 4");
    now += 1s;
    EXPECT_EQ(kind(next()), "heartbeat");
    EXPECT_EQ(handle_next(), "1");
}

TEST_F(subscription_plan_test, stops_reading_while_there_is_no_room) {
    plan.received(0, {message("1", "a"), message("2", "a"), message("3", "a"), message("4", "a"), message("5", "a")},
                  now);
    EXPECT_EQ(handle_next(), "1");
    plan.failed("no", "x", now);
    EXPECT_EQ(kind(next()), "defer 1");
    EXPECT_EQ(kind(next()), "read 0 1") << "room for one";
    plan.received(0, {message("6", "a")}, now);
    const action quiet = next();
    EXPECT_EQ(kind(quiet), "sleep") << "new messages do not end this rest";
    EXPECT_EQ(std::get<rest>(quiet).until, now + 1s);
    EXPECT_EQ(plan.held(), 6U);

    now += 1s;
    EXPECT_EQ(handle_next(), "1");
    plan.handled(false, now);
    EXPECT_EQ(handle_next(), "2");
}

TEST_F(subscription_plan_test, an_outage_costs_no_attempt_and_pauses_with_growing_delays) {
    plan.received(0, {message("1", "a"), message("2", "b")}, now);
    std::vector<duration> pauses;
    for (int i = 0; i < 5; ++i) {
        EXPECT_EQ(handle_next(), "1");
        EXPECT_EQ(plan.interrupted(now), i == 0) << "told once";
        EXPECT_TRUE(plan.paused(now));
        const action quiet = next();
        EXPECT_EQ(kind(quiet), "sleep");
        pauses.push_back(std::get<rest>(quiet).until - now);
        now += pauses.back();
    }
    EXPECT_THAT(pauses, ElementsAre(500ms, 1s, 2s, 2s, 2s));

    const action again = next();
    ASSERT_EQ(kind(again), "handle 1");
    EXPECT_EQ(std::get<handle_parcel>(again).what->delivery.attempts, 0);
    EXPECT_TRUE(plan.handled(false, now)) << "the outage is over";
    EXPECT_EQ(handle_next(), "2");
    EXPECT_FALSE(plan.handled(false, now));
}

TEST_F(subscription_plan_test, acknowledges_before_it_pauses) {
    plan.received(0, {message("1", "a"), message("2", "b")}, now);
    EXPECT_EQ(handle_next(), "1");
    plan.handled(false, now);
    EXPECT_EQ(handle_next(), "2");
    plan.interrupted(now);
    EXPECT_EQ(kind(next()), "ack 1");
}

TEST_F(subscription_plan_test, keeps_its_claims_alive_while_it_holds_messages) {
    plan.received(0, {message("1", "a", 0, now + 1h)}, now);
    EXPECT_EQ(kind(next()), "read 0 5");
    plan.received(0, {}, now);
    now += 9s;
    EXPECT_LE(std::get<rest>(next()).until, now + 1s);
    now += 1s;
    EXPECT_EQ(kind(next()), "heartbeat");
    EXPECT_EQ(kind(next()), "read 0 5");
}

TEST_F(subscription_plan_test, starts_over_when_a_handler_outlived_the_claims) {
    plan.received(0, {message("1", "a"), message("2", "a")}, now);
    EXPECT_EQ(handle_next(), "1");
    now += 31s;
    plan.handled(false, now);
    EXPECT_EQ(kind(next()), "ack 1") << "what is done is told first";
    plan.acknowledged(0);
    EXPECT_EQ(kind(next()), "reopen");
    plan.lost(now);
    EXPECT_EQ(plan.held(), 0U);
    EXPECT_EQ(kind(next()), "read 0 6");
}

TEST_F(subscription_plan_test, remembers_what_is_handled_when_the_connection_is_lost) {
    plan.received(0, {message("1", "a"), message("2", "a")}, now);
    EXPECT_EQ(handle_next(), "1");
    plan.handled(true, now);
    plan.lost(now);
    const action ack = next();
    ASSERT_EQ(kind(ack), "ack 1") << "before anything is read again";
    EXPECT_TRUE(std::get<acknowledge>(ack).receipts->front().duplicate);
    plan.acknowledged(0);
    EXPECT_EQ(kind(next()), "read 0 6");
}

class two_lanes : public subscription_plan_test {
protected:
    two_lanes() {
        plan_settings s = settings();
        s.sources = 2;
        s.read_limit = 20;
        s.max_held = 100;
        plan = subscription_plan{s};
    }

    static arrival backfill(const std::string& entry, const std::string& key) {
        arrival result = message(entry, key);
        result.what.source = 1;
        return result;
    }
};

TEST_F(two_lanes, reads_the_backfill_lane_only_while_the_primary_is_empty_and_in_small_portions) {
    EXPECT_EQ(kind(next()), "read 0 20");
    plan.received(0, {message("1", "a")}, now);
    EXPECT_EQ(handle_next(), "1");
    plan.handled(false, now);
    acknowledge_all();
    EXPECT_EQ(kind(next()), "read 0 20");
    plan.received(0, {}, now);
    EXPECT_EQ(kind(next()), "read 1 2");
    plan.received(1, {backfill("b1", "a")}, now);
    EXPECT_EQ(handle_next(), "b1");
    plan.handled(false, now);
    EXPECT_EQ(kind(next()), "ack b1");
    plan.acknowledged(1);
    EXPECT_EQ(kind(next()), "read 0 20") << "the primary lane is looked at again first";
    plan.received(0, {}, now);
    EXPECT_EQ(kind(next()), "read 1 2");
    plan.received(1, {}, now);
    EXPECT_EQ(kind(next()), "listen");
}

TEST_F(two_lanes, order_holds_within_a_lane_and_a_failure_in_one_does_not_touch_the_other) {
    plan.received(1, {backfill("b1", "a"), backfill("b2", "a")}, now);
    EXPECT_EQ(handle_next(), "b1");
    plan.failed("no", "x", now);
    EXPECT_EQ(kind(next()), "defer b1");
    plan.received(0, {message("1", "a")}, now);
    EXPECT_EQ(handle_next(), "1");
}

TEST_F(two_lanes, primary_messages_go_first) {
    plan.received(1, {backfill("b1", "x"), backfill("b2", "y")}, now);
    plan.received(0, {message("1", "z")}, now);
    EXPECT_EQ(handle_next(), "1");
}

}  // namespace
