#include "outbox/lane_plan.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <utility>

namespace sluice::outbox {
namespace {

using namespace std::chrono_literals;
using broker::delivered;
using broker::refused;
using broker::unreachable;

constexpr base::moment start{.steady = instant{1'000s}, .wall = date_time::from_micros(1'000'000'000)};

config::outbox_settings small_batches() {
    config::outbox_settings settings;
    settings.messages_per_tick = 3;
    settings.retry.jitter = false;
    return settings;
}

store::due_row row(store::sequence seq, std::string stream) {
    store::due_row result;
    result.seq = seq;
    result.event.message_id = "m-" + std::to_string(seq);
    result.event.stream = std::move(stream);
    result.event.data = "{}";
    return result;
}

/// Plays the shell: `expect` takes the plan's next action, which must be of that kind; renewals and clean-ups that come
/// before it are granted.
class lane_plan_test : public testing::Test {
protected:
    explicit lane_plan_test(bool overlap = false, double rate_limit = 0)
        : plan_{small_batches(), 10s, overlap, random_, rate_limit} {}

    template <class Action>
    Action expect() {
        for (int steps = 0; steps < 10; ++steps) {
            const auto next = plan_.next(now_);
            if (const auto* const found = std::get_if<Action>(&next)) return *found;
            if (!grant_upkeep(next)) throw std::runtime_error{"another action, number " + std::to_string(next.index())};
        }
        throw std::runtime_error{"nothing but upkeep"};
    }
    bool grant_upkeep(const lane_action& next) {
        if (std::holds_alternative<action::purge>(next)) {
            plan_.purged(0, now_);
        } else if (std::holds_alternative<action::renew>(next)) {
            plan_.grant().expires_at = now_.wall + 15s;
            plan_.renewed(true, now_);
        } else if (std::holds_alternative<action::balance>(next)) {
            ++balances_;
            plan_.balanced("");
        } else {
            return false;
        }
        return true;
    }

    void own_the_lease(store::sequence mark = 0) {
        expect<action::acquire>();
        plan_.acquired(
            {.lane = "db:b", .owner = "me", .epoch = 1, .expires_at = now_.wall + 15s, .mark = mark, .rescan = rescan_},
            now_);
    }
    store::due_batch found(std::vector<store::due_row> rows) const {
        store::due_batch result;
        result.rows = std::move(rows);
        result.rescan = rescan_;
        return result;
    }
    action::fetch fetch(std::vector<store::due_row> rows) {
        const auto asked = expect<action::fetch>();
        plan_.fetched(found(std::move(rows)), now_);
        return asked;
    }
    action::catch_up catch_up(std::vector<store::due_row> rows) {
        const auto asked = expect<action::catch_up>();
        plan_.caught_up(asked.stream, found(std::move(rows)), now_);
        return asked;
    }
    /// @returns the numbers of the rows that were sent
    std::vector<store::sequence> publish(const std::vector<broker::verdict>& verdicts) {
        expect<action::publish>();
        std::vector<store::sequence> sent;
        for (const auto& sent_row : plan_.in_flight()) sent.push_back(sent_row.seq);
        plan_.published(verdicts, now_);
        return sent;
    }
    /// @returns the mark and what was settled
    std::pair<store::sequence, std::vector<row_outcome>> settle() {
        const auto asked = expect<action::settle>();
        return {asked.mark, plan_.settled(store::settle_outcome::settled, now_)};
    }
    void renew() {
        expect<action::renew>();
        plan_.grant().expires_at = now_.wall + 15s;
        plan_.renewed(true, now_);
    }
    /// Renews and looks for rows as often as needed until the plan sleeps.
    action::sleep rest() {
        for (int steps = 0; steps < 20; ++steps) {
            const auto next = plan_.next(now_);
            if (const auto* const nap = std::get_if<action::sleep>(&next)) return *nap;
            if (std::holds_alternative<action::fetch>(next)) {
                plan_.fetched(found({}), now_);
            } else if (!grant_upkeep(next)) {
                throw std::runtime_error{"not at rest, but action number " + std::to_string(next.index())};
            }
        }
        throw std::runtime_error{"does not come to rest"};
    }

    using numbers = std::vector<store::sequence>;

    base::seeded_random random_{1};
    base::moment now_ = start;
    std::uint64_t rescan_ = 0;
    int balances_ = 0;
    lane_plan plan_;
};

class limited_plan_test : public lane_plan_test {
protected:
    limited_plan_test() : lane_plan_test{true, 5} {}
};

class overlapping_plan_test : public lane_plan_test {
protected:
    overlapping_plan_test() : lane_plan_test{true} {}
};

// ---- flow -----------------------------------------------------------------------------------------------------------

TEST_F(lane_plan_test, fetches_behind_the_mark_publishes_and_settles) {
    own_the_lease(40);
    const auto asked = fetch({row(41, "a"), row(43, "b")});
    EXPECT_EQ(asked.after, 40);
    EXPECT_EQ(asked.limit, 3U);
    EXPECT_EQ(publish({delivered{"r1"}, delivered{"r2"}}), (numbers{41, 43}));
    const auto [mark, outcomes] = settle();
    EXPECT_EQ(mark, 43);
    ASSERT_EQ(outcomes.size(), 2U);
    EXPECT_EQ(outcomes[0].settlement.receipt, "r1");
    EXPECT_EQ(outcomes[1].event.message_id, "m-43");
    EXPECT_TRUE(outcomes[1].event.data.empty()) << "payloads are not kept";
    rest();
    EXPECT_EQ(plan_.report(now_).published, 2);
}

TEST_F(lane_plan_test, does_not_sleep_while_there_is_a_backlog) {
    own_the_lease();
    for (store::sequence seq = 1; seq < 30; seq += 3) {
        EXPECT_EQ(fetch({row(seq, "a"), row(seq + 1, "b"), row(seq + 2, "c")}).after, seq - 1);
        publish({delivered{}, delivered{}, delivered{}});
        settle();
        EXPECT_EQ(plan_.state(), lane_state::flowing);
    }
}

TEST_F(lane_plan_test, is_not_taken_back_by_a_row_that_was_committed_late) {
    own_the_lease();
    fetch({row(1, "a"), row(3, "b"), row(4, "c")});
    publish({delivered{}, delivered{}, delivered{}});
    settle();
    fetch({row(2, "d")});
    EXPECT_EQ(publish({delivered{}}), (numbers{2}));
    EXPECT_EQ(settle().first, 4);
    plan_.woken();
    EXPECT_EQ(fetch({}).after, 4) << "rows 3 and 4 would travel twice";
}

TEST_F(lane_plan_test, sleeps_for_a_tick_and_is_woken_earlier) {
    own_the_lease();
    fetch({});
    auto nap = expect<action::sleep>();
    EXPECT_TRUE(nap.rows_wake);
    EXPECT_LE(nap.until, now_.steady + 1s);
    plan_.woken();
    expect<action::fetch>();
    plan_.fetched(found({}), now_);
    now_ += 1s;
    expect<action::fetch>();
}

TEST_F(lane_plan_test, is_idle_when_there_is_nothing_to_do) {
    own_the_lease();
    fetch({});
    expect<action::sleep>();
    EXPECT_EQ(plan_.state(), lane_state::idle);
}

// ---- backfills ------------------------------------------------------------------------------------------------------

class lane_plan_with_backfill : public lane_plan_test {
protected:
    void fetch_at(store::backfill_place place, std::vector<store::due_row> rows = {}) {
        expect<action::fetch>();
        auto batch = found(std::move(rows));
        batch.backfill = place;
        plan_.fetched(std::move(batch), now_);
    }
    void give(bool moved) {
        expect<action::backfill>();
        plan_.backfilled({.moved = moved}, now_);
    }
};

TEST_F(lane_plan_with_backfill, moves_on_when_everything_so_far_was_read) {
    own_the_lease(0);
    fetch_at({.position = 0, .upto = 9});
    give(true);
    fetch_at({.position = 4, .upto = 9}, {row(1, "a"), row(2, "b"), row(3, "a")});
    EXPECT_EQ(publish({delivered{}, delivered{}, delivered{}}), (numbers{1, 2, 3}));
    settle();
    fetch_at({.position = 4, .upto = 9}, {row(4, "b")});
    publish({delivered{}});
    settle();
    give(true);
    fetch({row(9, "a")});
    publish({delivered{}});
    EXPECT_EQ(settle().first, 9);
    rest();
    EXPECT_EQ(plan_.state(), lane_state::idle);
}

TEST_F(lane_plan_with_backfill, waits_a_tick_when_it_may_not_move) {
    own_the_lease(0);
    fetch_at({.position = 0, .upto = 9});
    give(false);
    EXPECT_LE(expect<action::sleep>().until, now_.steady + 1s);
    EXPECT_EQ(plan_.state(), lane_state::flowing);
    EXPECT_EQ(plan_.report(now_).detail, "backfill at event 0 of 9");
    now_ += 1s;
    fetch_at({.position = 0, .upto = 9});
    give(true);
}

TEST_F(lane_plan_with_backfill, leaves_one_alone_that_is_paused) {
    own_the_lease(0);
    fetch_at({.position = 3, .upto = 9, .is_paused = true});
    expect<action::sleep>();
    EXPECT_EQ(plan_.state(), lane_state::blocked);
    EXPECT_EQ(plan_.report(now_).detail, "backfill at event 3 of 9 and paused: newer ones wait");
}

TEST_F(lane_plan_with_backfill, does_not_move_it_while_the_broker_is_away) {
    own_the_lease(0);
    fetch_at({.position = 4, .upto = 9}, {row(1, "a")});
    publish({unreachable{"gone"}});
    expect<action::sleep>();
    EXPECT_EQ(plan_.state(), lane_state::paused);
}

TEST_F(lane_plan_with_backfill, moves_it_on_beside_a_stream_on_hold) {
    own_the_lease(0);
    fetch_at({.position = 4, .upto = 9}, {row(1, "a")});
    publish({refused{"no", "", false}});
    settle();
    give(true);
}

TEST_F(lane_plan_with_backfill, is_lost_with_the_lease) {
    own_the_lease(0);
    fetch_at({.position = 0, .upto = 9});
    expect<action::backfill>();
    plan_.backfilled({.owned = false}, now_);
    EXPECT_FALSE(plan_.is_owner());
}

// ---- refusals -------------------------------------------------------------------------------------------------------

TEST_F(lane_plan_test, a_refused_row_holds_back_only_its_own_stream) {
    own_the_lease();
    fetch({row(1, "a"), row(2, "a"), row(3, "b")});
    publish({refused{"no", "", false}, refused{"behind", "", false}, delivered{}});
    const auto [mark, outcomes] = settle();
    EXPECT_EQ(mark, 0) << "row 1 is open";
    ASSERT_EQ(outcomes.size(), 2U) << "row 2 was not sent and costs nothing";
    EXPECT_EQ(outcomes[0].settlement.status, store::row_status::failed);
    EXPECT_EQ(outcomes[0].settlement.next_retry_at, now_.wall + 60s);
    EXPECT_EQ(outcomes[0].error, "no");

    fetch({row(4, "a"), row(5, "b"), row(6, "a")});
    EXPECT_EQ(publish({delivered{}}), (numbers{5}));
    EXPECT_EQ(plan_.state(), lane_state::blocked);
    EXPECT_EQ(settle().first, 0);
    EXPECT_EQ(plan_.report(now_).detail, "1 stream on hold: no");
    EXPECT_EQ(plan_.report(now_).refused, 1);
}

TEST_F(lane_plan_test, a_held_stream_is_caught_up_before_its_newer_rows) {
    own_the_lease();
    fetch({row(1, "a"), row(2, "a"), row(3, "a")});
    publish({refused{"no", "", false}});
    settle();
    fetch({row(4, "b"), row(5, "a")});
    publish({delivered{}});
    settle();
    EXPECT_EQ(rest().rows_wake, true);

    now_ += 60s;
    const auto first = catch_up({row(1, "a"), row(2, "a"), row(3, "a")});
    EXPECT_EQ(first.stream, "a");
    EXPECT_EQ(first.after, 0);
    EXPECT_EQ(first.upto, 5);
    EXPECT_EQ(publish({delivered{}, delivered{}, delivered{}}), (numbers{1, 2, 3}));
    EXPECT_EQ(settle().first, 3) << "row 5 is open";

    fetch({row(6, "a"), row(7, "b")});  // the others have their turn
    EXPECT_EQ(publish({delivered{}}), (numbers{7}));
    settle();
    const auto second = catch_up({row(5, "a"), row(6, "a")});
    EXPECT_EQ(second.after, 3);
    EXPECT_EQ(second.upto, 7);
    EXPECT_EQ(publish({delivered{}, delivered{}}), (numbers{5, 6}));
    EXPECT_EQ(settle().first, 7);

    plan_.woken();
    fetch({row(8, "a")});
    EXPECT_EQ(publish({delivered{}}), (numbers{8})) << "the stream is free";
}

TEST_F(lane_plan_test, the_mark_moves_on_when_a_stream_is_free) {
    own_the_lease();
    fetch({row(1, "a"), row(2, "b")});
    publish({refused{"no", "", false}, delivered{}});
    EXPECT_EQ(settle().first, 0);
    rest();
    now_ += 60s;
    (void)catch_up({row(1, "a")});
    publish({delivered{}});
    EXPECT_EQ(settle().first, 2);
    EXPECT_EQ(plan_.report(now_).detail, "");
}

TEST_F(lane_plan_test, an_abandoned_row_lets_its_stream_go_on_at_once) {
    own_the_lease();
    fetch({row(1, "a"), row(2, "a"), row(3, "b")});
    publish({refused{"never", "", true}, unreachable{}, delivered{}});
    EXPECT_EQ(plan_.state(), lane_state::flowing);
    const auto [mark, outcomes] = settle();
    EXPECT_EQ(mark, 1);
    EXPECT_EQ(outcomes.at(0).settlement.status, store::row_status::abandoned);
    const auto asked = catch_up({row(2, "a")});
    EXPECT_EQ(asked.after, 1);
    EXPECT_EQ(publish({delivered{}}), (numbers{2}));
}

TEST_F(lane_plan_test, a_stream_with_nothing_behind_its_abandoned_row_is_free) {
    own_the_lease();
    fetch({row(1, "a")});
    publish({refused{"never", "", true}});
    EXPECT_EQ(settle().first, 1);
    rest();
    EXPECT_EQ(plan_.state(), lane_state::idle);
}

TEST_F(lane_plan_test, a_row_before_one_that_waits_is_sent_after_an_outage_too) {
    own_the_lease();
    auto failed = row(2, "a");
    failed.status = store::row_status::failed;
    failed.retry_count = 1;
    failed.next_retry_at = now_.wall + 30s;
    fetch({row(1, "a"), failed});
    EXPECT_EQ(publish({unreachable{"gone"}}), (numbers{1}));
    renew();
    now_ += 1s;
    expect<action::probe>();
    plan_.probed("", now_);
    EXPECT_EQ(fetch({row(1, "a"), failed}).after, 0);
    EXPECT_EQ(publish({delivered{}}), (numbers{1})) << "the other one has to wait";
    EXPECT_EQ(settle().first, 1);
}

TEST_F(lane_plan_test, a_new_owner_keeps_the_holds_of_the_one_before) {
    own_the_lease();
    auto failed = row(1, "a");
    failed.status = store::row_status::failed;
    failed.retry_count = 1;
    failed.next_retry_at = now_.wall + 30s;
    fetch({failed, row(2, "a"), row(3, "b")});
    EXPECT_EQ(publish({delivered{}}), (numbers{3}));
    EXPECT_EQ(settle().first, 0);
    rest();
    EXPECT_EQ(plan_.state(), lane_state::blocked);
    now_ += 30s;
    failed.next_retry_at = now_.wall;
    (void)catch_up({failed, row(2, "a")});
    EXPECT_EQ(publish({delivered{}, delivered{}}), (numbers{1, 2}));
}

TEST_F(lane_plan_test, a_new_owner_waits_for_a_closed_stream_as_long_as_the_one_before) {
    own_the_lease();
    auto closed = row(1, "a");
    closed.status = store::row_status::failed;
    closed.next_retry_at = now_.wall + 30min;
    closed.last_error = R"({"class":"stream_closed","closed_since":"1970-01-01T00:00:00+00:00"})";
    fetch({closed});
    rest();
    now_ += 29min;
    rest();
    now_ += 1min;
    (void)catch_up({closed});
    EXPECT_EQ(publish({delivered{}}), (numbers{1}));
}

TEST_F(lane_plan_test, many_streams_that_are_due_share_a_batch) {
    own_the_lease();
    fetch({row(1, "a"), row(2, "b"), row(3, "c")});
    publish({refused{"x", "", false}, refused{"x", "", false}, refused{"x", "", false}});
    settle();
    rest();
    now_ += 60s;
    EXPECT_EQ(catch_up({row(1, "a")}).limit, 3U);
    EXPECT_EQ(catch_up({row(2, "b")}).limit, 2U);
    EXPECT_EQ(catch_up({row(3, "c")}).limit, 1U);
    EXPECT_EQ(publish({delivered{}, delivered{}, delivered{}}), (numbers{1, 2, 3}));
}

TEST_F(lane_plan_test, catching_up_a_long_stream_takes_several_batches) {
    own_the_lease();
    fetch({row(1, "a"), row(2, "a"), row(3, "a")});
    publish({refused{"no", "", false}});
    settle();
    fetch({row(4, "a"), row(5, "a")});
    rest();
    now_ += 60s;
    (void)catch_up({row(1, "a"), row(2, "a"), row(3, "a")});
    publish({delivered{}, delivered{}, delivered{}});
    EXPECT_EQ(settle().first, 3);
    fetch({});
    EXPECT_EQ(catch_up({row(4, "a"), row(5, "a")}).after, 3);
    publish({delivered{}, delivered{}});
    EXPECT_EQ(settle().first, 5);
}

TEST_F(lane_plan_test, looks_no_further_while_too_many_streams_are_held) {
    own_the_lease();
    auto settings = small_batches();
    settings.messages_per_tick = lane_plan::max_holds;
    lane_plan plan{settings, 10s, false, random_};
    (void)plan.next(now_);
    plan.acquired({.lane = "db:b", .owner = "me", .epoch = 1, .expires_at = now_.wall + 15s}, now_);
    (void)plan.next(now_);
    std::vector<store::due_row> rows;
    std::vector<broker::verdict> verdicts;
    for (std::size_t i = 0; i < lane_plan::max_holds; ++i) {
        rows.push_back(row(static_cast<store::sequence>(i + 1), "s" + std::to_string(i)));
        verdicts.emplace_back(refused{"no", "", false});
    }
    plan.fetched({std::move(rows)}, now_);
    (void)plan.next(now_);
    plan.published(verdicts, now_);
    (void)plan.next(now_);
    (void)plan.settled(store::settle_outcome::settled, now_);
    const auto next = plan.next(now_);
    const auto* const nap = std::get_if<action::sleep>(&next);
    ASSERT_NE(nap, nullptr) << "action number " << next.index();
    EXPECT_FALSE(nap->rows_wake);
}

TEST_F(lane_plan_test, counts_the_rows_that_come_after_it_has_gone_past_their_number) {
    own_the_lease();
    fetch({row(2, "a"), row(5, "b")});
    publish({delivered{}, delivered{}});
    settle();
    EXPECT_EQ(plan_.report(now_).overtaken, 0);
    now_ += 1s;
    fetch({row(1, "c"), row(4, "d"), row(6, "e")});
    EXPECT_EQ(plan_.report(now_).overtaken, 2);
    publish({unreachable{"gone"}});
    renew();
    now_ += 1s;
    expect<action::probe>();
    plan_.probed("", now_);
    renew();
    fetch({row(1, "c"), row(4, "d"), row(6, "e")});
    EXPECT_EQ(plan_.farewell(now_).overtaken, 2) << "what is read again came late once";
}

TEST_F(lane_plan_test, says_that_it_looks_no_further_because_of_transactions_that_do_not_end) {
    own_the_lease();
    auto none = found({});
    none.crowded = true;
    expect<action::fetch>();
    plan_.fetched(none, now_);
    (void)plan_.next(now_);
    EXPECT_EQ(plan_.state(), lane_state::blocked);
    EXPECT_EQ(plan_.report(now_).detail,
              "looks no further: too many numbers of the log wait for transactions that do not end");
    now_ += 1s;
    fetch({});
    (void)plan_.next(now_);
    EXPECT_EQ(plan_.state(), lane_state::idle);
}

// ---- a calendar that is set -----------------------------------------------------------------------------------------

TEST_F(lane_plan_test, a_calendar_set_back_prolongs_no_pause_and_no_tick) {
    own_the_lease();
    fetch({row(1, "a")});
    publish({unreachable{"gone"}});
    renew();
    now_.wall += -24h;
    now_ += 1s;
    expect<action::probe>();
    plan_.probed("", now_);
    renew();
    fetch({row(1, "a")});
    publish({delivered{}});
    settle();
    EXPECT_EQ(plan_.report(now_).published, 1);
    rest();
    now_.wall += -24h;
    now_ += 1s;
    fetch({});
}

TEST_F(lane_plan_test, a_retry_comes_after_its_delay_whatever_the_calendar_says_by_then) {
    own_the_lease();
    fetch({row(1, "a")});
    publish({refused{"busy", "", false}});
    auto failed = row(1, "a");
    failed.retry_count = 1;
    failed.next_retry_at = settle().second.at(0).settlement.next_retry_at;
    rest();
    now_.wall += -24h;
    now_ += 59s;
    rest();
    now_ += 1s;
    catch_up({failed});
    EXPECT_EQ(publish({unreachable{"gone"}}), (numbers{1}));
    renew();
    now_ += 1s;
    expect<action::probe>();
    plan_.probed("", now_);
    renew();
    fetch({});
    catch_up({failed});
    EXPECT_EQ(publish({delivered{}}), (numbers{1})) << "an outage does not begin the wait anew";
}

TEST_F(lane_plan_test, a_stored_time_is_believed_only_as_far_as_the_schedule_could_have_meant_it) {
    own_the_lease();
    auto failed = row(1, "a");
    failed.retry_count = 1;
    failed.next_retry_at = now_.wall + 24h;
    fetch({failed, row(2, "b")});
    EXPECT_EQ(publish({delivered{}}), (numbers{2}));
    settle();
    rest();
    now_ += 60s;
    catch_up({failed});
    EXPECT_EQ(publish({delivered{}}), (numbers{1}));
}

TEST_F(lane_plan_test, deletes_nothing_for_an_hour_after_the_calendar_jumped_forward) {
    own_the_lease();
    fetch({});
    now_ += 30s;
    rest();
    now_.wall += 8 * 24h;
    const auto upkeep = [&] {
        for (int steps = 0; steps < 20; ++steps) {
            const auto next = plan_.next(now_);
            if (std::holds_alternative<action::purge>(next)) return true;
            if (std::holds_alternative<action::sleep>(next)) return false;
            if (std::holds_alternative<action::fetch>(next)) {
                plan_.fetched(found({}), now_);
            } else {
                grant_upkeep(next);
            }
        }
        return false;
    };
    EXPECT_FALSE(upkeep());
    now_ += 59min;
    EXPECT_FALSE(upkeep());
    now_ += 1min;
    EXPECT_TRUE(upkeep());
}

TEST_F(lane_plan_test, deletes_nothing_for_an_hour_when_the_owner_before_lived_at_another_time) {
    expect<action::acquire>();
    store::lease_grant grant{.lane = "db:b", .owner = "me", .epoch = 2, .expires_at = now_.wall + 15s};
    grant.expired_before = now_.wall - 8 * 24h;
    plan_.acquired(grant, now_);
    fetch({});
    now_ += 59min;
    EXPECT_FALSE(std::holds_alternative<action::purge>(plan_.next(now_)));
    rest();
    now_ += 1min;
    expect<action::renew>();
    plan_.renewed(true, now_);
    expect<action::purge>();
}

// ---- outages --------------------------------------------------------------------------------------------------------

TEST_F(lane_plan_test, an_outage_pauses_the_lane_and_costs_no_attempt) {
    own_the_lease();
    fetch({row(1, "a"), row(2, "b"), row(3, "a")});
    publish({delivered{}, unreachable{"connection refused"}, unreachable{"later"}});
    const auto [mark, outcomes] = settle();
    EXPECT_EQ(mark, 1);
    EXPECT_EQ(outcomes.size(), 1U);
    renew();  // tells of the pause at once
    EXPECT_EQ(plan_.state(), lane_state::paused);
    EXPECT_EQ(plan_.report(now_).detail, "connection refused");
    EXPECT_FALSE(expect<action::sleep>().rows_wake);

    now_ += 1s;
    expect<action::probe>();
    plan_.probed("", now_);
    renew();
    EXPECT_EQ(fetch({row(2, "b"), row(3, "a")}).after, 1) << "what was not confirmed is read again";
    EXPECT_EQ(publish({delivered{}, delivered{}}), (numbers{2, 3}));
}

TEST_F(lane_plan_test, probes_with_growing_pauses_up_to_the_cap) {
    own_the_lease();
    fetch({row(1, "a")});
    publish({unreachable{"gone"}});
    duration longest{};
    for (int probes = 0; probes < 30; ++probes) {
        auto next = plan_.next(now_);
        const auto began = now_.steady;
        while (!std::holds_alternative<action::probe>(next)) {
            if (const auto* const nap = std::get_if<action::sleep>(&next)) {
                now_ += nap->until - now_.steady;
            } else {
                ASSERT_TRUE(grant_upkeep(next));
            }
            next = plan_.next(now_);
        }
        longest = std::max(longest, now_.steady - began);
        plan_.probed("still gone", now_);
    }
    EXPECT_LE(longest, 30s);
    EXPECT_GE(longest, 24s);
    EXPECT_EQ(plan_.report(now_).detail, "still gone");
}

TEST_F(lane_plan_test, a_broker_that_answers_probes_only_is_not_hammered) {
    own_the_lease();
    auto last = duration{};
    for (int rounds = 0; rounds < 6; ++rounds) {
        now_ += 1min;
        if (rounds > 0) {
            expect<action::probe>();
            plan_.probed("", now_);
            const auto next = plan_.next(now_);
            if (std::holds_alternative<action::renew>(next)) plan_.renewed(true, now_);
        }
        fetch({row(1, "a")});
        publish({unreachable{"disk full"}});
        const auto pause = std::min(expect<action::sleep>().until - now_.steady, duration{5s});
        EXPECT_GT(pause, last);
        last = pause;
    }
}

TEST_F(lane_plan_test, missing_verdicts_count_as_an_outage) {
    own_the_lease();
    fetch({row(1, "a"), row(2, "b")});
    publish({delivered{}});
    EXPECT_EQ(settle().first, 1);
    EXPECT_EQ(plan_.state(), lane_state::paused);
}

TEST_F(lane_plan_test, a_broker_that_had_no_time_for_the_rest_of_a_batch_is_no_outage) {
    own_the_lease();
    fetch({row(1, "a"), row(2, "b")});
    publish({delivered{}, unreachable{"too slow for the whole batch", true}});
    EXPECT_EQ(settle().first, 1);
    EXPECT_NE(plan_.state(), lane_state::paused);
    fetch({row(2, "b")});
    publish({delivered{}});
    EXPECT_EQ(settle().first, 2);
}

TEST_F(lane_plan_test, a_stream_being_caught_up_survives_an_outage) {
    own_the_lease();
    fetch({row(1, "a"), row(2, "a")});
    publish({refused{"no", "", false}});
    settle();
    rest();
    now_ += 60s;
    (void)catch_up({row(1, "a"), row(2, "a")});
    publish({delivered{}, unreachable{"gone"}});
    EXPECT_EQ(settle().first, 1);
    now_ += 1s;
    expect<action::probe>();
    plan_.probed("", now_);
    fetch({});
    EXPECT_EQ(catch_up({row(2, "a")}).after, 1);
    EXPECT_EQ(publish({delivered{}}), (numbers{2}));
}

// ---- shards ---------------------------------------------------------------------------------------------------------

TEST_F(lane_plan_test, goes_on_behind_the_rows_of_other_shards) {
    own_the_lease(40);
    const auto pass = [&](store::sequence upto, bool more) {
        const auto asked = expect<action::fetch>();
        auto batch = found({});
        batch.upto = upto;
        batch.more = more;
        plan_.fetched(std::move(batch), now_);
        return asked.after;
    };
    EXPECT_EQ(pass(500, true), 40);
    EXPECT_EQ(pass(700, false), 500) << "at once";
    rest();

    now_ += 5s;
    renew();
    EXPECT_EQ(settle().first, 700) << "a successor need not pass them again";
    rest();
    now_ += 5s;
    renew();
    EXPECT_EQ(fetch({}).after, 700);
    rest();
}

TEST_F(lane_plan_test, stores_its_mark_when_it_leaves) {
    own_the_lease(40);
    expect<action::fetch>();
    auto batch = found({});
    batch.upto = 99;
    plan_.fetched(std::move(batch), now_);
    plan_.stop_requested(now_);
    EXPECT_EQ(settle().first, 99);
    expect<action::release>();
}

// ---- lease ----------------------------------------------------------------------------------------------------------

TEST_F(lane_plan_test, stands_by_until_the_lease_is_free) {
    expect<action::acquire>();
    plan_.not_acquired("default:partner belongs to you", now_);
    const auto nap = expect<action::sleep>();
    EXPECT_TRUE(nap.rows_wake) << "a released lease wakes as well";
    EXPECT_LE(nap.until, now_.steady + 1s);
    EXPECT_EQ(plan_.state(), lane_state::lost);
    plan_.woken();
    own_the_lease();
}

// ---- shares ---------------------------------------------------------------------------------------------------------

TEST_F(lane_plan_test, says_that_it_stands_by_when_it_has_done_so_for_a_third_of_a_lease) {
    expect<action::acquire>();
    plan_.not_acquired("default:partner belongs to you", now_);
    for (int seconds = 0; seconds < 5; ++seconds) {
        expect<action::sleep>();
        now_ += 1s;
        expect<action::acquire>();
        plan_.not_acquired("default:partner belongs to you", now_);
    }
    for (int times = 0; times < 2; ++times) {
        expect<action::stand_by>();
        plan_.stands_by(now_);
        expect<action::sleep>();
        now_ += 5s;
        expect<action::acquire>();
        plan_.not_acquired("default:partner belongs to you", now_);
    }
    plan_.stop_requested(now_);
    expect<action::withdraw>();
    plan_.withdrawn();
    expect<action::stop>();
}

TEST_F(lane_plan_test, takes_nothing_back_that_it_has_not_said) {
    expect<action::acquire>();
    plan_.not_acquired("default:partner belongs to you", now_);
    plan_.stop_requested(now_);
    expect<action::stop>();
}

TEST_F(lane_plan_test, stops_without_a_word_when_the_database_is_away) {
    expect<action::acquire>();
    plan_.not_acquired("default:partner belongs to you", now_);
    plan_.stands_by(now_);
    plan_.stop_requested(now_);
    expect<action::withdraw>();
    plan_.store_failed(now_);
    expect<action::stop>();
}

TEST_F(lane_plan_test, asks_every_third_of_a_lease_who_is_to_have_the_lane_and_goes_on) {
    own_the_lease();
    rest();
    now_ += 200ms;
    rest();
    EXPECT_EQ(balances_, 0) << "a report is no reason to ask";
    now_ += 5s;
    for (int times = 1; times <= 3; ++times) {
        rest();
        EXPECT_EQ(balances_, times);
        now_ += 5s;
    }
    plan_.woken();
    fetch({row(1, "a")});
    EXPECT_EQ(publish({delivered{}}), numbers{1});
}

TEST_F(lane_plan_test, asks_no_more_often_for_reports_in_between) {
    own_the_lease();
    rest();
    for (int seconds = 0; seconds < 20; ++seconds) {
        now_ += 1s;
        plan_.renewed(true, now_);
        rest();
    }
    EXPECT_EQ(balances_, 4);
}

TEST_F(lane_plan_test, asks_with_each_renewal_although_answers_take_their_time) {
    own_the_lease();
    rest();
    now_ += 5s;
    for (int times = 1; times <= 3; ++times) {
        plan_.renewed(true, now_);
        now_ += 20ms;
        rest();
        EXPECT_EQ(balances_, times);
        now_ += 4'980ms;
    }
}

TEST_F(lane_plan_test, does_its_work_although_the_question_fails) {
    own_the_lease();
    rest();
    now_ += 5s;
    for (store::sequence seq = 1; seq <= 3; ++seq) {
        renew();
        ASSERT_TRUE(std::holds_alternative<action::balance>(plan_.next(now_)));
        plan_.store_failed(now_);
        now_ += 4s;  // longer than the pause after a failure
        plan_.woken();
        fetch({row(seq, "a")});
        EXPECT_EQ(publish({delivered{}}), numbers{seq});
        settle();
        now_ += 1s;
    }
    EXPECT_EQ(balances_, 0);
}

TEST_F(overlapping_plan_test, hands_over_when_the_batch_in_hand_is_settled) {
    own_the_lease();
    fetch({row(1, "a"), row(2, "b"), row(3, "a")});
    expect<action::publish>();
    now_ += 5s;
    renew();
    expect<action::balance>();
    plan_.balanced("you");
    expect<action::collect>();
    EXPECT_EQ(plan_.state(), lane_state::draining);
    EXPECT_EQ(plan_.report(now_).detail, "to be handed over to you");
    plan_.published(std::vector<broker::verdict>{delivered{}, delivered{}, delivered{}}, now_);
    EXPECT_EQ(settle().first, 3);
    expect<action::release>();
    EXPECT_EQ(plan_.farewell(now_).detail, "handed over to you");
    plan_.released(now_);
    EXPECT_TRUE(plan_.has_handed_over());

    expect<action::acquire>();
    EXPECT_EQ(plan_.state(), lane_state::lost);
    EXPECT_EQ(plan_.report(now_).detail, "handed over to you");
    plan_.not_acquired("db:b belongs to you", now_);
    plan_.woken();
    own_the_lease(3);
    EXPECT_FALSE(plan_.has_handed_over());
    fetch({row(4, "a")});
    EXPECT_EQ(publish({delivered{}}), numbers{4});
}

TEST_F(overlapping_plan_test, leaves_to_its_heir_what_it_has_only_read) {
    own_the_lease();
    fetch({row(1, "a"), row(2, "b"), row(3, "a")});
    expect<action::publish>();
    fetch({row(4, "a"), row(5, "b"), row(6, "c")});
    plan_.balanced("you");
    expect<action::collect>();
    plan_.published(std::vector<broker::verdict>{delivered{}, delivered{}, delivered{}}, now_);
    EXPECT_EQ(settle().first, 3) << "the heir begins behind what was sent";
    expect<action::release>();
}

TEST_F(lane_plan_test, hands_over_also_while_the_broker_is_away_or_an_operator_has_paused_it) {
    own_the_lease();
    fetch({row(1, "a")});
    publish({unreachable{"gone"}});
    EXPECT_TRUE(plan_.is_paused());
    plan_.balanced("you");
    expect<action::release>();
    plan_.released(now_);

    own_the_lease();
    plan_.set_operator_pause("paused by an operator", now_);
    plan_.balanced("you");
    expect<action::release>();
}

TEST_F(lane_plan_test, stops_as_usual_when_told_so_while_it_hands_over) {
    own_the_lease();
    fetch({row(1, "a")});
    expect<action::publish>();
    plan_.balanced("you");
    plan_.stop_requested(now_);
    plan_.published(std::vector<broker::verdict>{delivered{}}, now_);
    settle();
    expect<action::release>();
    plan_.released(now_);
    expect<action::stop>();
}

TEST_F(lane_plan_test, forgets_its_heir_with_the_lease) {
    own_the_lease();
    rest();
    plan_.balanced("you");
    now_ += 5s;
    plan_.renewed(false, now_);
    own_the_lease();
    EXPECT_FALSE(plan_.has_handed_over());
    fetch({row(1, "a")});
    EXPECT_EQ(publish({delivered{}}), numbers{1}) << "it works as any owner";
}

// ---- renewal --------------------------------------------------------------------------------------------------------

TEST_F(lane_plan_test, renews_every_third_of_the_leases_life) {
    own_the_lease();
    rest();
    now_ += 4999ms;
    (void)rest();
    now_ += 5001ms;
    renew();
}

TEST_F(lane_plan_test, publishes_nothing_that_the_lease_might_not_outlast) {
    own_the_lease();
    fetch({row(1, "a")});
    now_ += 4500ms;  // 10.5 s left, and a publish may take 10 s
    renew();
    publish({delivered{}});
}

TEST_F(lane_plan_test, a_lease_that_ran_out_is_renewed_before_anything_else) {
    own_the_lease();
    fetch({row(1, "a")});
    now_ += 20s;
    expect<action::renew>();
    EXPECT_EQ(plan_.state(), lane_state::lost);
    plan_.renewed(false, now_);
    expect<action::acquire>();
    EXPECT_TRUE(plan_.in_flight().empty());
}

TEST_F(lane_plan_test, forgets_everything_with_the_lease) {
    own_the_lease();
    fetch({row(1, "a"), row(2, "b")});
    publish({refused{"no", "", false}, delivered{}});
    expect<action::settle>();
    EXPECT_TRUE(plan_.settled(store::settle_outcome::fenced, now_).empty());
    own_the_lease(0);
    EXPECT_EQ(fetch({row(1, "a")}).after, 0);
    EXPECT_EQ(publish({delivered{}}), (numbers{1})) << "no hold is left";
    EXPECT_EQ(plan_.report(now_).refused, 0);
}

TEST_F(lane_plan_test, tells_why_nobody_has_the_lease_that_is_gone) {
    own_the_lease();
    plan_.explain_loss("not lost at all");
    fetch({row(1, "a")});
    publish({delivered{}});
    expect<action::settle>();
    EXPECT_TRUE(plan_.settled(store::settle_outcome::fenced, now_).empty());
    plan_.explain_loss("the database has another history: timeline was 1 and is 2");
    expect<action::acquire>();
    EXPECT_EQ(plan_.report(now_).detail, "the database has another history: timeline was 1 and is 2");
}

TEST_F(lane_plan_test, notices_at_a_fetch_that_the_lease_is_gone) {
    own_the_lease();
    expect<action::fetch>();
    store::due_batch gone;
    gone.owned = false;
    plan_.fetched(gone, now_);
    expect<action::acquire>();
}

// ---- operators ------------------------------------------------------------------------------------------------------

TEST_F(lane_plan_test, begins_again_at_the_mark_when_rows_were_reopened) {
    own_the_lease(10);
    fetch({row(11, "a"), row(12, "b")});
    publish({refused{"no", "", false}, delivered{}});
    settle();
    rest();
    ++rescan_;
    plan_.woken();
    expect<action::fetch>();
    auto reopened = found({});
    reopened.mark = 4;
    plan_.fetched(reopened, now_);
    EXPECT_EQ(plan_.grant().rescan, rescan_);
    EXPECT_EQ(fetch({row(5, "c"), row(11, "a")}).after, 4);
    EXPECT_EQ(publish({delivered{}, delivered{}}), (numbers{5, 11})) << "the hold is forgotten";
}

TEST_F(overlapping_plan_test, settles_what_is_under_way_before_it_looks_again) {
    own_the_lease();
    fetch({row(1, "a"), row(2, "b"), row(3, "c")});
    EXPECT_TRUE(expect<action::publish>().overlap);
    ++rescan_;
    expect<action::fetch>();
    plan_.fetched(found({row(4, "d")}), now_);
    expect<action::collect>();
    EXPECT_EQ(plan_.grant().rescan, 0U) << "the settlement must not raise the mark over reopened rows";
    plan_.published(std::vector<broker::verdict>(3, delivered{}), now_);
    settle();
    expect<action::fetch>();
    plan_.fetched(found({}), now_);
    EXPECT_EQ(plan_.grant().rescan, 1U);
    EXPECT_EQ(expect<action::fetch>().after, 0);
}

// ---- overlap --------------------------------------------------------------------------------------------------------

TEST_F(overlapping_plan_test, fetches_and_settles_while_a_batch_is_in_flight) {
    own_the_lease();
    fetch({row(1, "a"), row(2, "b"), row(3, "c")});
    EXPECT_TRUE(expect<action::publish>().overlap);
    fetch({row(4, "a"), row(5, "b"), row(6, "c")});
    expect<action::collect>();
    plan_.published(std::vector<broker::verdict>(3, delivered{}), now_);
    EXPECT_TRUE(expect<action::publish>().overlap) << "the next batch starts first";
    EXPECT_EQ(settle().first, 3) << "rows 4 to 6 are open";
    fetch({});
    expect<action::collect>();
    plan_.published(std::vector<broker::verdict>(3, delivered{}), now_);
    EXPECT_EQ(settle().first, 6);
}

TEST_F(overlapping_plan_test, a_lone_batch_needs_no_helper) {
    own_the_lease();
    fetch({row(1, "a")});
    EXPECT_FALSE(expect<action::publish>().overlap);
}

TEST_F(overlapping_plan_test, a_batch_read_ahead_respects_the_verdicts_before_it) {
    own_the_lease();
    fetch({row(1, "a"), row(2, "b"), row(3, "c")});
    expect<action::publish>();
    fetch({row(4, "a"), row(5, "b")});
    expect<action::collect>();
    plan_.published(std::vector<broker::verdict>{refused{"no", "", false}, delivered{}, delivered{}}, now_);
    EXPECT_EQ(publish({delivered{}}), (numbers{5}));
}

TEST_F(overlapping_plan_test, a_batch_read_ahead_waits_for_what_the_broker_had_no_time_for) {
    own_the_lease();
    fetch({row(1, "a"), row(2, "b"), row(3, "c")});
    expect<action::publish>();
    fetch({row(4, "b"), row(5, "a")});
    expect<action::collect>();
    const broker::verdict no_time = unreachable{"too slow for the whole batch", true};
    plan_.published(std::vector<broker::verdict>{delivered{}, no_time, no_time}, now_);
    EXPECT_EQ(settle().first, 1);
    EXPECT_EQ(fetch({row(2, "b"), row(3, "c"), row(4, "b")}).after, 1);
    EXPECT_EQ(publish({delivered{}, delivered{}, delivered{}}), (numbers{2, 3, 4}));
}

TEST_F(overlapping_plan_test, catches_no_stream_up_while_an_earlier_row_of_it_is_in_flight) {
    own_the_lease();
    auto failed = row(2, "a");
    failed.status = store::row_status::failed;
    failed.retry_count = 1;
    failed.next_retry_at = now_.wall + 1s;
    fetch({row(1, "a"), failed, row(3, "b")});
    expect<action::publish>();
    ASSERT_EQ(plan_.in_flight().size(), 2U);
    now_ += 2s;  // the wait of the second row ends before the first one has its verdict
    fetch({});
    expect<action::collect>();
    plan_.published(std::vector<broker::verdict>{broker::refused{"no", "NO"}, delivered{}}, now_);
    settle();

    now_ += 60s;
    renew();
    const auto asked = catch_up({row(1, "a"), failed});
    EXPECT_EQ(asked.after, 0);
    EXPECT_EQ(publish({delivered{}, delivered{}}), (numbers{1, 2}));
}

TEST_F(overlapping_plan_test, a_row_that_waits_behind_a_delivered_one_is_sent_when_it_is_due) {
    own_the_lease();
    auto failed = row(2, "a");
    failed.status = store::row_status::failed;
    failed.retry_count = 1;
    failed.next_retry_at = now_.wall + 1s;
    fetch({row(1, "a"), failed});
    EXPECT_EQ(publish({delivered{}}), (numbers{1}));
    settle();
    rest();
    now_ += 2s;
    catch_up({failed});
    EXPECT_EQ(publish({delivered{}}), (numbers{2}));
    EXPECT_EQ(settle().first, 2);
}

TEST_F(overlapping_plan_test, a_batch_read_ahead_is_put_back_in_an_outage) {
    own_the_lease();
    fetch({row(1, "a"), row(2, "b"), row(3, "c")});
    expect<action::publish>();
    fetch({row(4, "a")});
    expect<action::collect>();
    plan_.published(std::vector<broker::verdict>{delivered{}, delivered{}, unreachable{"gone"}}, now_);
    EXPECT_EQ(settle().first, 2);
    now_ += 1s;
    expect<action::probe>();
    plan_.probed("", now_);
    EXPECT_EQ(expect<action::fetch>().after, 2);
}

TEST_F(overlapping_plan_test, verdicts_that_come_after_the_lease_are_worthless) {
    own_the_lease();
    fetch({row(1, "a"), row(2, "b"), row(3, "c")});
    expect<action::publish>();
    now_ += 20s;
    expect<action::renew>();
    plan_.renewed(false, now_);
    expect<action::collect>();
    plan_.published(std::vector<broker::verdict>(3, delivered{}), now_);
    own_the_lease();
    EXPECT_EQ(expect<action::fetch>().after, 0);
}

// ---- trouble with the database --------------------------------------------------------------------------------------

TEST_F(lane_plan_test, tries_the_database_again_with_growing_pauses_and_loses_nothing) {
    own_the_lease();
    fetch({row(1, "a")});
    publish({delivered{}});
    auto last = duration{};
    for (int times = 0; times < 4; ++times) {
        expect<action::settle>();
        plan_.store_failed(now_);
        const auto until = expect<action::sleep>().until;
        EXPECT_GT(until - now_.steady, last);
        EXPECT_LE(until - now_.steady, 5s);
        last = until - now_.steady;
        now_ += until - now_.steady;
    }
    EXPECT_EQ(settle().second.size(), 1U);
}

TEST_F(lane_plan_test, starts_no_batch_while_it_cannot_settle) {
    own_the_lease();
    fetch({row(1, "a"), row(2, "b"), row(3, "c")});
    publish({delivered{}, delivered{}, delivered{}});
    expect<action::settle>();
    plan_.store_failed(now_);
    expect<action::sleep>();
    now_ += 200ms;
    expect<action::settle>();
}

// ---- the end --------------------------------------------------------------------------------------------------------

TEST_F(overlapping_plan_test, finishes_the_batch_in_flight_before_it_leaves) {
    own_the_lease();
    fetch({row(1, "a"), row(2, "b"), row(3, "c")});
    expect<action::publish>();
    fetch({row(4, "a")});
    plan_.stop_requested(now_);
    renew();  // tells that it drains
    EXPECT_EQ(plan_.state(), lane_state::draining);
    expect<action::collect>();
    plan_.published(std::vector<broker::verdict>(3, delivered{}), now_);
    EXPECT_EQ(settle().first, 3) << "row 4 was never sent";
    expect<action::release>();
    EXPECT_EQ(plan_.farewell(now_).detail, "released");
    plan_.released(now_);
    expect<action::stop>();
}

TEST_F(lane_plan_test, leaves_at_once_when_idle_paused_or_standing_by) {
    plan_.stop_requested(now_);
    expect<action::stop>();
}

TEST_F(lane_plan_test, leaves_from_a_pause_without_another_probe) {
    own_the_lease();
    fetch({row(1, "a")});
    publish({unreachable{"gone"}});
    plan_.stop_requested(now_);
    now_ += 5s;
    expect<action::release>();
}

TEST_F(lane_plan_test, leaves_without_release_when_the_database_stays_away) {
    own_the_lease();
    fetch({});
    plan_.stop_requested(now_);
    for (int tries = 0; tries < 100; ++tries) {
        const auto next = plan_.next(now_);
        if (std::holds_alternative<action::stop>(next)) {
            EXPECT_EQ(now_.steady - start.steady, 10s);
            return;
        }
        if (const auto* const nap = std::get_if<action::sleep>(&next)) {
            now_ += nap->until - now_.steady;
        } else {
            plan_.store_failed(now_);
        }
    }
    FAIL() << "did not leave";
}

// ---- clean-up -------------------------------------------------------------------------------------------------------

TEST_F(lane_plan_test, cleans_up_in_batches_between_turns) {
    own_the_lease();
    rest();
    now_ += 60s;
    const auto asked = expect<action::purge>();
    EXPECT_EQ(asked.published_before, now_.wall - 168h);
    EXPECT_EQ(asked.abandoned_before, now_.wall - 720h);
    EXPECT_EQ(asked.limit, 5000U);
    plan_.purged(5000, now_);
    rest();
    now_ += 50ms;
    expect<action::purge>();
    plan_.purged(17, now_);
    rest();
    now_ += 59min;
    (void)rest();
    now_ += 1min;
    expect<action::purge>();
}

TEST_F(lane_plan_test, cleans_up_one_batch_only_while_there_is_a_backlog) {
    own_the_lease();
    now_ += 60s;
    expect<action::purge>();
    plan_.purged(0, now_);
    fetch({row(1, "a"), row(2, "a"), row(3, "a")});
    publish({delivered{}, delivered{}, delivered{}});
    settle();
    now_ += 1h;
    expect<action::purge>();
    plan_.purged(5000, now_);
    expect<action::fetch>();
    now_ += 1s;
    plan_.fetched(found({row(4, "a"), row(5, "a"), row(6, "a")}), now_);
    expect<action::publish>();
}

TEST_F(lane_plan_test, reads_between_two_clean_ups_however_long_one_takes) {
    own_the_lease();
    for (int round = 0; round < 3; ++round) {
        now_ += 2h;
        expect<action::purge>();
        now_ += 2h;
        plan_.purged(5000, now_);
        now_ += 2h;
        auto next = plan_.next(now_);
        for (; !std::holds_alternative<action::fetch>(next); next = plan_.next(now_)) {
            ASSERT_FALSE(std::holds_alternative<action::purge>(next)) << "before it has looked for rows";
            ASSERT_TRUE(grant_upkeep(next));
        }
        fetch({row(round + 1, "a")});
        publish({delivered{}});
        settle();
    }
}

TEST_F(lane_plan_test, cleans_up_again_when_there_is_nothing_to_read) {
    own_the_lease();
    rest();
    now_ += 60s;
    expect<action::purge>();
    plan_.purged(5000, now_);
    rest();
    for (int batch = 0; batch < 3; ++batch) {
        now_ += 50ms;
        expect<action::purge>();
        plan_.purged(5000, now_);
    }
}

TEST_F(lane_plan_test, asks_for_as_many_bytes_as_a_batch_may_have) {
    own_the_lease();
    const auto asked = expect<action::fetch>();
    EXPECT_EQ(asked.limit, 3U);
    EXPECT_EQ(asked.bytes, 8'388'608U);
    auto batch = found({row(1, "a")});
    batch.more = true;
    plan_.fetched(std::move(batch), now_);
    EXPECT_EQ(publish({delivered{"r"}}), numbers{1});
    EXPECT_EQ(settle().first, 1);
    EXPECT_EQ(expect<action::fetch>().after, 1) << "a batch that its bytes ended is followed by the next at once";
}

// ---- an operator's pause --------------------------------------------------------------------------------------------

TEST_F(overlapping_plan_test, settles_what_is_on_its_way_and_rests_while_an_operator_pauses_it) {
    own_the_lease();
    fetch({row(1, "a"), row(2, "b"), row(3, "c")});
    expect<action::publish>();
    fetch({row(4, "a")});
    plan_.set_operator_pause("paused by an operator", now_);
    expect<action::collect>();
    plan_.published(std::vector<broker::verdict>{delivered{}, delivered{}, delivered{}}, now_);
    EXPECT_EQ(settle().first, 3);
    EXPECT_FALSE(rest().rows_wake);
    EXPECT_EQ(plan_.state(), lane_state::paused);
    EXPECT_EQ(plan_.report(now_).detail, "paused by an operator");
    plan_.woken();
    const auto nap = rest();
    EXPECT_EQ(nap.until, plan_.lease().renew_at()) << "new rows do not end it, but the lease is kept";

    plan_.set_operator_pause(std::nullopt, now_);
    EXPECT_EQ(fetch({row(4, "a")}).after, 3) << "what was read before the pause is read again";
    EXPECT_EQ(publish({delivered{}}), numbers{4});
    settle();
    EXPECT_EQ(plan_.state(), lane_state::flowing);
}

TEST_F(lane_plan_test, does_not_probe_a_broker_while_an_operator_pauses_it) {
    own_the_lease();
    fetch({row(1, "a")});
    publish({unreachable{"away"}});
    plan_.set_operator_pause("paused by an operator", now_);
    now_ += 1s;
    const auto nap = rest();
    EXPECT_EQ(nap.until, plan_.lease().renew_at());
    plan_.set_operator_pause(std::nullopt, now_);
    expect<action::probe>();
}

TEST_F(lane_plan_test, leaves_tidily_while_an_operator_pauses_it) {
    own_the_lease();
    plan_.set_operator_pause("paused by an operator", now_);
    rest();
    plan_.stop_requested(now_);
    expect<action::release>();
    plan_.released(now_);
    expect<action::stop>();
}

TEST_F(lane_plan_test, begins_a_new_ownership_without_the_pause_of_the_last) {
    own_the_lease();
    plan_.set_operator_pause("paused by an operator", now_);
    rest();
    now_ += 5s;
    expect<action::renew>();
    plan_.renewed(false, now_);
    own_the_lease();
    fetch({row(1, "a")});
}

// ---- rate -----------------------------------------------------------------------------------------------------------

TEST_F(limited_plan_test, reads_no_more_than_it_may_send) {
    own_the_lease();
    EXPECT_EQ(fetch({row(1, "a"), row(2, "b"), row(3, "c")}).limit, 3U);
    EXPECT_EQ(publish({delivered{}, delivered{}, delivered{}}).size(), 3U);
    settle();
    EXPECT_EQ(fetch({row(4, "a"), row(5, "b")}).limit, 2U) << "five a second, and three are gone";
    EXPECT_EQ(publish({delivered{}, delivered{}}).size(), 2U);
    settle();
    const auto nap = rest();
    EXPECT_EQ(nap.until, now_.steady + 200ms) << "there is a backlog, and the next one may go in a fifth of a second";
    now_ += 200ms;
    EXPECT_EQ(fetch({row(6, "a")}).limit, 1U);
    EXPECT_EQ(publish({delivered{}}), numbers{6});
}

TEST_F(limited_plan_test, goes_on_at_once_after_a_rest) {
    own_the_lease();
    fetch({row(1, "a")});
    publish({delivered{}});
    settle();
    rest();
    now_ += 10s;
    plan_.woken();
    EXPECT_EQ(fetch({row(2, "a"), row(3, "b"), row(4, "c")}).limit, 3U);
}

TEST_F(limited_plan_test, catches_up_no_faster) {
    own_the_lease();
    fetch({row(1, "a"), row(2, "a"), row(3, "a")});
    publish({refused{.reason = "no", .code = "no"}, unreachable{"held back"}, unreachable{"held back"}});
    settle();
    now_ += 60s;
    EXPECT_EQ(catch_up({row(1, "a"), row(2, "a"), row(3, "a")}).limit, 3U);
    EXPECT_EQ(publish({delivered{}, delivered{}, delivered{}}).size(), 3U);
    settle();
    EXPECT_EQ(fetch({}).limit, 2U);
}

}  // namespace
}  // namespace sluice::outbox
