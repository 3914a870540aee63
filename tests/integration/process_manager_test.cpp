#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "base/random.hpp"
#include "broker/inline/inline_broker.hpp"
#include "broker/sqlite/sqlite_broker.hpp"
#include "command/invocation.hpp"
#include "commit/environment.hpp"
#include "engine/engine.hpp"
#include "process/transition.hpp"
#include "store/memory/memory_database.hpp"
#include "store/sqlite/sqlite_database.hpp"
#include "support/bank.hpp"
#include "support/eventually.hpp"
#include "support/temporary_directory.hpp"

namespace {

using namespace std::chrono_literals;
using testing::IsEmpty;
using testing::SizeIs;

enum class adapters { memory, sqlite };

/// The bank on real threads and the real clock.
class process_engine : public testing::TestWithParam<adapters> {
protected:
    process_engine() {
        if (GetParam() == adapters::memory) {
            database_ = sluice::store::make_memory_database("bank");
            broker_ = sluice::broker::make_inline_broker("default");
        } else {
            database_ = sluice::store::make_sqlite_database({.path = directory_ / "bank.db"});
            broker_ = sluice::broker::make_sqlite_broker({.path = directory_ / "inner.db"});
        }
        database_->setup();
        bank::patience = 50ms;
        sluice::config::configuration configuration;
        configuration.outbox.tick_interval = 600;  // whoever relies on the tick is late
        configuration.outbox.lease_seconds = 2;
        configuration.server.shutdown_seconds = 2;
        configuration.server.subscription.retry_delay_seconds = 0.01;
        domain_.validate();
        sluice::commit::adapters parts;
        parts.databases.emplace("default", database_);
        parts.brokers.emplace("default", broker_);
        env = std::make_unique<sluice::commit::environment>(domain_.declared(), configuration, parts,
                                                            sluice::system_clock(), sluice::base::system_random());
        give(bank::OpenAccount{.account_id = "ada", .balance = 1000});
        give(bank::OpenAccount{.account_id = "bob"});
    }
    ~process_engine() override { bank::patience = 5min; }

    template <class Command>
    void give(const Command& command) {
        auto in = sluice::command::make_context(*env);
        in.process(command);
    }
    void request(const std::string& id, std::int64_t amount = 10) {
        give(bank::RequestTransfer{.transfer_id = id, .from = "ada", .to = "bob", .amount = amount});
    }
    void accept(const std::string& id) { give(bank::AcceptTransfer{.transfer_id = id}); }
    [[nodiscard]] std::int64_t balance(const std::string& account) {
        auto in = sluice::command::make_context(*env);
        const sluice::unit_of_work work{in};
        return in.repository<bank::Account>().get(account).balance();
    }
    [[nodiscard]] std::string outcome(const std::string& id) {
        auto in = sluice::command::make_context(*env);
        const sluice::unit_of_work work{in};
        return in.repository<bank::Payment>().get(id).outcome();
    }
    [[nodiscard]] std::vector<sluice::store::stream_event> transitions(const std::string& id) {
        return database_->open_operations()->events({.stream = "bank::transfer-" + id, .limit = 100});
    }
    [[nodiscard]] bool is_complete(const std::string& id) {
        const auto steps = transitions(id);
        return !steps.empty() && sluice::process::decode_transition(steps.back()).is_complete;
    }
    [[nodiscard]] std::size_t scheduled() {
        return database_->open_unit()->due_messages(sluice::date_time::parse("9999-01-01T00:00:00Z"), 1000).size();
    }
    [[nodiscard]] static bool soon(const std::function<bool()>& holds) { return sluice::testing::eventually(holds); }

    std::unique_ptr<sluice::commit::environment> env;
    sluice::testing::temporary_directory directory_;
    std::shared_ptr<sluice::store::database> database_;
    std::shared_ptr<sluice::broker::broker> broker_;

private:
    sluice::domain domain_ = bank::make_domain();
};

TEST_P(process_engine, takes_a_process_to_its_end_and_back_when_a_step_does_not_happen) {
    sluice::engine::engine engine{*env};
    engine.start();
    bank::patience = 1h;
    request("t-1");
    accept("t-1");
    ASSERT_TRUE(soon([&] { return is_complete("t-1"); }));
    bank::patience = 50ms;
    request("t-2");
    ASSERT_TRUE(soon([&] { return is_complete("t-2"); }));
    EXPECT_EQ(outcome("t-1"), "accepted");
    EXPECT_EQ(outcome("t-2"), "expired");
    EXPECT_EQ(balance("ada"), 990);
    EXPECT_EQ(balance("bob"), 10);
    EXPECT_THAT(transitions("t-2"), SizeIs(4)) << "requested, timeout, expired, deposited";
    EXPECT_EQ(scheduled(), 0U);
}

TEST_P(process_engine, keeps_timers_while_nothing_runs) {
    {
        bank::patience = 1h;
        sluice::engine::engine engine{*env};
        engine.start();
        request("t-1");
        ASSERT_TRUE(soon([&] { return scheduled() == 1; }));
        bank::patience = 50ms;
        request("t-2");
        ASSERT_TRUE(soon([&] { return !transitions("t-2").empty(); }));
    }
    EXPECT_EQ(outcome("t-1"), "open");
    sluice::engine::engine next{*env};
    next.start();
    ASSERT_TRUE(soon([&] { return is_complete("t-2"); }));
    EXPECT_EQ(outcome("t-2"), "expired");
    EXPECT_EQ(scheduled(), 1U) << "the other is not due yet";
    EXPECT_EQ(balance("ada"), 990);
}

TEST_P(process_engine, several_engines_let_every_timer_come_once) {
    sluice::engine::engine first{*env};
    sluice::engine::engine second{*env};
    first.start();
    second.start();
    constexpr int transfers = 20;
    for (int i = 0; i < transfers; ++i) request("t-" + std::to_string(i));
    for (int i = 0; i < transfers; ++i) {
        const std::string id = "t-" + std::to_string(i);
        ASSERT_TRUE(soon([&] { return is_complete(id); })) << id;
        EXPECT_THAT(transitions(id), SizeIs(4)) << id;
    }
    const auto timeouts = database_->open_operations()->events({.type = "Bank._PMTimeout.v1", .limit = 2 * transfers});
    EXPECT_EQ(timeouts.size(), static_cast<std::size_t>(transfers));
    EXPECT_EQ(balance("ada"), 1000);
    EXPECT_EQ(scheduled(), 0U);
}

TEST_P(process_engine, gives_a_scheduled_command_in_time_although_nothing_else_happens) {
    sluice::engine::engine engine{*env};
    engine.start();
    const auto begin = std::chrono::steady_clock::now();
    auto in = sluice::command::make_context(*env);
    in.schedule(bank::Deposit{.account_id = "bob", .reference = "gift", .amount = 5}, in.now() + 100ms);
    ASSERT_TRUE(soon([&] { return balance("bob") == 5; })) << "woken by the commit, not by the tick";
    EXPECT_GE(std::chrono::steady_clock::now() - begin, 100ms);
}

// The discovery of dead letters in the reference leaves process managers out.
TEST_P(process_engine, a_process_manager_that_fails_is_found_among_the_dead_letters_by_its_name) {
    sluice::engine::engine engine{*env};
    engine.start();
    request("t-1", 5000);
    const auto dead = [&] { return broker_->open_operations()->dead_letters({.group = "bank.Transfer"}); };
    ASSERT_TRUE(soon([&] { return !dead().empty(); }));
    EXPECT_EQ(dead().front().stream, "bank::payment");
    EXPECT_EQ(dead().front().code, "validation_error");
    EXPECT_THAT(transitions("t-1"), IsEmpty());
    std::vector<std::string> streams;
    for (const auto& each : broker_->open_operations()->groups()) {
        if (each.group == "bank.Transfer") streams.push_back(each.stream);
    }
    EXPECT_THAT(streams, testing::UnorderedElementsAre("bank::account", "bank::payment", "bank::transfer:timeout"));
}

INSTANTIATE_TEST_SUITE_P(on, process_engine, testing::Values(adapters::memory, adapters::sqlite),
                         [](const auto& chosen) { return chosen.param == adapters::memory ? "memory" : "sqlite"; });

}  // namespace
