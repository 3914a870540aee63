#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>
#include <string>
#include <vector>

#include "unit/commit/ledger.hpp"

/// What an event-sourced aggregate must do on any database, told through its repository.
namespace ledger {

inline void tell_event_sourced_story(const std::shared_ptr<sluice::store::database>& database) {
    using ::testing::ElementsAre;
    fixture f{make_domain({.account = {.facts = sluice::facts::published, .snapshot_every = 4}}), 0, database};
    f.open("a-1", 100);
    f.deposit("a-1", 20);
    const auto clock_before_snapshot = f.clock.now();
    f.clock.advance(sluice::duration{1});
    f.deposit("a-1", 3);  // the fourth event: a snapshot is written
    EXPECT_EQ(
        f.session->load_snapshot("Account", "a-1").value_or(sluice::store::stored_snapshot{.version = -1}).version, 3);
    f.deposit("a-1", 1);
    EXPECT_EQ(f.read("a-1").balance(), 124);
    EXPECT_EQ(f.read("a-1").version(), 4);

    // Two that collide: one wins, nothing of the other is left.
    auto mine = f.context();
    sluice::unit_of_work unit{mine};
    mine.repository<Account>().get("a-1").withdraw(100);
    f.deposit("a-1", 6);
    EXPECT_THROW(unit.commit(), sluice::expected_version_error);
    EXPECT_THROW(f.open("a-1"), sluice::expected_version_error) << "the identity is in use";
    EXPECT_EQ(f.read("a-1").balance(), 130);

    auto in = f.context();
    const sluice::unit_of_work look{in};
    std::vector<std::int64_t> balances;
    for (int version = 0; version <= 5; ++version) {
        balances.push_back(in.repository<Account>().at_version("a-1", version).balance());
    }
    EXPECT_THAT(balances, ElementsAre(0, 100, 120, 123, 124, 130));
    EXPECT_EQ(in.repository<Account>().at_time("a-1", clock_before_snapshot).balance(), 120);

    std::vector<std::string> facts;
    for (const auto& each : f.stream("bank::account-fact-a-1")) facts.push_back(each.event.message_id);
    EXPECT_THAT(facts, ElementsAre("bank::account-fact-a-1-1", "bank::account-fact-a-1-2", "bank::account-fact-a-1-3",
                                   "bank::account-fact-a-1-4", "bank::account-fact-a-1-5"));
    EXPECT_EQ(f.rows("bank::account-fact-a-1-5").size(), 2U) << "one row for each broker";
    EXPECT_THAT(f.database->open_operations()->streams("bank::account", "", 10),
                ElementsAre("bank::account-a-1", "bank::account-fact-a-1"));
}

/// Remembers the facts that it was given.
struct fact_log {
    std::mutex mutex{};
    std::vector<std::string> seen{};

    [[nodiscard]] std::vector<std::string> copy() {
        const std::lock_guard lock{mutex};
        return seen;
    }
};

struct note_facts {
    std::shared_ptr<fact_log> log;
    void operator()(const sluice::fact<Account>& now, sluice::context& /*in*/) const {
        const std::lock_guard lock{log->mutex};
        log->seen.push_back(std::to_string(now.version) + ": " + std::to_string(now.state.balance()));
    }
    void operator()(const MoneyDeposited& /*event*/, sluice::context& /*in*/) const {}
};

}  // namespace ledger
