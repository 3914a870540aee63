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
        s.first_read = 1'000;
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

    action next() {
        action result = plan.next(now);
        if (const auto* handle = std::get_if<handle_parcel>(&result)) in_hand = handle->number;
        return result;
    }

    /// The entry that is to be handled next, or the kind of the other action.
    std::string handle_next() {
        const action a = next();
        if (const auto* handle = std::get_if<handle_parcel>(&a)) return handle->what->delivery.entry;
        return kind(a);
    }

    static std::string kind(const action& a) {
        struct {
            std::string operator()(const handle_parcel& act) { return "handle " + act.what->delivery.entry; }
            std::string operator()(const handle_together& act) {
                std::string text = "together";
                for (const handle_parcel& each : act.parcels) text += " " + each.what->delivery.entry;
                return text;
            }
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
            std::string operator()(const breaker_turned& act) { return std::string{to_string(act.to)}; }
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
    sluice::base::moment now{.steady = sluice::instant{1h}, .wall = date_time::parse("2026-11-23T08:00:00Z")};
    parcel_number in_hand = 0;  ///< of the parcel that was handed out last
};

TEST_F(subscription_plan_test, reads_then_listens_when_the_stream_is_empty) {
    EXPECT_EQ(kind(next()), "read 0 6");
    plan.received(0, {}, now);
    const action quiet = next();
    EXPECT_EQ(kind(quiet), "listen");
    EXPECT_EQ(std::get<rest>(quiet).until, now.steady + 5s);
    EXPECT_EQ(kind(next()), "read 0 6") << "after a rest it looks again";
}

TEST_F(subscription_plan_test, handles_in_order_of_arrival_and_acknowledges_in_batches) {
    plan.received(0, {message("1", "a"), message("2", "b"), message("3", "a"), message("4", "c")}, now);
    for (const char* entry : {"1", "2", "3"}) {
        EXPECT_EQ(handle_next(), entry);
        plan.handled(in_hand, false, now);
    }
    EXPECT_EQ(kind(next()), "ack 1 2 3") << "the batch is full";
    plan.acknowledged(0);
    EXPECT_EQ(handle_next(), "4");
    plan.handled(in_hand, false, now);
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
    plan.handled(in_hand, false, now);
    now += 100ms;
    EXPECT_EQ(kind(next()), "ack 1");
}

TEST_F(subscription_plan_test, a_failing_message_holds_back_its_own_key_only) {
    plan.received(0, {message("1", "a"), message("2", "a"), message("3", "b")}, now);
    EXPECT_EQ(handle_next(), "1");
    plan.failed(in_hand, "no", "handler_failed", now);
    const action deferred = next();
    ASSERT_EQ(kind(deferred), "defer 1");
    EXPECT_EQ(std::get<put_off>(deferred).attempts, 1);
    EXPECT_EQ(std::get<put_off>(deferred).not_before, now.wall + 1s);

    EXPECT_EQ(handle_next(), "3");
    plan.handled(in_hand, false, now);
    acknowledge_all();
    plan.received(0, {}, now);
    const action quiet = next();
    EXPECT_EQ(kind(quiet), "listen");
    EXPECT_EQ(std::get<rest>(quiet).until, now.steady + 1s) << "until the retry";

    now += 1s;
    EXPECT_EQ(handle_next(), "1");
    plan.handled(in_hand, false, now);
    EXPECT_EQ(handle_next(), "2");
}

TEST_F(subscription_plan_test, a_calendar_set_back_prolongs_no_wait) {
    plan.received(0, {message("1", "a")}, now);
    EXPECT_EQ(handle_next(), "1");
    plan.failed(in_hand, "no", "x", now);
    EXPECT_EQ(handle_next(), "defer 1");
    now.wall += -24h;
    now += 1s;
    EXPECT_EQ(handle_next(), "1") << "the retry";
    plan.interrupted(in_hand, now);
    now.wall += -24h;
    now += 500ms;
    EXPECT_EQ(handle_next(), "1") << "after the outage";
    now.wall += -24h;
    now += 10s;
    EXPECT_EQ(kind(next()), "heartbeat");
}

TEST_F(subscription_plan_test, a_stored_time_is_believed_only_as_far_as_an_attempt_could_have_meant_it) {
    plan.received(0, {message("1", "a", 2, now.wall + 24h), message("2", "b", 1, now.wall + 300ms)}, now);
    now += 300ms;
    EXPECT_EQ(handle_next(), "2");
    plan.handled(in_hand, false, now);
    acknowledge_all();
    now += 1700ms;
    EXPECT_EQ(handle_next(), "1") << "two seconds are the longest after two attempts";
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
        plan.failed(in_hand, "no", "x", now);
        delays.push_back(std::get<put_off>(next()).not_before - now.wall);
        now += delays.back();
    }
    EXPECT_THAT(delays, ElementsAre(1s, 2s, 4s, 5s, 5s));
}

TEST_F(subscription_plan_test, sets_a_message_aside_after_the_last_attempt_and_its_key_goes_on) {
    plan.received(0, {message("1", "a", 2), message("2", "a")}, now);
    EXPECT_EQ(handle_next(), "1");
    plan.failed(in_hand, "out of stamps", "handler_failed", now);
    const action buried = next();
    ASSERT_EQ(kind(buried), "bury 1");
    const auto& why = std::get<set_aside>(buried).why;
    EXPECT_EQ(why.reason, "out of stamps");
    EXPECT_EQ(why.code, "handler_failed");
    EXPECT_EQ(why.attempts, 3);
    EXPECT_EQ(why.at, now.wall);
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
    plan.failed(in_hand, "no", "x", now);
    EXPECT_EQ(kind(next()), "defer 1");
    EXPECT_EQ(handle_next(), "2");
}

TEST_F(subscription_plan_test, keeps_order_when_a_waiting_message_comes_back_after_a_restart) {
    plan.received(0, {message("1", "a", 5, now.wall + 10s), message("2", "a"), message("3", "b")}, now);
    EXPECT_EQ(handle_next(), "3");
    plan.handled(in_hand, false, now);
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
    plan.failed(in_hand, "no", "x", now);
    EXPECT_EQ(kind(next()), "defer 1");
    EXPECT_EQ(kind(next()), "read 0 1") << "room for one";
    plan.received(0, {message("6", "a")}, now);
    const action quiet = next();
    EXPECT_EQ(kind(quiet), "sleep") << "new messages do not end this rest";
    EXPECT_EQ(std::get<rest>(quiet).until, now.steady + 1s);
    EXPECT_EQ(plan.held(), 6U);

    now += 1s;
    EXPECT_EQ(handle_next(), "1");
    plan.handled(in_hand, false, now);
    EXPECT_EQ(handle_next(), "2");
}

TEST_F(subscription_plan_test, an_outage_costs_no_attempt_and_pauses_with_growing_delays) {
    plan.received(0, {message("1", "a"), message("2", "b")}, now);
    std::vector<duration> pauses;
    for (int i = 0; i < 5; ++i) {
        EXPECT_EQ(handle_next(), "1");
        EXPECT_EQ(plan.interrupted(in_hand, now), i == 0) << "told once";
        EXPECT_TRUE(plan.paused(now));
        const action quiet = next();
        EXPECT_EQ(kind(quiet), "sleep");
        pauses.push_back(std::get<rest>(quiet).until - now.steady);
        now += pauses.back();
    }
    EXPECT_THAT(pauses, ElementsAre(500ms, 1s, 2s, 2s, 2s));

    const action again = next();
    ASSERT_EQ(kind(again), "handle 1");
    EXPECT_EQ(std::get<handle_parcel>(again).what->delivery.attempts, 0);
    EXPECT_TRUE(plan.handled(in_hand, false, now)) << "the outage is over";
    EXPECT_EQ(handle_next(), "2");
    EXPECT_FALSE(plan.handled(in_hand, false, now));
}

TEST_F(subscription_plan_test, a_hindered_message_pauses_all_until_it_was_hindered_often_and_then_another_is_tried) {
    plan.received(0, {message("1", "a"), message("2", "b")}, now);
    for (const duration pause : {500ms, 1000ms}) {
        EXPECT_EQ(handle_next(), "1");
        plan.hindered(in_hand, {"locked", "store_error"}, now);
        EXPECT_TRUE(plan.paused(now));
        now += pause;
    }
    EXPECT_EQ(handle_next(), "1");
    EXPECT_FALSE(plan.hindered(in_hand, {"locked", "store_error"}, now));
    EXPECT_FALSE(plan.paused(now));
    EXPECT_EQ(handle_next(), "2");
    plan.handled(in_hand, false, now);
}

TEST_F(subscription_plan_test, a_message_that_is_hindered_before_and_after_another_was_handled_pays_an_attempt) {
    plan.received(0, {message("1", "a"), message("2", "b"), message("3", "c")}, now);
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(handle_next(), "1");
        plan.hindered(in_hand, {"locked", "store_error"}, now);
        if (i < 2) now += 2s;
    }
    EXPECT_EQ(handle_next(), "2");
    plan.handled(in_hand, false, now);
    now += 2s;
    EXPECT_EQ(handle_next(), "1") << "its own wait is over";
    EXPECT_FALSE(plan.hindered(in_hand, {"locked", "store_error"}, now));
    const action paid = next();
    ASSERT_EQ(kind(paid), "defer 1");
    EXPECT_TRUE(std::get<put_off>(paid).hindered);
    EXPECT_EQ(std::get<put_off>(paid).reason, "locked");
    EXPECT_EQ(handle_next(), "3") << "the others go on meanwhile";
    plan.handled(in_hand, false, now);

    now += 1s;
    EXPECT_EQ(handle_next(), "1");
    plan.hindered(in_hand, {"locked", "store_error"}, now);
    EXPECT_FALSE(plan.paused(now)) << "it has shown that it is alone with its trouble";
}

TEST_F(subscription_plan_test, when_all_are_hindered_none_pays) {
    plan.received(0, {message("1", "a"), message("2", "b")}, now);
    int attempts = 0;
    for (const sluice::instant end = now.steady + 10min; now.steady < end;) {
        const action a = next();
        if (const auto* handle = std::get_if<handle_parcel>(&a)) {
            ++attempts;
            EXPECT_EQ(handle->what->delivery.attempts, 0);
            plan.hindered(handle->number, {"table locked", "store_error"}, now);
        } else if (std::holds_alternative<read_more>(a)) {
            plan.received(0, {}, now);
        } else if (const auto* quiet = std::get_if<rest>(&a)) {
            ASSERT_GT(quiet->until, now.steady);
            now += quiet->until - now.steady;
        } else {
            ASSERT_TRUE(std::holds_alternative<keep_claims>(a)) << kind(a);
        }
    }
    EXPECT_GT(attempts, 100);
    EXPECT_LT(attempts, 1000) << "with growing waits between";
}

TEST_F(subscription_plan_test, a_duplicate_is_no_proof_that_the_database_can_write) {
    plan.received(0, {message("1", "a"), message("2", "b")}, now);
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(handle_next(), "1");
        plan.hindered(in_hand, {"locked", "store_error"}, now);
        if (i < 2) now += 2s;
    }
    EXPECT_EQ(handle_next(), "2");
    plan.handled(in_hand, true, now);
    now += 2s;
    EXPECT_EQ(handle_next(), "1");
    plan.hindered(in_hand, {"locked", "store_error"}, now);
    EXPECT_NE(kind(next()), "defer 1");
}

TEST_F(subscription_plan_test, losing_a_race_costs_no_attempt_and_waits_a_little_by_chance) {
    plan.received(0, {message("1", "a"), message("2", "b")}, now);
    EXPECT_EQ(handle_next(), "1");
    plan.contended(in_hand, {"changed", "expected_version_error"}, 0.5, now);
    EXPECT_EQ(handle_next(), "2") << "nobody else waits for it";
    plan.handled(in_hand, false, now);
    acknowledge_all();
    EXPECT_EQ(kind(next()), "read 0 5");
    plan.received(0, {}, now);
    const action quiet = next();
    EXPECT_EQ(std::get<rest>(quiet).until, now.steady + 15ms);
    now += 15ms;
    const action again = next();
    ASSERT_EQ(kind(again), "handle 1");
    EXPECT_EQ(std::get<handle_parcel>(again).what->delivery.attempts, 0);
}

TEST_F(subscription_plan_test, a_race_that_is_lost_for_ever_is_none) {
    plan.received(0, {message("1", "a")}, now);
    int lost = 0;
    for (action a = next(); kind(a).find("defer") == std::string::npos; a = next()) {
        ASSERT_LT(lost, 100);
        if (std::holds_alternative<read_more>(a)) plan.received(0, {}, now);
        if (const auto* quiet = std::get_if<rest>(&a)) now += quiet->until - now.steady;
        if (const auto* handle = std::get_if<handle_parcel>(&a)) {
            ++lost;
            plan.contended(handle->number, {"exists already", "expected_version_error"}, 0, now);
        }
    }
    EXPECT_EQ(lost, 20) << "it adds what is there, again and again";
}

TEST_F(subscription_plan_test, what_is_skipped_does_not_end_an_outage) {
    plan.received(0, {message("1", "a"), message("2", "b")}, now);
    EXPECT_EQ(handle_next(), "1");
    plan.interrupted(in_hand, now);
    now += 500ms;
    EXPECT_EQ(handle_next(), "1");
    plan.skipped(in_hand, now);
    EXPECT_EQ(handle_next(), "2");
    EXPECT_TRUE(plan.handled(in_hand, false, now)) << "only now is the outage over";
}

TEST_F(subscription_plan_test, acknowledges_before_it_pauses) {
    plan.received(0, {message("1", "a"), message("2", "b")}, now);
    EXPECT_EQ(handle_next(), "1");
    plan.handled(in_hand, false, now);
    EXPECT_EQ(handle_next(), "2");
    plan.interrupted(in_hand, now);
    EXPECT_EQ(kind(next()), "ack 1");
}

class in_bundles : public subscription_plan_test {
protected:
    in_bundles() { plan = subscription_plan{grouping()}; }

    static plan_settings grouping() {
        plan_settings s = settings();
        s.together = 3;
        return s;
    }
    /// The numbers of what was handed out last.
    std::vector<parcel_number> take() {
        const action a = next();
        std::vector<parcel_number> numbers;
        for (const handle_parcel& each : std::get<handle_together>(a).parcels) numbers.push_back(each.number);
        return numbers;
    }
};

TEST_F(in_bundles, the_first_of_each_key_are_handed_out_together) {
    plan.received(0, {message("1", "a"), message("2", "a"), message("3", "b"), message("4", "c"), message("5", "d")},
                  now);
    const action first = next();
    ASSERT_EQ(kind(first), "together 1 3 4");
    for (const handle_parcel& each : std::get<handle_together>(first).parcels) plan.handled(each.number, false, now);
    EXPECT_EQ(kind(next()), "ack 1 3 4");
    plan.acknowledged(0);
    EXPECT_EQ(kind(next()), "together 2 5") << "those of one key one after the other";
}

TEST_F(in_bundles, what_has_met_trouble_is_handed_out_alone) {
    plan.received(0, {message("1", "a"), message("2", "b"), message("3", "c", 1), message("4", "d")}, now);
    const auto bundle = take();
    ASSERT_EQ(bundle.size(), 3U) << "without the one that has failed before";
    plan.handled(bundle[0], false, now);
    plan.contended(bundle[1], {"changed", "expected_version"}, 0, now);
    plan.handled(bundle[2], false, now);
    EXPECT_EQ(handle_next(), "3");
    plan.handled(in_hand, false, now);
    acknowledge_all();
    now += 1s;
    plan.received(0, {message("5", "e"), message("6", "f")}, now);
    EXPECT_EQ(handle_next(), "2") << "lost a race in its bundle";
    plan.handled(in_hand, false, now);
    acknowledge_all();
    EXPECT_EQ(kind(next()), "together 5 6");
}

TEST_F(in_bundles, an_outage_breaks_no_bundle_up) {
    plan.received(0, {message("1", "a"), message("2", "b")}, now);
    for (const parcel_number each : take()) plan.interrupted(each, now);
    now += 10s;
    EXPECT_EQ(kind(next()), "heartbeat");
    EXPECT_EQ(kind(next()), "together 1 2");
}

TEST_F(in_bundles, a_half_open_breaker_lets_one_through) {
    plan_settings s = grouping();
    s.breaker_threshold = 1;
    s.breaker_reset = 10s;
    s.retry.first = 30s;
    plan = subscription_plan{s};
    plan.received(0, {message("1", "a"), message("2", "b"), message("3", "c")}, now);
    const auto bundle = take();
    plan.failed(bundle[0], "no", "handler_failed", now);
    EXPECT_EQ(kind(next()), "opened");
    plan.withdrawn(bundle[1]);
    plan.withdrawn(bundle[2]);
    EXPECT_EQ(kind(next()), "defer 1");
    now += 9s;
    EXPECT_EQ(kind(next()), "sleep");
    now += 1s;
    EXPECT_EQ(kind(next()), "heartbeat");
    EXPECT_EQ(kind(next()), "half_open");
    EXPECT_EQ(handle_next(), "2") << "not with the others";
}

TEST_F(subscription_plan_test, keeps_its_claims_alive_while_it_holds_messages) {
    plan.received(0, {message("1", "a", 9, now.wall + 1h)}, now);
    EXPECT_EQ(kind(next()), "read 0 5");
    plan.received(0, {}, now);
    now += 9s;
    EXPECT_LE(std::get<rest>(next()).until, now.steady + 1s);
    now += 1s;
    EXPECT_EQ(kind(next()), "heartbeat");
    EXPECT_EQ(kind(next()), "read 0 5");
}

TEST_F(subscription_plan_test, starts_over_when_a_handler_outlived_the_claims) {
    plan.received(0, {message("1", "a"), message("2", "a")}, now);
    EXPECT_EQ(handle_next(), "1");
    now += 31s;
    plan.handled(in_hand, false, now);
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
    plan.handled(in_hand, true, now);
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
    plan.handled(in_hand, false, now);
    acknowledge_all();
    EXPECT_EQ(kind(next()), "read 0 20");
    plan.received(0, {}, now);
    EXPECT_EQ(kind(next()), "read 1 2");
    plan.received(1, {backfill("b1", "a")}, now);
    EXPECT_EQ(kind(next()), "read 0 20");
    plan.received(0, {}, now);
    EXPECT_EQ(handle_next(), "b1");
    plan.handled(in_hand, false, now);
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
    plan.received(0, {}, now);
    EXPECT_EQ(handle_next(), "b1");
    plan.failed(in_hand, "no", "x", now);
    EXPECT_EQ(kind(next()), "defer b1");
    plan.received(0, {message("1", "a")}, now);
    EXPECT_EQ(handle_next(), "1");
}

TEST_F(two_lanes, primary_messages_go_first) {
    plan.received(1, {backfill("b1", "x"), backfill("b2", "y")}, now);
    plan.received(0, {message("1", "z")}, now);
    EXPECT_EQ(handle_next(), "1");
}

// In the reference a "non-blocking" look at the primary stream blocks, and each lane waits for the other.
TEST_F(two_lanes, a_full_backfill_never_delays_the_primary_by_more_than_one_message) {
    std::vector<arrival> many;
    for (int i = 0; i < 20; ++i) many.push_back(backfill("b" + std::to_string(i), "k" + std::to_string(i)));
    plan.received(1, std::move(many), now);
    for (int i = 0; i < 5; ++i) {
        EXPECT_EQ(kind(next()), "read 0 20") << "a look before each message of the backfill";
        plan.received(0, {}, now);
        EXPECT_EQ(handle_next(), "b" + std::to_string(i));
        plan.handled(in_hand, false, now);
        acknowledge_all();
    }
    EXPECT_EQ(kind(next()), "read 0 20");
    plan.received(0, {message("1", "a"), message("2", "a")}, now);
    EXPECT_EQ(handle_next(), "1");
    plan.handled(in_hand, false, now);
    EXPECT_EQ(handle_next(), "2") << "the primary is drained first";
    plan.handled(in_hand, false, now);
    acknowledge_all();
    EXPECT_EQ(kind(next()), "read 0 20");
}

TEST_F(two_lanes, an_idle_primary_never_delays_the_backfill) {
    plan.received(0, {}, now);
    EXPECT_EQ(kind(next()), "read 1 2") << "at once, in the same turn";
    plan.received(1, {}, now);
    const action quiet = next();
    ASSERT_EQ(kind(quiet), "listen");
    EXPECT_EQ(std::get<rest>(quiet).until, now.steady + 5s)
        << "no shorter poll than that of one stream: both are listened to";
}

TEST_F(two_lanes, looks_at_the_primary_keep_acknowledging_in_batches) {
    plan.received(1, {backfill("b1", "a"), backfill("b2", "b"), backfill("b3", "c")}, now);
    for (const char* entry : {"b1", "b2"}) {
        EXPECT_EQ(kind(next()), "read 0 20");
        plan.received(0, {}, now);
        EXPECT_EQ(handle_next(), entry);
        plan.handled(in_hand, false, now);
    }
    EXPECT_EQ(kind(next()), "read 0 20") << "and not an acknowledgement of two";
    plan.received(0, {}, now);
    EXPECT_EQ(handle_next(), "b3");
    plan.handled(in_hand, false, now);
    EXPECT_EQ(kind(next()), "ack b1 b2 b3");
}

TEST_F(two_lanes, a_look_at_the_primary_reads_nothing_that_waits_for_its_acknowledgement) {
    plan_settings s = settings();
    s.sources = 2;
    s.hands = 2;
    plan = subscription_plan{s};
    plan.received(0, {message("1", "a")}, now);
    EXPECT_EQ(handle_next(), "1");
    plan.lost(now);
    plan.received(1, {backfill("b1", "b")}, now);
    plan.handled(in_hand, false, now);
    EXPECT_EQ(kind(next()), "ack 1") << "the broker would hand it out again";
    plan.acknowledged(0);
    EXPECT_EQ(kind(next()).substr(0, 6), "read 0");
}

TEST_F(subscription_plan_test, reads_as_many_messages_as_their_size_allows) {
    plan_settings s = settings();
    s.read_limit = 100;
    s.max_held = 1000;
    s.max_held_bytes = 1'000'000;
    s.read_bytes = 16'000;
    s.first_read = 8;
    plan = subscription_plan{s};
    EXPECT_EQ(kind(next()), "read 0 8") << "nobody knows yet how large they are";
    int number = 0;
    const auto receive = [&](std::size_t count, std::size_t bytes) {
        std::vector<arrival> page;
        for (std::size_t i = 0; i < count; ++i) {
            arrival one = message(std::to_string(++number), "");
            one.what.delivery.body = std::string(bytes, 'b');
            one.is = unwanted{};
            page.push_back(std::move(one));
        }
        plan.received(0, std::move(page), now);
        while (kind(next()).starts_with("ack")) plan.acknowledged(0);
        return kind(next());
    };
    EXPECT_EQ(receive(8, 10), "read 0 16");
    EXPECT_EQ(receive(16, 10), "read 0 32");
    EXPECT_EQ(receive(32, 10), "read 0 64");
    EXPECT_EQ(receive(64, 10), "read 0 100");
    EXPECT_EQ(receive(100, 8'000), "read 0 2");
    EXPECT_EQ(receive(1, 50'000), "read 0 1");
    EXPECT_EQ(receive(1, 10), "read 0 1") << "one small message does not make the next small";
}

TEST_F(subscription_plan_test, reads_nothing_while_the_messages_in_memory_have_too_many_bytes) {
    plan_settings s = settings();
    s.max_held = 1000;
    s.max_held_bytes = 100;
    plan = subscription_plan{s};
    arrival large = message("1", "a");
    large.what.delivery.body = std::string(100, 'b');
    plan.received(0, {std::move(large)}, now);
    EXPECT_EQ(handle_next(), "1");
    plan.failed(in_hand, "no", "x", now);
    EXPECT_EQ(kind(next()), "defer 1");
    EXPECT_EQ(kind(next()), "sleep");
    now += 1s;
    EXPECT_EQ(handle_next(), "1");
    plan.handled(in_hand, false, now);
    EXPECT_EQ(kind(next()), "ack 1");
    plan.acknowledged(0);
    EXPECT_TRUE(kind(next()).starts_with("read 0")) << "there is room again";
}

TEST_F(subscription_plan_test, acknowledges_before_what_is_done_fills_the_memory) {
    plan_settings s = settings();
    s.read_bytes = 100;
    s.ack_limit = 50;
    plan = subscription_plan{s};
    arrival large = message("1", "a");
    large.what.delivery.body = std::string(100, 'b');
    plan.received(0, {std::move(large), message("2", "b")}, now);
    EXPECT_EQ(handle_next(), "1");
    plan.handled(in_hand, false, now);
    EXPECT_EQ(kind(next()), "ack 1");
}

TEST_F(two_lanes, failing_backfill_messages_leave_room_for_the_primary) {
    plan_settings s = settings();
    s.sources = 2;
    s.max_held = 4;
    plan = subscription_plan{s};
    plan.received(1, {backfill("b1", "a"), backfill("b2", "a")}, now);
    plan.received(0, {}, now);
    EXPECT_EQ(handle_next(), "b1");
    plan.failed(in_hand, "no", "x", now);
    EXPECT_EQ(kind(next()), "defer b1");
    EXPECT_EQ(kind(next()), "read 0 2");
    plan.received(0, {}, now);
    EXPECT_EQ(kind(next()), "listen") << "the backfill has its half";
}

class several_hands : public subscription_plan_test {
protected:
    several_hands() {
        plan_settings s = settings();
        s.hands = 2;
        s.max_held = 100;
        plan = subscription_plan{s};
    }

    parcel_number give(const std::string& entry) {
        EXPECT_EQ(handle_next(), entry);
        return in_hand;
    }
};

TEST_F(several_hands, handle_different_keys_side_by_side_and_one_key_in_order) {
    plan.received(0, {message("1", "a"), message("2", "a"), message("3", "b"), message("4", "c")}, now);
    const auto one = give("1");
    const auto three = give("3");
    EXPECT_EQ(plan.in_hand(), 2U);
    EXPECT_EQ(kind(next()), "sleep") << "no hand is free, so nothing is read either";
    plan.handled(three, false, now);
    const auto four = give("4");
    EXPECT_EQ(kind(next()), "sleep") << "2 waits for 1";
    plan.handled(one, false, now);
    give("2");
    plan.handled(four, false, now);
    EXPECT_EQ(kind(next()), "ack 3 1 4");
}

TEST_F(several_hands, a_key_is_held_back_by_its_failing_message_while_others_go_on) {
    plan.received(0, {message("1", "a"), message("2", "a"), message("3", "b")}, now);
    const auto one = give("1");
    const auto three = give("3");
    plan.failed(one, "no", "x", now);
    EXPECT_EQ(kind(next()), "defer 1");
    plan.handled(three, false, now);
    EXPECT_EQ(kind(next()), "ack 3");
    plan.acknowledged(0);
    now += 1s;
    give("1");
}

TEST_F(several_hands, keep_the_claims_while_long_handlers_run) {
    plan.received(0, {message("1", "a")}, now);
    give("1");
    for (int i = 0; i < 10; ++i) {
        EXPECT_EQ(kind(next()).substr(0, 4), "read");
        plan.received(0, {}, now);
        const action quiet = next();
        EXPECT_EQ(kind(quiet), "listen");
        EXPECT_LE(std::get<rest>(quiet).until, now.steady + 10s);
        now += 10s;
        EXPECT_EQ(kind(next()), "heartbeat");
    }
}

TEST_F(several_hands, an_outage_seen_by_both_counts_once) {
    plan.received(0, {message("1", "a"), message("2", "b")}, now);
    const auto one = give("1");
    const auto two = give("2");
    EXPECT_TRUE(plan.interrupted(one, now));
    EXPECT_FALSE(plan.interrupted(two, now));
    EXPECT_EQ(std::get<rest>(next()).until, now.steady + 500ms);
    now += 500ms;
    give("1");
    give("2");
}

TEST_F(several_hands, what_is_in_hand_when_the_connection_is_lost_is_neither_handled_twice_nor_forgotten) {
    plan.received(0, {message("1", "a"), message("2", "a"), message("3", "b")}, now);
    const auto one = give("1");
    plan.lost(now);
    EXPECT_EQ(kind(next()).substr(0, 4), "read");
    plan.received(0, {message("1", "a"), message("2", "a"), message("3", "b")}, now);  // handed out again
    give("3");
    EXPECT_EQ(kind(next()), "sleep");
    EXPECT_EQ(plan.in_hand(one).delivery.entry, "1");
    plan.handled(one, false, now);
    give("2");
}

TEST_F(several_hands, what_was_handled_after_the_connection_was_lost_is_acknowledged_before_anything_is_read) {
    plan.received(0, {message("1", "a"), message("2", "a")}, now);
    const auto one = give("1");
    plan.lost(now);
    plan.handled(one, false, now);
    EXPECT_EQ(kind(next()), "ack 1");
    plan.acknowledged(0);
    EXPECT_EQ(kind(next()).substr(0, 4), "read");
}

TEST_F(several_hands, a_later_message_of_a_key_waits_for_one_in_hand_that_is_not_handed_out_again) {
    plan.received(0, {message("1", "a"), message("2", "a")}, now);
    const auto one = give("1");
    plan.lost(now);
    plan.received(0, {message("2", "a")}, now);  // another consumer has taken 1 over
    EXPECT_EQ(kind(next()).substr(0, 4), "read");
    plan.failed(one, "no", "x", now);
    EXPECT_EQ(handle_next(), "2") << "and the failure of 1 is not ours to tell";
}

class with_breaker : public subscription_plan_test {
protected:
    with_breaker() {
        plan_settings s = settings();
        s.breaker_threshold = 2;
        s.breaker_reset = 60s;
        s.max_held = 100;
        s.max_attempts = 100;
        plan = subscription_plan{s};
    }

    void fail(const std::string& entry) {
        ASSERT_EQ(handle_next(), entry);
        plan.failed(in_hand, "no", "x", now);
    }
};

TEST_F(with_breaker, nothing_is_read_or_handled_while_it_is_open_and_then_one_message_is_the_probe) {
    plan.received(0, {message("1", "a"), message("2", "b"), message("3", "c"), message("4", "d")}, now);
    fail("1");
    EXPECT_EQ(kind(next()), "defer 1");
    fail("2");
    EXPECT_EQ(kind(next()), "opened");
    EXPECT_EQ(plan.breaker(), circuit_breaker::state::open);
    EXPECT_EQ(kind(next()), "defer 2");
    const sluice::instant opened = now.steady;
    for (; now.steady < opened + 60s; now += 5s) {
        action a = next();
        if (kind(a) == "heartbeat") a = next();
        ASSERT_EQ(kind(a), "sleep");
        EXPECT_LE(std::get<rest>(a).until, opened + 60s);
    }
    EXPECT_EQ(kind(next()), "heartbeat");
    EXPECT_EQ(kind(next()), "half_open");
    fail("1");
    EXPECT_EQ(kind(next()), "opened") << "the failure of the probe starts the timer again";
    EXPECT_EQ(kind(next()), "defer 1");
    EXPECT_EQ(kind(next()), "sleep");
    now += 30s;
    EXPECT_EQ(kind(next()), "reopen");
}

TEST_F(with_breaker, the_success_of_the_probe_closes_it) {
    plan.received(0, {message("1", "a"), message("2", "b")}, now);
    fail("1");
    EXPECT_EQ(kind(next()), "defer 1");
    fail("2");
    EXPECT_EQ(kind(next()), "opened");
    EXPECT_EQ(kind(next()), "defer 2");
    for (int i = 0; i < 6; ++i) {
        now += 10s;
        EXPECT_EQ(kind(next()), "heartbeat");
    }
    EXPECT_EQ(kind(next()), "half_open");
    EXPECT_EQ(handle_next(), "1");
    plan.handled(in_hand, false, now);
    EXPECT_EQ(kind(next()), "closed");
    EXPECT_EQ(handle_next(), "2");
}

TEST_F(with_breaker, an_outage_of_the_database_is_no_failing_message) {
    plan.received(0, {message("1", "a"), message("2", "b", 0, now.wall + 1s)}, now);
    fail("1");
    for (int i = 0; i < 5; ++i) {
        now += 2s;
        std::string entry = handle_next();
        while (entry != "1" && entry != "2") entry = handle_next();
        plan.interrupted(in_hand, now);
    }
    EXPECT_EQ(plan.breaker(), circuit_breaker::state::closed);
}

TEST_F(with_breaker, a_command_that_expired_says_nothing_of_the_handler) {
    plan.received(0, {message("1", "a"), message("2", "b"), message("3", "c"), message("4", "d")}, now);
    fail("1");
    EXPECT_EQ(kind(next()), "defer 1");
    EXPECT_EQ(handle_next(), "2");
    plan.skipped(in_hand, now);
    fail("3");
    EXPECT_EQ(kind(next()), "opened") << "what was skipped between two failures is no success";
    EXPECT_EQ(kind(next()), "defer 3");
    EXPECT_EQ(kind(next()), "ack 2");
    plan.acknowledged(0);
    for (int i = 0; i < 6; ++i) {
        now += 10s;
        EXPECT_EQ(kind(next()), "heartbeat");
    }
    EXPECT_EQ(kind(next()), "half_open");
    EXPECT_EQ(handle_next(), "1");
    plan.skipped(in_hand, now);
    EXPECT_EQ(plan.breaker(), circuit_breaker::state::half_open);
    EXPECT_EQ(handle_next(), "3") << "another message is the probe";
    plan.handled(in_hand, false, now);
    EXPECT_EQ(kind(next()), "closed");
}

// In the reference the attempts of one poison message add up and stop the whole stream.
TEST_F(with_breaker, one_poison_message_never_opens_it_however_often_it_fails) {
    plan.received(0, {message("1", "a")}, now);
    for (int i = 0; i < 50; ++i) {
        std::string what = handle_next();
        while (what != "1") {
            if (what == "listen" || what == "sleep") now += 1s;
            if (what.starts_with("read")) plan.received(0, {}, now);
            what = handle_next();
        }
        plan.failed(in_hand, "no", "x", now);
    }
    EXPECT_EQ(plan.breaker(), circuit_breaker::state::closed);
}

TEST_F(with_breaker, undecodable_messages_do_not_count) {
    for (const char* entry : {"1", "2", "3"}) {
        arrival poison = message(entry, "a");
        poison.is = unusable{"no JSON", "undecodable"};
        plan.received(0, {poison}, now);
        EXPECT_EQ(kind(next()), std::string{"bury "} + entry);
    }
    EXPECT_EQ(plan.breaker(), circuit_breaker::state::closed);
}

class one_order_over_streams : public subscription_plan_test {
protected:
    one_order_over_streams() {
        plan_settings s = settings();
        s.sources = 4;
        s.primaries = 2;
        s.keys_span_sources = true;
        s.hands = 4;
        s.max_held = 100;
        plan = subscription_plan{s};
    }

    static arrival from(std::size_t source, const std::string& entry, const std::string& key) {
        arrival result = message(entry, key);
        result.what.source = source;
        return result;
    }
};

TEST_F(one_order_over_streams, a_key_is_one_key_in_whatever_stream) {
    plan.received(0, {from(0, "a1", "k"), from(0, "a2", "other")}, now);
    plan.received(1, {from(1, "b1", "k")}, now);
    EXPECT_EQ(handle_next(), "a1");
    const auto first = in_hand;
    EXPECT_EQ(handle_next(), "a2");
    EXPECT_EQ(kind(next()).substr(0, 4), "read") << "b1 waits for a1";
    plan.handled(first, false, now);
    EXPECT_EQ(handle_next(), "b1");
}

// In the reference the two lanes of one key are not ordered against each other.
TEST_F(one_order_over_streams, the_lanes_of_a_key_are_ordered_by_arrival) {
    plan.received(2, {from(2, "low", "k")}, now);
    plan.received(0, {from(0, "high", "k")}, now);
    EXPECT_EQ(handle_next(), "read 0 10");
    plan.received(0, {}, now);
    EXPECT_EQ(handle_next(), "read 1 10");
    plan.received(1, {}, now);
    EXPECT_EQ(handle_next(), "low");
    EXPECT_EQ(kind(next()).substr(0, 4), "read");
    plan.handled(in_hand, false, now);
    EXPECT_EQ(handle_next(), "high");
}

TEST_F(one_order_over_streams, entries_of_different_streams_may_have_the_same_number) {
    plan.received(0, {from(0, "1", "")}, now);
    plan.received(1, {from(1, "1", "")}, now);
    EXPECT_EQ(handle_next(), "1");
    EXPECT_EQ(handle_next(), "1") << "without a key they stand alone";
}

TEST_F(one_order_over_streams, streams_of_a_rank_take_turns) {
    EXPECT_EQ(kind(next()), "read 0 10");
    plan.received(0, {from(0, "1", "a")}, now);
    EXPECT_EQ(handle_next(), "1");
    EXPECT_EQ(kind(next()), "read 1 10") << "although the first stream may have more";
    plan.received(1, {from(1, "2", "b")}, now);
    EXPECT_EQ(handle_next(), "2");
    EXPECT_EQ(kind(next()), "read 0 10");
    plan.received(0, {}, now);
    EXPECT_EQ(kind(next()), "read 1 10");
    plan.received(1, {}, now);
    EXPECT_EQ(kind(next()), "read 2 1");
    plan.received(2, {}, now);
    EXPECT_EQ(kind(next()), "read 3 1");
}

}  // namespace
