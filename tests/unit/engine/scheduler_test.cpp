#include "engine/scheduler.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "support/bank.hpp"
#include "support/meddled_database.hpp"
#include "support/process_world.hpp"

namespace {

using namespace std::chrono_literals;
using sluice::testing::process_world;
using testing::IsEmpty;
using testing::SizeIs;

class scheduler_test : public testing::Test {
protected:
    void schedule(const std::string& account, sluice::duration in_time) {
        auto in = world.context();
        ids.push_back(in.schedule(bank::OpenAccount{.account_id = account}, world.clock.now() + in_time));
    }
    [[nodiscard]] bool exists(const std::string& account) {
        auto in = world.context();
        const sluice::unit_of_work work{in};
        return in.repository<bank::Account>().find(account) != nullptr;
    }
    /// A message that refers to the aggregate's stream; written into the schedule as it is.
    void put(const std::string& id, const std::string& message_id) {
        sluice::store::commit_batch batch;
        batch.at = world.clock.now();
        batch.scheduled.push_back({.id = id,
                                   .due = world.clock.now(),
                                   .message = {.event = {.message_id = message_id,
                                                         .stream = "bank::account-x",
                                                         .stream_category = "bank::account",
                                                         .type = "Bank.Deposited.v1",
                                                         .data = "{}",
                                                         .metadata = "{}",
                                                         .created_at = world.clock.now()}}});
        world.database->open_unit()->commit(batch);
    }

    process_world world{bank::make_domain()};
    std::vector<std::string> ids;
};

TEST_F(scheduler_test, gives_a_scheduled_command_when_it_is_due) {
    schedule("ada", 10min);
    EXPECT_THAT(world.sent(), IsEmpty());
    world.pass(10min - 1us);
    EXPECT_FALSE(exists("ada"));
    world.pass(1us);
    EXPECT_TRUE(exists("ada"));
    EXPECT_THAT(world.scheduled(), IsEmpty());
    ASSERT_THAT(world.sent(), SizeIs(1));
    EXPECT_EQ(world.sent().front().event.message_id, ids.front());
    EXPECT_EQ(world.sent().front().event.stream_category, "bank::account:command");
}

TEST_F(scheduler_test, a_command_of_the_past_is_given_at_once) {
    schedule("ada", -1h);
    world.pass(0s);
    EXPECT_TRUE(exists("ada"));
}

TEST_F(scheduler_test, a_cancelled_command_is_not_given) {
    using bank::OpenAccount;
    schedule("bob", 10min);
    auto in = world.context();
    // [schedule]
    const std::string id = in.schedule(OpenAccount{.account_id = "ada"}, in.now() + 10min);
    in.cancel<OpenAccount>(id);  // as long as it is not due
    // [/schedule]
    world.pass(10min);
    EXPECT_FALSE(exists("ada"));
    EXPECT_TRUE(exists("bob"));
}

TEST_F(scheduler_test, a_command_is_scheduled_and_cancelled_with_the_unit_of_work_or_not_at_all) {
    auto in = world.context();
    {
        sluice::unit_of_work work{in};
        in.schedule(bank::OpenAccount{.account_id = "ada"}, world.clock.now());
        EXPECT_THAT(world.scheduled(), IsEmpty());
    }
    EXPECT_THAT(world.scheduled(), IsEmpty()) << "it was rolled back";
    {
        sluice::unit_of_work work{in};
        in.schedule(bank::OpenAccount{.account_id = "ada"}, world.clock.now());
        const auto id = in.schedule(bank::OpenAccount{.account_id = "bob"}, world.clock.now());
        in.cancel<bank::OpenAccount>(id);
        work.commit();
    }
    ASSERT_THAT(world.scheduled(), SizeIs(1));
    {
        sluice::unit_of_work work{in};
        in.cancel<bank::OpenAccount>(world.scheduled().front().id);
    }
    EXPECT_THAT(world.scheduled(), SizeIs(1)) << "the cancellation was rolled back";
}

TEST_F(scheduler_test, refuses_a_command_that_breaks_a_rule_before_anything_is_written) {
    auto in = world.context();
    EXPECT_THROW(in.schedule(bank::OpenAccount{}, world.clock.now()), sluice::validation_error);
    try {
        in.schedule(bank::OpenAccount{.account_id = "ada"}, sluice::date_time{sluice::duration::max()});
        FAIL();
    } catch (const sluice::validation_error& e) {
        EXPECT_EQ(e.violations().front().field, "due");
    }
    EXPECT_THAT(world.scheduled(), IsEmpty());
}

TEST_F(scheduler_test, a_scheduled_command_continues_what_it_was_given_in) {
    schedule("ada", 0s);
    auto in = world.context();
    static_cast<void>(world.schedule->work());
    const auto m = process_world::as_message(world.sent().front().event);
    EXPECT_TRUE(m.correlation_id().has_value());
    EXPECT_EQ(m.type().text(), "Bank.OpenAccount.v1");
}

TEST_F(scheduler_test, many_are_released_in_the_order_of_their_times) {
    for (int i = 0; i < 250; ++i) schedule("a-" + std::to_string(i), 250s - i * 1s);
    world.pass(250s);
    const auto sent = world.sent();
    ASSERT_THAT(sent, SizeIs(250));
    EXPECT_EQ(sent.front().event.message_id, ids.back());
    EXPECT_EQ(sent.back().event.message_id, ids.front());
}

TEST_F(scheduler_test, several_of_them_release_every_message_once) {
    sluice::engine::scheduler other{*world.env, "default"};
    for (int i = 0; i < 150; ++i) schedule("a-" + std::to_string(i), 1min);
    world.clock.advance(1min);
    const auto seen_by_both = world.database->open_unit()->due_messages(world.clock.now(), 100);
    static_cast<void>(other.work());
    static_cast<void>(world.schedule->work());
    EXPECT_THAT(world.sent(), SizeIs(150));
    EXPECT_THAT(world.scheduled(), IsEmpty());
}

TEST_F(scheduler_test, takes_out_what_the_log_has_already_and_goes_on_with_the_rest) {
    put("twice", "m-1");
    static_cast<void>(world.schedule->work());
    put("twice", "m-1");
    put("z", "m-2");
    static_cast<void>(world.schedule->work());
    EXPECT_THAT(world.scheduled(), IsEmpty());
    EXPECT_THAT(world.sent(), SizeIs(2));
}

TEST_F(scheduler_test, rests_until_the_next_message_is_due) {
    EXPECT_EQ(world.schedule->work(), 1s) << "outbox.tick_interval";
    schedule("ada", 200ms);
    EXPECT_EQ(world.schedule->work(), 200ms);
}

TEST_F(scheduler_test, is_woken_by_a_commit_of_this_process_that_schedules_and_by_no_other) {
    sluice::base::wake_signal signal;
    const sluice::commit::wake_hub::registration wake{world.env->schedules(), "default", signal};
    world.give(bank::OpenAccount{.account_id = "ada"});
    EXPECT_EQ(sluice::base::wait_any(signal, nullptr, 0s), sluice::base::wake_reason::timed_out);
    schedule("bob", 1h);
    EXPECT_EQ(sluice::base::wait_any(signal, nullptr, 0s), sluice::base::wake_reason::signalled);
}

// --- a database that somebody else uses at the same time, or that is away ---

class contested_scheduler_test : public scheduler_test {
protected:
    contested_scheduler_test() {
        sluice::commit::adapters parts;
        parts.databases.emplace("default", meddled);
        env = std::make_unique<sluice::commit::environment>(world.domain.declared(), sluice::config::configuration{},
                                                            parts, world.clock, world.random);
    }

    std::shared_ptr<sluice::testing::meddled_database> meddled =
        std::make_shared<sluice::testing::meddled_database>(world.database);
    std::unique_ptr<sluice::commit::environment> env;
};

TEST_F(contested_scheduler_test, who_comes_second_sends_nothing_twice_and_does_the_rest) {
    for (int i = 0; i < 150; ++i) schedule("a-" + std::to_string(i), 0s);
    int meddled_with = 0;
    meddled->before_commit = [&](const auto&) {
        if (++meddled_with > 1) return;
        // Another engine releases the first of them between the look and the commit.
        auto first = world.database->open_unit()->due_messages(world.clock.now(), 10);
        sluice::store::commit_batch theirs;
        theirs.at = world.clock.now();
        for (auto& each : first) {
            theirs.events.push_back(each.message);
            theirs.cancelled.push_back({.id = each.id, .due = each.due});
        }
        world.database->open_unit()->commit(theirs);
    };
    sluice::engine::scheduler ours{*env, "default"};
    static_cast<void>(ours.work());
    EXPECT_THAT(world.sent(), SizeIs(150));
    EXPECT_THAT(world.scheduled(), IsEmpty());
}

TEST_F(contested_scheduler_test, a_timer_that_was_set_anew_between_look_and_commit_is_not_released_early) {
    schedule("ada", 0s);
    meddled->before_commit = [&](const auto&) {
        meddled->before_commit = {};
        auto later = world.scheduled().front();
        later.due = world.clock.now() + 1h;
        sluice::store::commit_batch theirs;
        theirs.at = world.clock.now();
        theirs.scheduled.push_back(later);
        world.database->open_unit()->commit(theirs);
    };
    sluice::engine::scheduler ours{*env, "default"};
    static_cast<void>(ours.work());
    EXPECT_THAT(world.sent(), IsEmpty());
    EXPECT_THAT(world.scheduled(), SizeIs(1));
}

TEST_F(contested_scheduler_test, loses_nothing_while_the_database_is_away_or_in_doubt) {
    schedule("ada", 0s);
    sluice::engine::scheduler ours{*env, "default"};
    for (const auto nature : {sluice::error_nature::outage, sluice::error_nature::in_doubt}) {
        meddled->before_commit = [nature](const auto&) { throw sluice::store_error{"away", nature}; };
        EXPECT_THROW(static_cast<void>(ours.work()), sluice::store_error);
    }
    meddled->before_commit = {};
    static_cast<void>(ours.work());
    EXPECT_THAT(world.sent(), SizeIs(1));
}

TEST_F(contested_scheduler_test, a_message_whose_row_stays_locked_delays_no_other) {
    for (int i = 0; i < 20; ++i) schedule("a-" + std::to_string(i), 0s);
    const std::string locked = ids.at(3);
    meddled->before_commit = [locked](const sluice::store::commit_batch& batch) {
        for (const auto& each : batch.events) {
            if (each.event.message_id != locked) continue;
            throw sluice::store_error{"lock timeout", sluice::error_nature::retryable};
        }
    };
    sluice::engine::scheduler ours{*env, "default"};
    EXPECT_THROW(static_cast<void>(ours.work()), sluice::store_error) << "it may be an outage: one pause";
    EXPECT_EQ(ours.work(), 1s) << "it does not spin";
    EXPECT_THAT(world.sent(), SizeIs(19));
    meddled->before_commit = {};
    world.clock.advance(1min);
    static_cast<void>(ours.work());
    EXPECT_THAT(world.sent(), SizeIs(20));
}

TEST_F(contested_scheduler_test, a_message_that_the_database_refuses_delays_no_other) {
    for (int i = 0; i < 20; ++i) schedule("a-" + std::to_string(i), 0s);
    const std::string bad = ids.at(0);
    meddled->before_commit = [bad](const sluice::store::commit_batch& batch) {
        for (const auto& each : batch.events) {
            if (each.event.message_id == bad) throw sluice::store_error{"too long"};
        }
    };
    sluice::engine::scheduler ours{*env, "default"};
    EXPECT_EQ(ours.work(), 1s) << "it does not spin";
    EXPECT_THAT(world.sent(), SizeIs(19));
    meddled->before_commit = {};
    world.clock.advance(1min);
    static_cast<void>(ours.work());
    EXPECT_THAT(world.sent(), SizeIs(20));
}

}  // namespace
