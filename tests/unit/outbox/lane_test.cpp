#include "outbox/lane.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <thread>

#include "broker/inline/inline_broker.hpp"
#include "observe/log.hpp"
#include "store/memory/memory_database.hpp"
#include "support/eventually.hpp"
#include "support/noted_exemplars.hpp"
#include "support/recorded_spans.hpp"
#include "support/scripted_broker.hpp"
#include "support/virtual_clock.hpp"

namespace sluice::outbox {
namespace {

using namespace std::chrono_literals;

constexpr auto category = "shop::order";

class lane_test : public ::testing::Test {
protected:
    lane_test() {
        observe::configure_log({.threshold = observe::level::off});
        database_->setup();
        tracer_.subscribe([this](const trace_event& event) { traced_.push_back(event); });
    }
    ~lane_test() override { observe::configure_log({}); }

    lane_settings settings(bool external = false) const {
        lane_settings result;
        result.database = "default";
        result.broker = "target";
        result.external = external;
        result.owner = "me";
        result.outbox.messages_per_tick = 5;
        result.overlapping = overlap::none;
        return result;
    }
    lane_ports ports() { return {*database_, broker_, clock_, random_, tracer_}; }

    /// @param trace  JSON of the event's `traceparent`
    void commit(const std::string& id, const std::string& stream = "shop::order-1", int priority = 0,
                const std::string& trace = "null") {
        store::commit_batch batch;
        batch.at = clock_.now();
        store::event_write write;
        write.event = {
            id,           stream,
            category,     "Shop.OrderShipped.v1",
            R"({"n":1})", R"({"headers":{"id":"x","traceparent":)" + trace + R"(},"domain":{"correlation_id":"c-1"}})",
            batch.at};
        write.priority = priority;
        write.target_brokers = {"target"};
        batch.events.push_back(std::move(write));
        database_->open_unit()->commit(batch);
    }
    /// Turns the lane until it wants to sleep or has stopped.
    static lane_action turn_until_rest(lane& l) {
        for (int turns = 0; turns < 1000; ++turns) {
            if (const auto end = l.turn()) return *end;
        }
        throw std::runtime_error{"the lane does not come to rest"};
    }
    /// Turns the lane and lets the time pass that it wants to sleep.
    void live(lane& l, duration time) {
        const auto end = clock_.monotonic_now() + time;
        while (clock_.monotonic_now() < end) {
            const auto rest = turn_until_rest(l);
            const auto* const nap = std::get_if<action::sleep>(&rest);
            if (nap == nullptr) return;
            clock_.advance_to(std::min(nap->until, end));
        }
        (void)turn_until_rest(l);
    }
    store::outbox_row row(const std::string& id) {
        return database_->open_operations()->list({.message_id = id}).at(0);
    }
    std::vector<std::string> arrived() const { return script_->accepted_ids(category); }
    store::lane_status status() { return database_->open_operations()->lanes().at(0); }

    using ids = std::vector<std::string>;

    sluice::testing::virtual_clock clock_;
    base::seeded_random random_{1};
    std::vector<trace_event> traced_;
    observe::tracer tracer_{"shop", clock_};
    std::unique_ptr<store::database> database_ = store::make_memory_database("default");
    std::shared_ptr<sluice::testing::broker_script> script_ = std::make_shared<sluice::testing::broker_script>();
    sluice::testing::scripted_broker broker_{broker::make_inline_broker("target"), script_};
};

TEST_F(lane_test, carries_rows_and_settles_them) {
    lane l{settings(), ports()};
    commit("m-1");
    commit("m-2");
    (void)turn_until_rest(l);
    EXPECT_EQ(arrived(), (ids{"m-1", "m-2"}));
    EXPECT_EQ(row("m-1").status, store::row_status::published);
    EXPECT_EQ(row("m-1").published_at, clock_.now());
    EXPECT_FALSE(row("m-1").receipt.empty());
    EXPECT_EQ(status().mark, row("m-2").seq);
    EXPECT_EQ(status().owner, "me");
    EXPECT_EQ(l.name(), "default:target");
}

TEST_F(lane_test, tells_when_its_latest_turn_began) {
    lane l{settings(), ports()};
    EXPECT_EQ(l.in_step_since(), clock_.monotonic_now()) << "before the first: its construction";
    const instant made = clock_.monotonic_now();
    clock_.advance_to(made + 5min);
    EXPECT_EQ(l.in_step_since(), made);
    (void)l.turn();
    EXPECT_EQ(l.in_step_since(), made + 5min);
}

TEST_F(lane_test, rests_while_an_operator_pauses_it_and_goes_on_afterwards) {
    lane l{settings(), ports()};
    commit("m-1");
    (void)turn_until_rest(l);
    database_->open_operations()->pause_lanes("target", {.since = clock_.now(), .reason = "moving"});
    live(l, 6s);
    EXPECT_EQ(status().state, "paused");
    EXPECT_NE(status().detail.find("moving"), std::string::npos) << status().detail;

    commit("m-2");
    l.look();
    live(l, 60s);
    EXPECT_EQ(arrived(), ids{"m-1"});
    EXPECT_EQ(row("m-2").status, store::row_status::pending);
    EXPECT_EQ(row("m-2").retry_count, 0);
    EXPECT_EQ(status().owner, "me") << "it keeps its lease";

    lane next{settings(), ports()};
    live(next, 6s);
    EXPECT_EQ(arrived(), ids{"m-1"}) << "a restart does not end the pause";

    ASSERT_TRUE(database_->open_operations()->resume_lanes("target"));
    live(next, 6s);
    EXPECT_EQ(arrived(), (ids{"m-1", "m-2"}));
}

TEST_F(lane_test, keeps_to_the_rate_of_its_broker) {
    auto slow = settings(true);
    slow.outbox.lanes["target"].rate_limit = 2;
    lane l{slow, ports()};
    for (int i = 1; i <= 20; ++i) commit("m-" + std::to_string(i));
    (void)turn_until_rest(l);
    EXPECT_EQ(arrived().size(), 2U);
    live(l, 3s);
    EXPECT_EQ(arrived().size(), 8U);
    live(l, 10s);
    EXPECT_EQ(arrived().size(), 20U);
}

TEST_F(lane_test, retries_as_its_broker_wants) {
    auto hasty = settings(true);
    hasty.outbox.lanes["target"].retry = config::retry_settings{.max_attempts = 1};
    lane l{hasty, ports()};
    script_->refuse("m-1", -1);
    commit("m-1");
    (void)turn_until_rest(l);
    EXPECT_EQ(row("m-1").status, store::row_status::abandoned);
}

/// Notes what its lane says of itself with each batch.
class noting_broker final : public broker::broker {
public:
    struct note {
        std::size_t unsettled;
        std::int64_t settled_upto;
        std::int64_t last_position;
    };
    std::vector<note> notes;

    [[nodiscard]] std::string describe() const override { return "noting"; }
    [[nodiscard]] sluice::broker::capabilities can() const override { return {}; }
    [[nodiscard]] std::unique_ptr<sluice::broker::publisher> open_publisher() override {
        return std::make_unique<noting_publisher>(notes);
    }

private:
    struct noting_publisher final : sluice::broker::publisher {
        explicit noting_publisher(std::vector<note>& n) : notes{n} {}
        std::vector<sluice::broker::verdict> publish(std::span<const sluice::broker::outgoing> batch,
                                                     const sluice::broker::producer& from,
                                                     duration /*timeout*/) override {
            notes.push_back({from.unsettled_batches, from.settled_upto, batch.back().position});
            return std::vector<sluice::broker::verdict>(batch.size(), sluice::broker::delivered{"r"});
        }
        std::string probe(duration /*timeout*/) override { return {}; }

        std::vector<note>& notes;
    };
};

TEST_F(lane_test, tells_the_broker_what_may_be_in_doubt_still) {
    for (int i = 1; i <= 10; ++i) commit("m-" + std::to_string(i));
    noting_broker noting;
    auto overlapping = settings();
    overlapping.outbox.messages_per_tick = 2;
    overlapping.overlapping = overlap::deferred;
    lane l{overlapping, {*database_, noting, clock_, random_, tracer_}};
    turn_until_rest(l);
    ASSERT_EQ(noting.notes.size(), 5U);
    for (std::size_t i = 0; i < noting.notes.size(); ++i) {
        const auto& [unsettled, settled_upto, last_position] = noting.notes[i];
        EXPECT_EQ(last_position, static_cast<std::int64_t>(2 * (i + 1)));
        EXPECT_EQ(settled_upto, last_position - 2 - 2 * static_cast<std::int64_t>(unsettled)) << "batch " << i;
        EXPECT_LE(unsettled, 1U) << "one may be settled while the next is on its way";
    }
    commit("m-11");
    clock_.advance(2s);
    turn_until_rest(l);
    ASSERT_EQ(noting.notes.size(), 6U);
    EXPECT_EQ(noting.notes.back().unsettled, 0U);
    EXPECT_EQ(noting.notes.back().settled_upto, 10);
}

TEST_F(lane_test, keeps_its_report_in_the_lease_row) {
    lane l{settings(), ports()};
    commit("m-1");
    script_->set_unreachable(true, "no route to host");
    (void)turn_until_rest(l);
    EXPECT_EQ(status().state, "paused");
    EXPECT_EQ(status().detail, "no route to host");
    script_->set_unreachable(false);
    live(l, 8s);
    EXPECT_EQ(status().state, "idle");
    EXPECT_EQ(status().detail, "");
    EXPECT_EQ(status().published, 1);
    EXPECT_GT(status().rate, 0);
}

TEST_F(lane_test, an_outage_of_weeks_costs_no_attempt) {
    lane l{settings(), ports()};
    commit("m-1");
    script_->set_unreachable(true);
    live(l, 24h * 3);
    EXPECT_EQ(row("m-1").status, store::row_status::pending);
    EXPECT_EQ(row("m-1").retry_count, 0);
    script_->set_unreachable(false);
    live(l, 40s);
    EXPECT_EQ(arrived(), ids{"m-1"});
}

TEST_F(lane_test, a_refused_row_is_retried_on_schedule_then_given_up) {
    lane l{settings(), ports()};
    script_->refuse("m-1", -1);
    commit("m-1", "shop::order-1");
    commit("m-2", "shop::order-1");
    commit("m-3", "shop::order-2");
    (void)turn_until_rest(l);
    EXPECT_EQ(arrived(), ids{"m-3"});
    EXPECT_EQ(row("m-1").status, store::row_status::failed);
    live(l, 76s);
    EXPECT_EQ(row("m-1").retry_count, 2);
    live(l, 151s);
    EXPECT_EQ(row("m-1").status, store::row_status::abandoned);
    EXPECT_EQ(arrived(), (ids{"m-3", "m-2"})) << "a poison message never starves its stream";
}

TEST_F(lane_test, an_abandoned_row_is_one_command_away_from_a_full_new_budget) {
    lane l{settings(), ports()};
    script_->refuse("m-1", 1, true);
    commit("m-1");
    (void)turn_until_rest(l);
    ASSERT_EQ(row("m-1").status, store::row_status::abandoned);
    EXPECT_EQ(database_->open_operations()->retry({.message_id = "m-1"}), 1U);
    live(l, 2s);
    EXPECT_EQ(row("m-1").status, store::row_status::published);
    EXPECT_EQ(row("m-1").last_error, "");
}

TEST_F(lane_test, what_was_discarded_during_an_outage_is_not_sent) {
    lane l{settings(), ports()};
    commit("m-1");
    commit("m-2", "shop::order-2");
    script_->set_unreachable(true);
    live(l, 1h);
    EXPECT_EQ(database_->open_operations()->discard({.message_id = "m-1"}, "obsolete", clock_.now()), 1U);
    script_->set_unreachable(false);
    live(l, 1min);
    EXPECT_EQ(arrived(), ids{"m-2"});
}

TEST_F(lane_test, external_lanes_send_the_external_envelope) {
    lane l{settings(true), ports()};
    commit("m-1");
    (void)turn_until_rest(l);
    const auto body = script_->accepted(category).at(0).body;
    EXPECT_EQ(body.find("asynchronous"), std::string::npos);
    EXPECT_NE(body.find(R"({"specversion":"1.0"})"), std::string::npos);
}

TEST_F(lane_test, low_priority_goes_to_the_backfill_stream) {
    auto with_lanes = settings();
    with_lanes.priority_lanes = {.enabled = true, .threshold = 0, .backfill_suffix = "backfill"};
    lane l{with_lanes, ports()};
    commit("m-1", "shop::order-1", -50);
    (void)turn_until_rest(l);
    EXPECT_EQ(script_->accepted_ids("shop::order:backfill"), ids{"m-1"});
}

TEST_F(lane_test, traces_what_is_settled) {
    lane l{settings(true), ports()};
    script_->refuse("m-2", 1);
    commit("m-1", "shop::order-1");
    commit("m-2", "shop::order-2");
    (void)turn_until_rest(l);
    ASSERT_EQ(traced_.size(), 2U);
    EXPECT_EQ(traced_[0].event, "outbox.external_published");
    EXPECT_EQ(traced_[0].status, "ok");
    EXPECT_EQ(traced_[0].message_id, "m-1");
    EXPECT_EQ(traced_[0].message_type, "Shop.OrderShipped.v1");
    EXPECT_EQ(traced_[0].stream, "shop::order-1");
    EXPECT_EQ(traced_[0].broker, "target");
    EXPECT_EQ(traced_[0].worker_id, "me");
    EXPECT_EQ(traced_[0].correlation_id, "c-1");
    EXPECT_EQ(traced_[1].event, "outbox.external_failed");
    EXPECT_EQ(traced_[1].status, "error");
    EXPECT_FALSE(traced_[1].error.empty());
    EXPECT_EQ(json::dump(traced_[1].metadata), R"({"retry_count":1})");
}

/// JSON of a `traceparent`.
std::string trace_context(const std::string& trace_id, bool sampled) {
    return R"({"trace_id":")" + trace_id + R"(","parent_id":"b7ad6b7169203331","sampled":)" +
           (sampled ? "true}" : "false}");
}

TEST_F(lane_test, names_the_trace_of_the_slowest_row_of_a_batch) {
    const sluice::testing::recorded_spans recorded{tracer_, clock_, random_};
    const auto counted = sluice::testing::noted_exemplars::of(tracer_);
    commit("m-1", "shop::order-1", 0, trace_context(std::string(32, '1'), false));
    clock_.advance(1s);
    commit("m-2", "shop::order-1", 0, trace_context(std::string(32, '2'), true));
    clock_.advance(1s);
    commit("m-3", "shop::order-1", 0, trace_context(std::string(32, '3'), true));
    clock_.advance(500ms);
    lane l{settings(), ports()};
    (void)turn_until_rest(l);
    const auto found = counted->all();
    ASSERT_EQ(found.size(), 1U);
    ASSERT_TRUE(found[0]);
    EXPECT_EQ(found[0]->trace_id, std::string(32, '2')) << "m-1 is slower, but its trace is not sampled";
    EXPECT_EQ(found[0]->span_id, "b7ad6b7169203331");
    EXPECT_EQ(found[0]->value, 1500ms);
    EXPECT_EQ(found[0]->at, clock_.now());
    const auto published = recorded.named("publish shop::order");
    EXPECT_TRUE(std::ranges::any_of(published, [&](const finished_span& each) {
        return each.context.trace_id == found[0]->trace_id;
    })) << "who follows it finds the lane's own span there";
}

TEST_F(lane_test, names_no_trace_while_none_is_recorded) {
    const auto counted = sluice::testing::noted_exemplars::of(tracer_);
    lane l{settings(), ports()};
    commit("m-1", "shop::order-1", 0, trace_context(std::string(32, '1'), true));
    (void)turn_until_rest(l);
    const sluice::testing::recorded_spans recorded{tracer_, clock_, random_};
    commit("m-2", "shop::order-1", 0, trace_context(std::string(32, '2'), false));
    live(l, 6s);
    commit("m-3");
    live(l, 6s);
    const auto found = counted->all();
    ASSERT_EQ(found.size(), 3U);
    for (const auto& each : found) EXPECT_FALSE(each);
}

TEST_F(lane_test, internal_trace_events_have_their_own_names) {
    lane l{settings(), ports()};
    script_->refuse("m-2", 1);
    commit("m-1", "shop::order-1");
    commit("m-2", "shop::order-2");
    (void)turn_until_rest(l);
    ASSERT_EQ(traced_.size(), 2U);
    EXPECT_EQ(traced_[0].event, "outbox.published");
    EXPECT_EQ(traced_[1].event, "outbox.failed");
}

TEST_F(lane_test, of_an_engine_that_has_all_goes_to_one_that_joins_in_the_middle_of_the_work) {
    const auto shard_of = [&](const std::string& owner, int number) {
        auto own = settings();
        own.owner = owner;
        own.part = {number, 2};
        return own;
    };
    lane first{shard_of("me", 1), ports()};
    lane second{shard_of("me", 2), ports()};
    lane joining_first{shard_of("you", 1), ports()};
    lane joining_second{shard_of("you", 2), ports()};
    const std::vector<lane*> all{&first, &second, &joining_first, &joining_second};

    int committed = 0;
    for (int seconds = 0; seconds < 30; ++seconds) {
        for (int stream = 0; stream < 4; ++stream) {
            commit("m-" + std::to_string(++committed), "shop::order-" + std::to_string(stream));
        }
        for (auto* each : all) {
            each->look();
            (void)turn_until_rest(*each);
        }
        clock_.advance(1s);
    }
    std::map<std::string, int> lanes_of;
    for (const auto& lane : database_->open_operations()->lanes()) ++lanes_of[lane.owner];
    EXPECT_EQ(lanes_of, (std::map<std::string, int>{{"me", 1}, {"you", 1}}));
    EXPECT_EQ(arrived().size(), std::size_t(committed)) << "each of them, once";
    std::map<std::string, int> last;
    for (const auto& id : arrived()) {
        const int number = std::stoi(id.substr(2));
        auto& newest = last[std::to_string(number % 4)];
        EXPECT_GT(number, newest) << "out of order";
        newest = number;
    }
}

TEST_F(lane_test, a_second_lane_stands_by_and_takes_over_when_the_first_is_silent) {
    auto other = settings();
    other.owner = "other";
    lane first{settings(), ports()};
    lane second{other, ports()};
    (void)turn_until_rest(first);
    (void)turn_until_rest(second);
    commit("m-1");
    (void)turn_until_rest(second);
    EXPECT_EQ(second.state(), lane_state::lost);
    EXPECT_TRUE(arrived().empty());
    live(second, 17s);
    EXPECT_EQ(arrived(), ids{"m-1"});
    EXPECT_EQ(status().epoch, 2U);

    commit("m-2");
    (void)turn_until_rest(first);
    EXPECT_EQ(first.state(), lane_state::lost);
    EXPECT_EQ(row("m-2").status, store::row_status::pending);
}

TEST_F(lane_test, a_stopped_lane_leaves_its_lease_to_the_next) {
    auto other = settings();
    other.owner = "other";
    lane first{settings(), ports()};
    (void)turn_until_rest(first);
    first.request_stop();
    EXPECT_TRUE(std::holds_alternative<action::stop>(turn_until_rest(first)));
    EXPECT_EQ(status().owner, "");
    lane second{other, ports()};
    (void)turn_until_rest(second);
    EXPECT_EQ(status().owner, "other");
}

TEST_F(lane_test, purges_its_old_rows) {
    lane l{settings(), ports()};
    commit("m-1");
    (void)turn_until_rest(l);
    clock_.advance(169h);
    live(l, 2h);
    EXPECT_TRUE(database_->open_operations()->list({}).empty());
}

// The following run a real thread against the machine's clock; they wait for conditions, not for time.

class running_lane_test : public lane_test {
protected:
    template <class Condition>
    static bool eventually(const Condition& condition) {
        return testing::eventually(condition);
    }
    lane_settings slow_ticks() const {
        auto result = settings();
        result.outbox.tick_interval = 3600;
        result.overlapping = overlap::threaded;
        return result;
    }
    lane_ports real_ports() { return {*database_, broker_, system_clock(), random_, tracer_}; }
};

TEST_F(running_lane_test, is_woken_by_a_commit_without_waiting_for_its_tick) {
    lane l{slow_ticks(), real_ports()};
    std::jthread thread{[&](const std::stop_token& stop) { l.run(stop); }};
    for (int i = 1; i <= 20; ++i) {
        commit("m-" + std::to_string(i));
        ASSERT_TRUE(eventually([&] { return arrived().size() == static_cast<std::size_t>(i); }));
    }
}

TEST_F(running_lane_test, drains_a_backlog_in_order) {
    constexpr int events = 500;
    ids expected;
    for (int i = 1; i <= events; ++i) {
        commit("m-" + std::to_string(i), "shop::order-" + std::to_string(i % 7));
        expected.push_back("m-" + std::to_string(i));
    }
    lane l{slow_ticks(), real_ports()};
    {
        std::jthread thread{[&](const std::stop_token& stop) { l.run(stop); }};
        ASSERT_TRUE(eventually([&] { return arrived().size() == events; }));
    }
    EXPECT_EQ(arrived(), expected);
    EXPECT_EQ(script_->duplicates(), 0U);
    const auto counts = database_->open_operations()->outbox_summary().at("target").by_status;
    EXPECT_EQ(counts.at(store::row_status::published), events) << "what was in flight is settled before the end";
}

TEST_F(running_lane_test, a_stop_does_not_wait_for_a_broker_that_is_being_probed) {
    script_->set_unreachable(true);
    commit("m-1");
    auto patient = slow_ticks();
    patient.outbox.lease_seconds = 120;
    patient.outbox.publish_timeout_seconds = 60;
    lane l{patient, real_ports()};
    std::jthread thread{[&](const std::stop_token& stop) { l.run(stop); }};
    ASSERT_TRUE(eventually([&] { return script_->attempts() == 1; }));
    const auto probes = script_->probes();  // before it hangs: the next probe may be the one that hangs
    script_->hang(true);
    ASSERT_TRUE(eventually([&] { return script_->probes() > probes; }));
    const auto begin = std::chrono::steady_clock::now();
    thread.request_stop();
    thread.join();
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 20s);
    EXPECT_EQ(status().owner, "");
}

TEST_F(running_lane_test, stops_promptly_while_asleep_paused_or_standing_by) {
    const auto stops_within = [&](lane& l, duration limit) {
        std::jthread thread{[&](const std::stop_token& stop) { l.run(stop); }};
        EXPECT_TRUE(eventually([&] { return !database_->open_operations()->lanes().empty(); }));
        const auto begin = std::chrono::steady_clock::now();
        thread.request_stop();
        thread.join();
        return std::chrono::steady_clock::now() - begin < limit;
    };
    lane asleep{slow_ticks(), real_ports()};
    EXPECT_TRUE(stops_within(asleep, 30s));
    script_->set_unreachable(true);
    commit("m-1");
    lane paused{slow_ticks(), real_ports()};
    EXPECT_TRUE(stops_within(paused, 30s));
    auto other = slow_ticks();
    other.owner = "other";
    lane owner{slow_ticks(), real_ports()};
    (void)turn_until_rest(owner);
    lane standing_by{other, real_ports()};
    EXPECT_TRUE(stops_within(standing_by, 30s));
}

TEST_F(running_lane_test, a_hanging_broker_does_not_outlast_the_publish_timeout) {
    auto quick = slow_ticks();
    quick.outbox.publish_timeout_seconds = 0.05;
    script_->hang(true);
    commit("m-1");
    lane l{quick, real_ports()};
    std::jthread thread{[&](const std::stop_token& stop) { l.run(stop); }};
    ASSERT_TRUE(eventually([&] {
        const auto lanes = database_->open_operations()->lanes();
        return !lanes.empty() && lanes[0].state == "paused";
    }));
    script_->hang(false);
    EXPECT_TRUE(eventually([&] { return arrived() == ids{"m-1"}; }));
    EXPECT_EQ(row("m-1").retry_count, 0);
}

}  // namespace
}  // namespace sluice::outbox
