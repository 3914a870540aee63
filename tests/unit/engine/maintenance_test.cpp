#include "engine/maintenance.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.hpp"
#include "store/memory/memory_database.hpp"
#include "support/captured_log.hpp"
#include "support/post_office.hpp"

namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

class maintenance_test : public testing::Test {
protected:
    maintenance_test() {
        database->setup();
        sluice::config::configuration configuration;
        configuration.inbox.retention_hours = 1;
        configuration.outbox.cleanup.batch_size = 2;
        configuration.outbox.external_brokers = {"partner"};
        sluice::commit::adapters parts;
        parts.databases.emplace("default", database);
        env = std::make_unique<sluice::commit::environment>(domain.declared(), configuration, parts, clock, random);
    }

    void mark(const std::string& id) {
        sluice::store::commit_batch batch;
        batch.marks.push_back({id, "handler"});
        batch.at = clock.now();
        database->open_unit()->commit(batch);
    }
    bool marked(const std::string& id) { return database->open_unit()->is_marked(id, "handler"); }

    std::string log_of_a_round() {
        sluice::testing::captured_log captured;
        sluice::engine::maintenance{*env, "me"}.round();
        return captured.text();
    }

    sluice::domain domain = post::make_domain(std::make_shared<post::script>());
    post::moved_clock clock;
    sluice::base::seeded_random random{7};
    std::shared_ptr<sluice::store::database> database = sluice::store::make_memory_database("post");
    std::unique_ptr<sluice::commit::environment> env;
};

TEST_F(maintenance_test, forgets_old_marks_in_batches_and_keeps_young_ones) {
    for (int i = 0; i < 5; ++i) mark("old-" + std::to_string(i));
    clock.advance(61min);
    mark("young");
    sluice::engine::maintenance{*env, "me"}.round();
    for (int i = 0; i < 5; ++i) EXPECT_FALSE(marked("old-" + std::to_string(i)));
    EXPECT_TRUE(marked("young"));
    EXPECT_TRUE(database->open_lease()->acquire("maintenance", "next", clock.now(), 1min)) << "the lease is given back";
}

TEST_F(maintenance_test, forgets_expired_outcomes_of_commands_in_batches_and_keeps_the_others) {
    const auto outcome = [&](const std::string& key, sluice::duration retention) {
        sluice::store::commit_batch batch;
        batch.outcomes.push_back(
            {.key = key, .command = "c", .content = "null", .expires_at = clock.now() + retention});
        batch.at = clock.now();
        database->open_unit()->commit(batch);
    };
    for (int i = 0; i < 5; ++i) outcome("old-" + std::to_string(i), 1h);
    outcome("young", 3h);
    clock.advance(2h);
    sluice::engine::maintenance{*env, "me"}.round();
    const auto operations = database->open_operations();
    EXPECT_EQ(operations->purge_outcomes(clock.now(), 100), 0U) << "nothing expired is left";
    EXPECT_EQ(operations->purge_outcomes(clock.now() + 2h, 100), 1U) << "the young one";
}

TEST_F(maintenance_test, forgets_nothing_for_an_hour_after_the_calendar_jumped_forward) {
    mark("young");
    sluice::engine::maintenance keeper{*env, "me"};
    keeper.round();
    clock.set_calendar_ahead(24h);
    keeper.round();
    EXPECT_TRUE(marked("young"));
    clock.set_calendar_ahead(-24h);
    clock.advance(61min);
    keeper.round();
    EXPECT_FALSE(marked("young"));
}

TEST_F(maintenance_test, leaves_the_marks_to_the_engine_that_has_the_lease) {
    mark("old");
    clock.advance(61min);
    ASSERT_TRUE(database->open_lease()->acquire("maintenance", "somebody", clock.now(), 1min));
    sluice::engine::maintenance{*env, "me"}.round();
    EXPECT_TRUE(marked("old"));
}

TEST_F(maintenance_test, warns_of_rows_whose_broker_is_no_longer_configured) {
    sluice::store::commit_batch batch;
    batch.at = clock.now();
    batch.events.push_back({.event = {.message_id = "post::letter-l-1-0.1",
                                      .stream = "post::letter-l-1",
                                      .stream_category = "post::letter",
                                      .type = "Post.LetterPosted.v1",
                                      .data = "{}",
                                      .metadata = "{}",
                                      .created_at = clock.now()},
                            .target_brokers = {"default", "partner", "former_partner"}});
    database->open_unit()->commit(batch);
    const std::string log = log_of_a_round();
    EXPECT_THAT(log, HasSubstr("outbox.orphaned broker=former_partner database=default rows=1"));
    EXPECT_THAT(log, HasSubstr("sluice outbox retire former_partner"));
    EXPECT_THAT(log, Not(HasSubstr("broker=partner")));

    static_cast<void>(
        database->open_operations()->discard({.target_broker = "former_partner"}, "retired", clock.now()));
    EXPECT_THAT(log_of_a_round(), Not(HasSubstr("outbox.orphaned")));
}

}  // namespace
