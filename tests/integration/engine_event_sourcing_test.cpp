#include "broker/inline/inline_broker.hpp"
#include "engine/engine.hpp"
#include "integration/event_sourced_story.hpp"
#include "store/sqlite/sqlite_database.hpp"
#include "support/eventually.hpp"
#include "support/temporary_directory.hpp"

namespace {

using ::testing::ElementsAre;

TEST(event_sourced_story, holds_on_memory) {
    ledger::tell_event_sourced_story(sluice::store::make_memory_database("bank"));
}

TEST(event_sourced_story, holds_on_sqlite) {
    const sluice::testing::temporary_directory directory;
    ledger::tell_event_sourced_story(sluice::store::make_sqlite_database({.path = directory / "bank.db"}));
}

TEST(engine_facts, reach_a_handler_of_the_domain_in_the_order_of_the_versions) {
    const auto log = std::make_shared<ledger::fact_log>();
    auto domain = ledger::make_domain({.account = {.facts = sluice::facts::internal}});
    domain.event_handler<ledger::note_facts, sluice::fact<ledger::Account>, ledger::MoneyDeposited>(
        ledger::note_facts{log});
    const auto database = std::shared_ptr{sluice::store::make_memory_database("bank")};
    database->setup();
    sluice::commit::adapters parts;
    parts.databases.emplace("default", database);
    parts.brokers.emplace("default", sluice::broker::make_inline_broker("default"));
    sluice::commit::environment env{
        domain.declared(), {}, parts, sluice::system_clock(), sluice::base::system_random()};
    sluice::engine::engine engine{env};
    engine.start();
    const auto work = [&](const auto& body) {
        auto in = sluice::command::make_context(env);
        sluice::unit_of_work unit{in};
        body(in.repository<ledger::Account>());
        unit.commit();
    };
    work([](const auto& accounts) { accounts.add(ledger::Account{"a-1", "ada"}); });
    for (int i = 1; i <= 3; ++i) {
        work([&](const auto& accounts) { accounts.get("a-1").deposit(i); });
    }
    EXPECT_TRUE(sluice::testing::eventually([&] { return log->copy().size() == 4; }));
    EXPECT_THAT(log->copy(), ElementsAre("0: 0", "1: 1", "2: 3", "3: 6"));
    EXPECT_TRUE(engine.stop());
}

}  // namespace
