#include "engine/engine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

#include "broker/inline/inline_broker.hpp"
#include "broker/sqlite/sqlite_broker.hpp"
#include "command/invocation.hpp"
#include "store/memory/memory_database.hpp"
#include "store/sqlite/sqlite_database.hpp"
#include "support/eventually.hpp"
#include "support/post_office.hpp"
#include "support/publish_only_broker.hpp"
#include "support/scripted_broker.hpp"
#include "support/temporary_directory.hpp"

namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using steady = std::chrono::steady_clock;

enum class adapters { memory, sqlite };

/// The post office with an internal broker and a partner, both scripted, on real threads and the real clock.
class engine_test : public testing::TestWithParam<adapters> {
protected:
    engine_test() {
        if (GetParam() == adapters::memory) {
            database_ = sluice::store::make_memory_database("post");
            inner_ = sluice::broker::make_inline_broker("default");
            partner_ = sluice::broker::make_inline_broker("partner");
        } else {
            database_ = sluice::store::make_sqlite_database({.path = directory_ / "post.db"});
            inner_ = sluice::broker::make_sqlite_broker({.path = directory_ / "inner.db"});
            partner_ = sluice::broker::make_sqlite_broker({.path = directory_ / "partner.db"});
        }
        configuration_.outbox.external_brokers = {"partner"};
        configuration_.outbox.tick_interval = 600;  // whoever relies on the tick is late
        configuration_.outbox.max_probe_interval_seconds = 0.1;
        configuration_.outbox.retry.base_delay_seconds = 0.05;
        configuration_.server.shutdown_seconds = 2;
        configuration_.server.subscription.retry_delay_seconds = 0.01;
    }

    sluice::commit::environment& env() {
        if (!env_) {
            sluice::commit::adapters parts;
            parts.databases.emplace("default", database_);
            parts.brokers.emplace("default", std::make_shared<sluice::testing::scripted_broker>(inner_, inner));
            parts.brokers.emplace("partner", std::make_shared<sluice::testing::scripted_broker>(partner_, partner));
            domain_.validate();
            env_ = std::make_unique<sluice::commit::environment>(domain_.declared(), configuration_, parts,
                                                                 sluice::system_clock(), sluice::base::system_random());
        }
        return *env_;
    }

    void post(const std::string& letter_id) {
        auto in = sluice::command::make_context(env());
        in.process(post::post_letter{.letter_id = letter_id});
    }
    [[nodiscard]] int stamps(const std::string& letter_id) {
        auto in = sluice::command::make_context(env());
        const sluice::unit_of_work work{in};
        const post::letter* found = in.repository<post::letter>().find(letter_id);
        return found == nullptr ? -1 : found->stamps();
    }
    [[nodiscard]] std::int64_t open_rows(const std::string& broker) {
        const auto summary = database_->open_operations()->outbox_summary();
        const auto found = summary.find(broker);
        if (found == summary.end()) return 0;
        std::int64_t open = 0;
        for (const auto& [status, count] : found->second.by_status) open += sluice::store::is_open(status) ? count : 0;
        return open;
    }

    [[nodiscard]] static bool soon(const std::function<bool()>& holds) { return sluice::testing::eventually(holds); }

    std::shared_ptr<post::script> hook = std::make_shared<post::script>();
    std::shared_ptr<sluice::testing::broker_script> inner = std::make_shared<sluice::testing::broker_script>();
    std::shared_ptr<sluice::testing::broker_script> partner = std::make_shared<sluice::testing::broker_script>();
    sluice::config::configuration configuration_;
    sluice::testing::temporary_directory directory_;
    std::shared_ptr<sluice::store::database> database_;
    std::shared_ptr<sluice::broker::broker> inner_;
    std::shared_ptr<sluice::broker::broker> partner_;

private:
    sluice::domain domain_ = post::make_domain(hook);
    std::unique_ptr<sluice::commit::environment> env_;
};

TEST_P(engine_test, carries_a_commit_to_the_handler_and_on_to_the_next_event) {
    database_->setup();
    sluice::engine::engine engine{env()};
    engine.start();
    post("l-1");
    // The stamp first: it commits with the row that follows from it.
    ASSERT_TRUE(soon([&] { return stamps("l-1") == 1 && open_rows("default") == 0 && open_rows("partner") == 0; }));
    EXPECT_THAT(inner->accepted_ids("post::letter"), ElementsAre("post::letter-l-1-0.1", "post::letter-l-1-1.1"));
    EXPECT_THAT(partner->accepted_ids("post::letter"), ElementsAre("post::letter-l-1-0.1"))
        << "what is not published stays inside";

    const auto external = sluice::message::decode(partner->accepted("post::letter").front().body);
    const auto internal = sluice::message::decode(inner->accepted("post::letter").back().body);
    EXPECT_EQ(internal.correlation_id(), external.correlation_id()) << "of the command that began it";
    EXPECT_TRUE(internal.metadata().domain.causation_id.has_value()) << "the command that the handler gave";
    EXPECT_TRUE(engine.stop());
}

TEST_P(engine_test, finds_the_lane_that_has_been_in_one_step_for_too_long) {
    database_->setup();
    configuration_.outbox.publish_timeout_seconds = 600;
    configuration_.server.shutdown_seconds = 120;
    sluice::engine::engine engine{env()};
    EXPECT_FALSE(engine.find_hanging_lane(0s)) << "there are no lanes yet";
    engine.start();
    post("l-1");
    ASSERT_TRUE(soon([&] { return stamps("l-1") == 1 && open_rows("default") == 0 && open_rows("partner") == 0; }));
    ASSERT_TRUE(soon([&] { return !engine.find_hanging_lane(0s); })) << "they sleep";

    partner->hang(true);
    post("l-2");
    ASSERT_TRUE(soon([&] { return engine.find_hanging_lane(100ms).has_value(); }));
    const auto found = engine.find_hanging_lane(100ms);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->name, "default:partner");
    EXPECT_GT(found->in_step, 100ms);
    EXPECT_FALSE(engine.find_hanging_lane(1h));

    partner->hang(false);
    EXPECT_TRUE(soon([&] { return !engine.find_hanging_lane(100ms); }));
    EXPECT_TRUE(engine.stop());
}

TEST_P(engine_test, a_partner_that_cannot_be_read_is_served_like_any_other) {
    const auto door = std::make_shared<sluice::testing::publish_only_broker>();
    partner_ = door;
    database_->setup();
    partner->set_unreachable(true);
    sluice::engine::engine engine{env()};
    engine.start();
    post("l-1");
    ASSERT_TRUE(soon([&] { return stamps("l-1") == 1 && open_rows("default") == 0; }));
    EXPECT_EQ(open_rows("partner"), 1);

    partner->set_unreachable(false);
    ASSERT_TRUE(soon([&] { return open_rows("partner") == 0; }));
    const auto taken = door->taken();
    ASSERT_EQ(taken.size(), 1U);
    EXPECT_EQ(taken[0].id, "post::letter-l-1-0.1");
    EXPECT_EQ(taken[0].content_type, "application/json");
    EXPECT_EQ(sluice::message::decode(taken[0].body).id(), taken[0].id);
    const auto operations = env().broker("partner").open_operations();
    EXPECT_THAT(operations->groups(), IsEmpty());
    EXPECT_EQ(operations->replay({}).changed, 0U);
    EXPECT_TRUE(engine.stop());
}

TEST_P(engine_test, translates_what_another_context_publishes) {
    database_->setup();
    sluice::engine::engine engine{env()};
    engine.start();
    const std::string body = post::parcel_arrived("abroad::parcel-p-1-0.1", "p-1");
    const sluice::broker::outgoing message{
        .stream = "abroad::parcel", .message_id = "abroad::parcel-p-1-0.1", .key = "abroad::parcel-p-1", .body = body};
    static_cast<void>(inner_->open_publisher()->publish({&message, 1}, {}, 1s));
    ASSERT_TRUE(soon([&] { return stamps("p-1") == 1; })) << "subscriber, command, event, handler, second command";
}

TEST_P(engine_test, handles_submitted_commands) {
    database_->setup();
    sluice::engine::engine engine{env()};
    engine.start();
    auto in = sluice::command::make_context(env());
    EXPECT_FALSE(in.submit(post::post_letter{.letter_id = "l-1"}).empty());
    ASSERT_TRUE(soon([&] { return stamps("l-1") == 1; }));
}

TEST_P(engine_test, a_command_with_a_key_has_one_effect_however_many_give_it_at_once) {
    database_->setup();
    post("l-1");
    std::atomic<int> answers = 0;
    {
        std::vector<std::jthread> givers;
        for (int i = 0; i < 8; ++i) {
            givers.emplace_back([&] {
                auto in = sluice::command::make_context(env());
                in.process(post::stamp_letter{.letter_id = "l-1"}, {.idempotency_key = "once"});
                ++answers;
            });
        }
    }
    EXPECT_EQ(answers, 8) << "everybody is told of the success";
    EXPECT_EQ(stamps("l-1"), 1);
}

TEST_P(engine_test, an_unreachable_partner_delays_nothing_inside_and_gets_everything_in_order_later) {
    database_->setup();
    partner->set_unreachable(true);
    sluice::engine::engine engine{env()};
    engine.start();
    std::vector<std::string> expected;
    for (int i = 0; i < 20; ++i) {
        post("l-" + std::to_string(i));
        expected.push_back("post::letter-l-" + std::to_string(i) + "-0.1");
    }
    ASSERT_TRUE(soon([&] { return stamps("l-19") == 1 && open_rows("default") == 0; }));
    EXPECT_EQ(open_rows("partner"), 20);
    EXPECT_THAT(partner->accepted_ids("post::letter"), IsEmpty());

    partner->set_unreachable(false);
    ASSERT_TRUE(soon([&] { return open_rows("partner") == 0; }));
    EXPECT_EQ(partner->accepted_ids("post::letter"), expected);
}

TEST_P(engine_test, stops_in_time_although_a_broker_hangs) {
    database_->setup();
    configuration_.outbox.publish_timeout_seconds = 600;
    configuration_.server.shutdown_seconds = 120;
    partner->hang(true);
    sluice::engine::engine engine{env()};
    engine.start();
    post("l-1");
    ASSERT_TRUE(soon([&] { return partner->attempts() > 0 && open_rows("default") == 0; }));
    const auto begin = steady::now();
    EXPECT_TRUE(engine.stop());
    EXPECT_LT(steady::now() - begin, 60s) << "a second for confirmations that are on their way";
    for (const auto& each : engine.status()) EXPECT_EQ(each.state, "stopped") << each.name;
    for (const auto& lane : database_->open_operations()->lanes()) {
        EXPECT_EQ(lane.owner, "") << lane.lane << " is not left locked";
    }
    EXPECT_TRUE(engine.stop()) << "again";
}

TEST_P(engine_test, tells_when_a_handler_does_not_return) {
    database_->setup();
    configuration_.server.shutdown_seconds = 0.1;
    std::binary_semaphore entered{0};
    std::binary_semaphore release{0};
    hook->on_handle([&](const std::string&) {
        entered.release();
        release.acquire();
    });
    sluice::engine::engine engine{env()};
    engine.start();
    post("l-1");
    ASSERT_TRUE(entered.try_acquire_for(sluice::testing::long_enough));
    EXPECT_FALSE(engine.stop());
    hook->on_handle({});
    release.release();
    EXPECT_TRUE(engine.stop());
}

TEST_P(engine_test, goes_on_where_a_predecessor_stopped) {
    database_->setup();
    std::string name;
    {
        sluice::engine::engine first{env()};
        first.start();
        post("l-1");
        ASSERT_TRUE(soon([&] { return stamps("l-1") == 1; }));
        name = first.consumer_name();
    }
    post("l-2");
    sluice::engine::engine second{env()};
    second.start();
    EXPECT_EQ(second.consumer_name(), name);
    EXPECT_THAT(name, HasSubstr("-post-0"));
    ASSERT_TRUE(soon([&] { return stamps("l-2") == 1 && open_rows("partner") == 0; }));
    EXPECT_EQ(stamps("l-1"), 1);
}

TEST_P(engine_test, two_engines_share_the_work_and_do_nothing_twice) {
    database_->setup();
    configuration_.outbox.lease_seconds = 2;  // the second one takes the lanes over when the first has gone
    auto first = std::make_unique<sluice::engine::engine>(env());
    sluice::engine::engine second{env()};
    first->start();
    second.start();
    EXPECT_NE(first->consumer_name(), second.consumer_name());
    for (int i = 0; i < 20; ++i) post("l-" + std::to_string(i));
    first.reset();
    for (int i = 20; i < 40; ++i) post("l-" + std::to_string(i));
    for (int i = 0; i < 40; ++i) {
        const std::string id = "l-" + std::to_string(i);
        ASSERT_TRUE(soon([&] { return stamps(id) == 1; })) << id << " " << stamps(id);
    }
    ASSERT_TRUE(soon([&] { return open_rows("default") == 0 && open_rows("partner") == 0; }));
    EXPECT_EQ(partner->accepted_ids("post::letter").size(), 40U);
}

TEST_P(engine_test, shows_its_threads) {
    database_->setup();
    sluice::engine::engine engine{env()};
    EXPECT_THAT(engine.status(), IsEmpty());
    engine.start();
    std::vector<std::string> names;
    for (const auto& each : engine.status()) names.push_back(each.name);
    EXPECT_THAT(names, ElementsAre("default:default", "default:partner", "post.stamp_clerk post::letter",
                                   "commands post::letter:command", "post.parcel_counter abroad::parcel", "maintenance",
                                   "schedule default"));
    EXPECT_THROW(engine.start(), sluice::usage_error);
}

TEST_P(engine_test, refuses_to_start_without_a_broker_that_is_configured) {
    database_->setup();
    configuration_.outbox.external_brokers = {"partner", "nobody"};
    sluice::engine::engine engine{env()};
    EXPECT_THROW(engine.start(), sluice::configuration_error);
    EXPECT_THAT(engine.status(), IsEmpty());
    EXPECT_TRUE(engine.stop());
}

TEST_P(engine_test, refuses_to_start_on_a_database_without_tables) {
    if (GetParam() == adapters::memory) GTEST_SKIP() << "a memory database is born with its tables";
    sluice::engine::engine engine{env()};
    try {
        engine.start();
        FAIL() << "it started";
    } catch (const sluice::store_error& e) {
        EXPECT_THAT(e.what(), HasSubstr("sluice db setup"));
        EXPECT_THAT(e.what(), HasSubstr("post.db"));
    }
}

INSTANTIATE_TEST_SUITE_P(on, engine_test, testing::Values(adapters::memory, adapters::sqlite),
                         [](const auto& chosen) { return chosen.param == adapters::memory ? "memory" : "sqlite"; });

}  // namespace
