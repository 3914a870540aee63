#include "integration/postgresql/postgresql_fixture.hpp"
#include "support/virtual_clock.hpp"

/// Machines whose calendars disagree share a database: its own clock judges what is old, expired or due.
namespace sluice::store::postgresql_test {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

class server_clock : public postgresql_ready {
protected:
    /// A machine whose calendar is so much ahead, or behind.
    struct machine {
        machine(const server_clock& test, duration ahead) : time{system_clock().now() + ahead} {
            auto with = test.options();
            with.time = &time;
            store = open_database(std::move(with));
        }
        [[nodiscard]] date_time now() const { return time.now(); }

        testing::virtual_clock time;
        std::unique_ptr<database> store;
    };
    static void mark(const machine& by, const std::string& message) {
        by.store->open_unit()->commit({.marks = {{message, "handler"}}, .at = by.now()});
    }

    machine right_{*this, duration{0}};
    machine ahead_{*this, 8 * 24h};
    machine behind_{*this, -8 * 24h};
};

TEST_F(server_clock, a_machine_that_is_days_ahead_forgets_nobodys_inbox) {
    mark(right_, "m-1");
    mark(ahead_, "m-2");
    mark(behind_, "m-3");
    for (const auto* each : {&right_, &ahead_, &behind_}) {
        const auto operations = each->store->open_operations();
        EXPECT_EQ(operations->purge_inbox(each->now() - 7 * 24h, 10), 0U);
    }
    EXPECT_EQ(behind_.store->open_operations()->purge_inbox(behind_.now() + 1min, 10), 3U) << "all are seconds old";
}

TEST_F(server_clock, an_outcome_is_known_for_as_long_as_its_writer_meant) {
    const auto remember = [](const machine& by, const std::string& key) {
        by.store->open_unit()->commit(
            {.outcomes = {{.key = key, .command = "c", .content = "null", .expires_at = by.now() + 1h}},
             .at = by.now()});
    };
    remember(right_, "a");
    remember(ahead_, "b");
    remember(behind_, "c");
    for (const auto* each : {&right_, &ahead_, &behind_}) {
        for (const char* key : {"a", "b", "c"}) {
            EXPECT_TRUE(each->store->open_unit()->outcome_of(key, each->now())) << key;
            EXPECT_FALSE(each->store->open_unit()->outcome_of(key, each->now() + 61min)) << key;
            EXPECT_THROW(remember(*each, key), duplicate_outcome) << key;
        }
        EXPECT_EQ(each->store->open_operations()->purge_outcomes(each->now(), 10), 0U);
    }
}

TEST_F(server_clock, a_timer_is_due_when_the_server_says_so) {
    scheduled_message timer{.id = "t-1", .due = right_.now() + 1h, .message = event("m-1")};
    right_.store->open_unit()->commit({.scheduled = {timer}, .at = right_.now()});
    EXPECT_THAT(ahead_.store->open_unit()->due_messages(ahead_.now(), 10), IsEmpty());
    EXPECT_THAT(behind_.store->open_unit()->due_messages(behind_.now() + 61min, 10), SizeIs(1));
}

TEST_F(server_clock, rows_are_as_old_as_the_server_says_whoever_published_them) {
    const auto unit = right_.store->open_unit();
    commit(*unit, {event("m-1"), event("m-2"), event("m-3")});
    const auto lane = ahead_.store->open_lane();
    auto grant = take(lane);
    std::vector<settlement> outcomes = {{.seq = 1, .status = row_status::published, .published_at = ahead_.now()},
                                        {.seq = 2, .status = row_status::abandoned, .abandoned_at = ahead_.now()}};
    ASSERT_EQ(lane.rows->settle(grant, "partner", outcomes, 2), settle_outcome::settled);
    EXPECT_EQ(lane.rows->purge(grant, "partner", ahead_.now() - 7 * 24h, ahead_.now() - 7 * 24h, 10), 0U);
    const auto next = right_.store->open_lane();
    EXPECT_EQ(next.rows->purge(grant, "partner", right_.now() + 1min, right_.now() - 7 * 24h, 10), 1U);
    EXPECT_EQ(next.rows->purge(grant, "partner", right_.now() - 7 * 24h, right_.now() + 1min, 10), 1U);
}

TEST_F(server_clock, a_lease_is_owned_for_everybody_or_nobody) {
    const auto lane = right_.store->open_lane();
    const auto grant = take(lane);
    for (const auto* each : {&right_, &ahead_, &behind_}) {
        const auto seen = each->store->open_operations()->lanes().front();
        EXPECT_GT(seen.expires_at, each->now());
        EXPECT_LT(seen.expires_at, each->now() + 2 * ttl);
        EXPECT_FALSE(each->store->open_lease()->acquire(grant.lane, "other", each->now(), ttl));
    }
}

TEST_F(server_clock, rows_from_the_future_do_not_stop_the_clean_up) {
    std::vector<event_write> events;
    std::vector<settlement> outcomes;
    for (sequence seq = 1; seq <= 700; ++seq) {
        auto one = event("m-" + std::to_string(seq), "o-" + std::to_string(seq), {"partner"});
        if (seq <= 600) one.event.created_at += 10 * 365 * 24h;
        events.push_back(std::move(one));
        outcomes.push_back({.seq = seq, .status = row_status::published, .published_at = right_.now()});
    }
    commit(*right_.store->open_unit(), std::move(events));
    const auto lane = right_.store->open_lane();
    const auto grant = take(lane);
    const std::span all{outcomes};
    for (const auto& piece : {all.first(1), all.subspan(1, 599), all.subspan(600)}) {
        ASSERT_EQ(lane.rows->settle(grant, "partner", piece, piece.back().seq), settle_outcome::settled);
    }
    // As if another lane had published them in those days.
    connect().execute("UPDATE outbox_ledger SET settled_at = settled_at + interval '10 years' WHERE upto = 600");
    const auto cut = right_.now() + 1min;
    std::size_t purged = 0;
    for (int calls = 0; calls < 5; ++calls) purged += lane.rows->purge(grant, "partner", cut, cut, 100);
    EXPECT_EQ(purged, 101U) << "the first and those behind the ones from the future";
}

}  // namespace
}  // namespace sluice::store::postgresql_test
