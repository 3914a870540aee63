#include <numeric>
#include <string>
#include <vector>

#include "contract/store_contract.hpp"

namespace sluice::store::contract {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class store_lease : public store_contract {};
SLUICE_FOR_EVERY_STORE(store_lease);

TEST_P(store_lease, is_over_when_the_calendar_was_set_back_since_it_was_given) {
    ASSERT_TRUE(lane_.lease->acquire("default:partner", "dead", at(10'000), 10s));
    EXPECT_FALSE(lane_.lease->acquire("default:partner", "next", at(10'000), 10s));
    EXPECT_FALSE(lane_.lease->acquire("default:partner", "next", at(9'995), 10s)) << "a small correction";
    EXPECT_TRUE(lane_.lease->acquire("default:partner", "next", at(6'400), 10s));
}

TEST_P(store_lease, is_granted_to_the_first_who_asks) {
    const auto grant = lane_.lease->acquire("default:partner", "me", at(0), ttl);
    ASSERT_TRUE(grant);
    EXPECT_EQ(grant->lane, "default:partner");
    EXPECT_EQ(grant->owner, "me");
    EXPECT_EQ(grant->epoch, 1U);
    EXPECT_EQ(grant->expires_at, at(30));
    EXPECT_EQ(grant->mark, 0);
    EXPECT_FALSE(store_->open_lease()->acquire("default:partner", "you", at(29), ttl));
    EXPECT_TRUE(store_->open_lease()->acquire("default:default", "you", at(29), ttl));
}

TEST_P(store_lease, keeps_its_epoch_for_the_same_owner) {
    static_cast<void>(take_lane());
    EXPECT_EQ(lane_.lease->acquire("default:partner", "me", at(5), ttl)->epoch, 1U);
    EXPECT_EQ(lane_.lease->acquire("default:partner", "me", at(500), ttl)->epoch, 1U);
}

TEST_P(store_lease, passes_to_another_owner_when_it_expires) {
    auto old = take_lane();
    EXPECT_TRUE(lane_.lease->renew(old, report(), at(20), ttl));
    EXPECT_EQ(old.expires_at, at(50));
    EXPECT_FALSE(lane_.lease->acquire("default:partner", "you", at(49), ttl));
    const auto taken = lane_.lease->acquire("default:partner", "you", at(50), ttl);
    ASSERT_TRUE(taken);
    EXPECT_EQ(taken->epoch, 2U);
    EXPECT_FALSE(lane_.lease->renew(old, report(), at(51), ttl));
}

TEST_P(store_lease, tells_of_a_pause_by_an_operator_until_it_ends) {
    const lane_pause moving{.since = at(7), .reason = "the partner moves; 2 hours"};
    EXPECT_EQ(lane_.lease->pause_of("partner"), std::nullopt);
    operations_->pause_lanes("partner", {.since = at(3)});
    operations_->pause_lanes("partner", moving);
    EXPECT_EQ(lane_.lease->pause_of("partner"), moving) << "the last one";
    EXPECT_EQ(lane_.lease->pause_of("default"), std::nullopt);
    EXPECT_EQ(lane_.lease->pause_of("part"), std::nullopt);
    EXPECT_EQ(store_->open_lease()->pause_of("partner"), moving);
    EXPECT_EQ(operations_->paused_lanes(), (lane_pauses{{"partner", moving}}));
    EXPECT_TRUE(take_lane().epoch > 0) << "a paused lane has an owner, which tells about it";

    EXPECT_TRUE(operations_->resume_lanes("partner"));
    EXPECT_FALSE(operations_->resume_lanes("partner"));
    EXPECT_EQ(lane_.lease->pause_of("partner"), std::nullopt);
    EXPECT_TRUE(operations_->paused_lanes().empty());
}

TEST_P(store_lease, guards_rows_whoever_took_it) {
    commit_events(2);
    const auto keeper = store_->open_lease();
    const auto grant = keeper->acquire("default:partner", "me", at(0), ttl);
    ASSERT_TRUE(grant);
    EXPECT_EQ(lane_.rows->due(*grant, "partner", 0, 10).rows.size(), 2U);
    ASSERT_EQ(lane_.rows->settle(*grant, "partner", std::vector{published(1)}, 1), settle_outcome::settled);

    ASSERT_TRUE(store_->open_lease()->acquire("default:partner", "you", at(100), ttl));
    EXPECT_FALSE(lane_.rows->due(*grant, "partner", 0, 10).owned);
    EXPECT_EQ(lane_.rows->settle(*grant, "partner", std::vector{published(2)}, 2), settle_outcome::fenced);
    EXPECT_EQ(lane_.rows->purge(*grant, "partner", at(1000), at(1000), 10), 0U);
    ASSERT_TRUE(store_->open_lease()->acquire("default:partner", "me", at(200), ttl));
    EXPECT_EQ(lane_.rows->settle(*grant, "partner", std::vector{published(2)}, 2), settle_outcome::fenced)
        << "of the same name, and another epoch";
    EXPECT_EQ(row("m-1").status, row_status::published);
    EXPECT_EQ(row("m-2").status, row_status::pending);
}

TEST_P(store_lease, of_no_lane_tells_that_it_is_at_work) {
    auto grant = *store_->open_lease()->acquire("sequential/handler", "me", at(0), ttl);
    ASSERT_TRUE(store_->open_lease()->renew(grant, {.since = at(3)}, at(5), ttl));
    const auto told = operations_->lanes().front();
    EXPECT_EQ(told.lane, "sequential/handler");
    EXPECT_EQ(told.state, "flowing");
    EXPECT_EQ(told.since, at(3));
    EXPECT_EQ(told.expires_at, at(35));
}

TEST_P(store_lease, is_free_at_once_after_a_release) {
    const auto mine = take_lane();
    lane_.lease->release(mine, report("draining"));
    EXPECT_EQ(operations_->lanes().front().owner, "");
    const auto next = lane_.lease->acquire("default:partner", "you", at(1), ttl);
    ASSERT_TRUE(next);
    EXPECT_EQ(next->epoch, 2U);
    lane_.lease->release(mine, report("draining"));
    EXPECT_EQ(operations_->lanes().front().owner, "you") << "a late release gave away what is another's";
}

TEST_P(store_lease, fences_an_owner_who_lost_it) {
    commit_events(3);
    auto old = take_lane();
    EXPECT_EQ(lane_.rows->settle(old, "partner", std::vector{published(1)}, 1), settle_outcome::settled);
    ASSERT_TRUE(lane_.lease->acquire("default:partner", "you", at(31), ttl));

    EXPECT_EQ(lane_.rows->settle(old, "partner", std::vector{published(2)}, 2), settle_outcome::fenced);
    EXPECT_EQ(row("m-2").status, row_status::pending);
    EXPECT_EQ(operations_->lanes().front().mark, 1);
    const auto due = lane_.rows->due(old, "partner", 0, 10);
    EXPECT_FALSE(due.owned);
    EXPECT_THAT(due.rows, IsEmpty());
    EXPECT_FALSE(lane_.rows->due_in_stream(old, "partner", "shop::order-o-1", 0, 9, 10).owned);
    EXPECT_EQ(lane_.rows->purge(old, "partner", at(100), at(100), 10), 0U);
    EXPECT_FALSE(lane_.lease->renew(old, report(), at(31), ttl));
    EXPECT_EQ(row("m-1").status, row_status::published);
}

TEST_P(store_lease, fences_its_own_owner_after_a_release) {
    commit_events(1);
    const auto grant = take_lane();
    lane_.lease->release(grant, report());
    EXPECT_EQ(lane_.rows->settle(grant, "partner", std::vector{published(1)}, 1), settle_outcome::fenced);
    EXPECT_FALSE(lane_.rows->due(grant, "partner", 0, 1).owned);
}

TEST_P(store_lease, shows_the_report_of_its_owner) {
    auto grant = take_lane();
    EXPECT_EQ(operations_->lanes().front().state, "idle");
    ASSERT_TRUE(lane_.lease->renew(
        grant,
        {.state = "paused", .detail = "connection refused", .published = 17, .refused = 3, .rate = 1.5, .since = at(4)},
        at(5), ttl));
    const auto lanes = operations_->lanes();
    ASSERT_EQ(lanes.size(), 1U);
    const auto& lane = lanes.front();
    EXPECT_EQ(lane.lane, "default:partner");
    EXPECT_EQ(lane.owner, "me");
    EXPECT_EQ(lane.epoch, 1U);
    EXPECT_EQ(lane.expires_at, at(35));
    EXPECT_EQ(lane.state, "paused");
    EXPECT_EQ(lane.detail, "connection refused");
    EXPECT_EQ(lane.published, 17);
    EXPECT_EQ(lane.refused, 3);
    EXPECT_EQ(lane.rate, 1.5);
    EXPECT_EQ(lane.since, at(4));
}

class store_due : public store_contract {};
SLUICE_FOR_EVERY_STORE(store_due);

TEST_P(store_due, hands_out_open_rows_of_its_broker_in_order) {
    commit({event("m-1", "o-1"), event("m-2", "o-2", {"default"}), event("m-3", "o-3"), event("m-4", "o-1")});
    const auto partner = take_lane("partner");
    const auto internal = take_lane("default");
    EXPECT_THAT(seqs(lane_.rows->due(partner, "partner", 0, 10)), ElementsAre(1, 3, 4));
    EXPECT_THAT(seqs(lane_.rows->due(internal, "default", 0, 10)), ElementsAre(1, 2, 3, 4));
    EXPECT_THAT(seqs(lane_.rows->due(partner, "partner", 1, 10)), ElementsAre(3, 4));
    EXPECT_THAT(seqs(lane_.rows->due(partner, "partner", 0, 2)), ElementsAre(1, 3));
    EXPECT_THAT(seqs(lane_.rows->due(partner, "partner", 4, 10)), IsEmpty());
    EXPECT_THAT(seqs(lane_.rows->due(partner, "unknown", 0, 10)), IsEmpty());
}

/// An event of this many bytes, of which a database that compresses keeps next to nothing.
event_write large(const std::string& message_id, std::size_t bytes, const std::string& order = "o-1") {
    event_write write = event(message_id, order);
    write.event.data = R"({"note":")" + std::string(bytes, 'x') + R"("})";
    return write;
}

TEST_P(store_due, hands_out_no_more_bytes_than_asked_for) {
    constexpr std::size_t size = 300'000;
    commit({large("m-1", size), event("m-2"), large("m-3", size), large("m-4", size), event("m-5"), event("m-6")});
    const auto grant = take_lane();
    const auto first = lane_.rows->due(grant, "partner", 0, {10, 2 * size});
    EXPECT_THAT(seqs(first), ElementsAre(1, 2));
    EXPECT_TRUE(first.more);
    const auto second = lane_.rows->due(grant, "partner", 2, {10, 1000});
    EXPECT_THAT(seqs(second), ElementsAre(3)) << "one in any case";
    EXPECT_TRUE(second.more);
    EXPECT_THAT(seqs(lane_.rows->due(grant, "partner", 3, {10, size + 1000})), ElementsAre(4, 5, 6));
    const auto last = lane_.rows->due(grant, "partner", 4, {10, 1000});
    EXPECT_THAT(seqs(last), ElementsAre(5, 6));
    EXPECT_FALSE(last.more);
}

TEST_P(store_due, hands_out_small_and_large_rows_in_their_order) {
    constexpr std::size_t most_bytes = 200'000;
    constexpr sequence count = 60;
    for (sequence i = 1; i <= count; ++i) {
        const auto id = "m-" + std::to_string(i);
        const bool among_large = (i > 20 && i <= 30) || i == 45;
        commit({among_large ? large(id, i % 2 == 0 ? 30'000 : 300'000) : event(id)});
    }
    const auto grant = take_lane();
    std::vector<sequence> seen;
    while (seen.size() < count) {
        const auto page = lane_.rows->due(grant, "partner", seen.empty() ? 0 : seen.back(), {10, most_bytes});
        ASSERT_FALSE(page.rows.empty()) << "after " << seen.size();
        std::size_t bytes = 0;
        for (const auto& row : page.rows) {
            bytes += bytes_of(row);
            seen.push_back(row.seq);
            EXPECT_EQ(row.event.message_id, "m-" + std::to_string(row.seq));
        }
        EXPECT_TRUE(bytes <= most_bytes || page.rows.size() == 1) << bytes << " bytes up to " << seen.back();
        EXPECT_TRUE(page.more || page.rows.size() == 10 || seen.size() == count) << seen.back();
    }
    std::vector<sequence> all(count);
    std::iota(all.begin(), all.end(), 1);
    EXPECT_EQ(seen, all);
}

TEST_P(store_due, hands_out_no_more_bytes_of_one_stream_than_asked_for) {
    constexpr std::size_t size = 300'000;
    commit({large("m-1", size), large("m-2", size, "o-2"), large("m-3", size), event("m-4"), event("m-5")});
    const auto grant = take_lane();
    const auto stream = [&](sequence after, std::size_t bytes) {
        return lane_.rows->due_in_stream(grant, "partner", "shop::order-o-1", after, 5, {10, bytes});
    };
    EXPECT_THAT(seqs(stream(0, 1000)), ElementsAre(1));
    EXPECT_TRUE(stream(0, 1000).more);
    EXPECT_THAT(seqs(stream(0, 2 * size + 1000)), ElementsAre(1, 3, 4, 5));
    EXPECT_THAT(seqs(stream(1, size + 50)), ElementsAre(3));
    EXPECT_FALSE(stream(3, 1000).more);
}

TEST_P(store_due, hands_out_the_body_and_the_state_of_a_row) {
    auto write = event("m-1");
    write.priority = -3;
    write.event.created_at = at(0) + duration{613701};
    commit({write});
    const auto grant = take_lane();
    ASSERT_EQ(lane_.rows->settle(grant, "partner", std::vector{failed(1, 2)}, 0), settle_outcome::settled);
    const auto batch = lane_.rows->due(grant, "partner", 0, 10);
    ASSERT_EQ(batch.rows.size(), 1U);
    const auto& due = batch.rows.front();
    EXPECT_EQ(due.status, row_status::failed);
    EXPECT_EQ(due.priority, -3);
    EXPECT_EQ(due.retry_count, 2);
    EXPECT_EQ(due.next_retry_at, at(60));
    EXPECT_EQ(due.last_error, R"({"message":"no"})");
    EXPECT_EQ(due.event.message_id, "m-1");
    EXPECT_EQ(due.event.stream, "shop::order-o-1");
    EXPECT_EQ(due.event.stream_category, "shop::order");
    EXPECT_EQ(due.event.type, "Shop.OrderShipped.v1");
    EXPECT_EQ(due.event.data, R"({"order_id":"o-1"})");
    EXPECT_EQ(due.event.metadata, R"({"headers":{}})");
    EXPECT_EQ(due.event.created_at, at(0) + duration{613701});
}

TEST_P(store_due, leaves_out_what_is_settled) {
    commit_events(4);
    const auto grant = take_lane();
    EXPECT_EQ(lane_.rows->settle(grant, "partner", std::vector{published(1), failed(2, 1), abandoned(3, 3)}, 1),
              settle_outcome::settled);
    EXPECT_THAT(seqs(lane_.rows->due(grant, "partner", 0, 10)), ElementsAre(2, 4));
    EXPECT_EQ(row("m-1", "default").status, row_status::pending) << "settled for another broker";
}

TEST_P(store_due, catches_up_one_stream) {
    commit({event("m-1", "o-1"), event("m-2", "o-2"), event("m-3", "o-1"), event("m-4", "o-1", {"default"}),
            event("m-5", "o-1"), event("m-6", "o-1")});
    const auto grant = take_lane();
    const auto catch_up = [&](sequence after, sequence upto, std::size_t limit) {
        return seqs(lane_.rows->due_in_stream(grant, "partner", "shop::order-o-1", after, upto, limit));
    };
    EXPECT_THAT(catch_up(0, 6, 10), ElementsAre(1, 3, 5, 6));
    EXPECT_THAT(catch_up(1, 5, 10), ElementsAre(3, 5));
    EXPECT_THAT(catch_up(0, 6, 2), ElementsAre(1, 3));
    ASSERT_EQ(lane_.rows->settle(grant, "partner", std::vector{published(3)}, 0), settle_outcome::settled);
    EXPECT_THAT(catch_up(0, 6, 10), ElementsAre(1, 5, 6));
    EXPECT_THAT(lane_.rows->due_in_stream(grant, "partner", "shop::order-o-9", 0, 6, 10).rows, IsEmpty());
}

class store_settle : public store_contract {};
SLUICE_FOR_EVERY_STORE(store_settle);

TEST_P(store_settle, writes_the_outcome_of_each_row) {
    commit_events(3);
    const auto grant = take_lane();
    ASSERT_EQ(lane_.rows->settle(grant, "partner", std::vector{published(1, at(7)), failed(2, 1), abandoned(3, 3)}, 0),
              settle_outcome::settled);
    const auto first = row("m-1");
    EXPECT_EQ(first.status, row_status::published);
    EXPECT_EQ(first.published_at, at(7));
    EXPECT_EQ(first.receipt, "r");
    EXPECT_EQ(first.last_error, "");
    const auto second = row("m-2");
    EXPECT_EQ(second.status, row_status::failed);
    EXPECT_EQ(second.retry_count, 1);
    EXPECT_EQ(second.next_retry_at, at(60));
    EXPECT_EQ(second.last_error, R"({"message":"no"})");
    const auto third = row("m-3");
    EXPECT_EQ(third.status, row_status::abandoned);
    EXPECT_EQ(third.retry_count, 3);
    EXPECT_FALSE(third.next_retry_at);
}

TEST_P(store_settle, moves_the_mark_forwards_only_and_keeps_it) {
    commit_events(3);
    const auto grant = take_lane();
    ASSERT_EQ(lane_.rows->settle(grant, "partner", std::vector{published(1), published(2)}, 2),
              settle_outcome::settled);
    ASSERT_EQ(lane_.rows->settle(grant, "partner", {}, 1), settle_outcome::settled);
    EXPECT_EQ(lane_.rows->due(grant, "partner", 0, 1).mark, 2);
    EXPECT_EQ(store_->open_lease()->acquire("default:partner", "you", at(100), ttl)->mark, 2);
}

TEST_P(store_settle, never_takes_published_back) {
    commit_events(1);
    const auto grant = take_lane();
    ASSERT_EQ(lane_.rows->settle(grant, "partner", std::vector{published(1)}, 1), settle_outcome::settled);
    ASSERT_EQ(lane_.rows->settle(grant, "partner", std::vector{failed(1, 1)}, 1), settle_outcome::settled);
    EXPECT_EQ(row("m-1").status, row_status::published);
}

TEST_P(store_settle, that_is_repeated_leaves_a_row_alone_that_was_opened_again_meanwhile) {
    commit_events(2);
    const auto grant = take_lane();
    const std::vector outcomes{abandoned(1, 1), failed(2, 1)};
    ASSERT_EQ(lane_.rows->settle(grant, "partner", outcomes, 1), settle_outcome::settled);
    ASSERT_EQ(operations_->retry({.limit = 10}), 2U);
    ASSERT_EQ(lane_.rows->settle(grant, "partner", outcomes, 1), settle_outcome::settled) << "its answer was lost";
    for (const char* id : {"m-1", "m-2"}) {
        EXPECT_EQ(row(id).status, row_status::pending) << id;
        EXPECT_EQ(row(id).retry_count, 0) << id;
    }
}

class store_purge : public store_contract {};
SLUICE_FOR_EVERY_STORE(store_purge);

TEST_P(store_purge, deletes_old_settled_rows_of_its_broker_only) {
    commit_events(6);
    const auto grant = take_lane();
    // What was settled together may be deleted together.
    for (const auto& one : {published(1, at(10)), published(2, at(10)), abandoned(3, 3, at(10)),
                            abandoned(4, 3, at(20)), published(5, at(20))}) {
        ASSERT_EQ(lane_.rows->settle(grant, "partner", std::vector{one}, one.seq), settle_outcome::settled);
    }
    EXPECT_EQ(lane_.rows->purge(grant, "partner", at(10), at(10), 100), 0U) << "the cut itself is not before the cut";
    EXPECT_EQ(lane_.rows->purge(grant, "partner", at(15), at(5), 100), 2U);
    EXPECT_EQ(lane_.rows->purge(grant, "partner", at(15), at(15), 100), 1U);
    EXPECT_EQ(operations_->list({.target_broker = "partner"}).size(), 3U);
    EXPECT_EQ(operations_->list({.target_broker = "default"}).size(), 6U);
    EXPECT_TRUE(operations_->event("m-1")) << "the log is not the outbox";
}

TEST_P(store_purge, never_goes_above_the_mark_nor_touches_open_rows) {
    commit_events(4);
    const auto grant = take_lane();
    ASSERT_EQ(lane_.rows->settle(grant, "partner", std::vector{published(1)}, 1), settle_outcome::settled);
    ASSERT_EQ(lane_.rows->settle(grant, "partner", std::vector{failed(2, 1), published(3)}, 1),
              settle_outcome::settled);
    EXPECT_EQ(lane_.rows->purge(grant, "partner", at(100), at(100), 100), 1U);
    EXPECT_EQ(row("m-3").status, row_status::published);
    ASSERT_EQ(lane_.rows->settle(grant, "partner", {}, 4), settle_outcome::settled);
    EXPECT_EQ(lane_.rows->purge(grant, "partner", at(100), at(100), 100), 1U);
    EXPECT_EQ(row("m-2").status, row_status::failed);
    EXPECT_EQ(row("m-4").status, row_status::pending);
}

TEST_P(store_purge, goes_on_in_bounded_steps) {
    commit_events(7);
    const auto grant = take_lane();
    for (sequence seq = 1; seq <= 7; ++seq) {
        ASSERT_EQ(lane_.rows->settle(grant, "partner", std::vector{published(seq)}, seq), settle_outcome::settled);
    }
    EXPECT_EQ(lane_.rows->purge(grant, "partner", at(100), at(100), 3), 3U);
    EXPECT_EQ(lane_.rows->purge(grant, "partner", at(100), at(100), 3), 3U);
    EXPECT_EQ(lane_.rows->purge(grant, "partner", at(100), at(100), 3), 1U);
    EXPECT_EQ(lane_.rows->purge(grant, "partner", at(100), at(100), 3), 0U);
}

class store_wait : public store_contract {
protected:
    static constexpr auto long_time = duration{2min};

    /// Takes the lane, looks, and waits in a thread of its own while `act` runs.
    template <class Act>
    [[nodiscard]] wake_reason wait_while(Act act) {
        const auto grant = take_lane();
        static_cast<void>(lane_.rows->due(grant, "partner", 0, 10));
        std::optional<wake_reason> woken;
        const stopwatch slept;
        {
            const std::jthread sleeper{[&] { woken = lane_.rows->wait(signal_, long_time); }};
            act();
        }
        EXPECT_LT(slept.elapsed(), long_time / 2) << "found by the timeout's last look only";
        return *woken;
    }

    wake_signal signal_;
};
SLUICE_FOR_EVERY_STORE(store_wait);

TEST_P(store_wait, ends_when_the_time_has_passed) {
    EXPECT_EQ(lane_.rows->wait(signal_, duration{1ms}), wake_reason::timed_out);
    EXPECT_EQ(lane_.rows->wait(signal_, duration{0}), wake_reason::timed_out);
}

TEST_P(store_wait, ends_when_the_signal_fires) {
    signal_.notify();
    EXPECT_EQ(lane_.rows->wait(signal_, long_time), wake_reason::signalled);
    EXPECT_EQ(lane_.rows->wait(signal_, duration{0}), wake_reason::timed_out);
    EXPECT_EQ(wait_while([this] { signal_.notify(); }), wake_reason::signalled);
}

TEST_P(store_wait, ends_when_another_session_commits) {
    EXPECT_EQ(wait_while([this] { commit_events(1); }), wake_reason::file_changed);
}

TEST_P(store_wait, ends_at_once_when_the_commit_came_before_it) {
    const auto grant = take_lane();
    static_cast<void>(lane_.rows->due(grant, "partner", 0, 10));
    commit_events(1);
    EXPECT_EQ(lane_.rows->wait(signal_, long_time), wake_reason::file_changed);
}

TEST_P(store_wait, ends_when_an_operator_retries_or_discards) {
    commit_events(2);
    const auto grant = take_lane();
    ASSERT_EQ(lane_.rows->settle(grant, "partner", std::vector{abandoned(1, 3)}, 1), settle_outcome::settled);
    const outbox_filter first{.target_broker = "partner", .message_id = "m-1"};
    EXPECT_EQ(wait_while([&] { ASSERT_EQ(operations_->retry(first), 1U); }), wake_reason::file_changed);
    EXPECT_EQ(wait_while([&] { ASSERT_EQ(operations_->discard(first, "no", at(1)), 1U); }), wake_reason::file_changed);
}

TEST_P(store_wait, ends_for_a_stand_by_when_the_lease_is_released) {
    const auto mine = take_lane();
    const auto stand_by = store_->open_lane();
    ASSERT_FALSE(stand_by.lease->acquire("default:partner", "you", at(1), ttl));
    lane_.lease->release(mine, report());
    EXPECT_EQ(stand_by.rows->wait(signal_, long_time), wake_reason::file_changed);
}

TEST_P(store_wait, is_not_disturbed_by_settlements) {
    commit_events(2);
    const auto grant = take_lane();
    static_cast<void>(lane_.rows->due(grant, "partner", 0, 10));
    ASSERT_EQ(lane_.rows->settle(grant, "partner", std::vector{published(1)}, 1), settle_outcome::settled);

    const auto other = store_->open_lane();
    const auto other_grant = other.lease->acquire("default:default", "me", at(0), ttl);
    ASSERT_EQ(other.rows->settle(*other_grant, "default", std::vector{published(1)}, 1), settle_outcome::settled);
    EXPECT_EQ(lane_.rows->wait(signal_, duration{20ms}), wake_reason::timed_out);
}

}  // namespace
}  // namespace sluice::store::contract
