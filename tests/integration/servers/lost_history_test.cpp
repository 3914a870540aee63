// A standby that lagged takes over: the last commits of its primary have never been.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <sluice/error.hpp>
#include <sluice/message.hpp>

#include "broker/redis/redis_broker.hpp"
#include "broker/sqlite/sqlite_broker.hpp"
#include "command/invocation.hpp"
#include "engine/engine.hpp"
#include "integration/servers/figures.hpp"
#include "observe/log.hpp"
#include "store/postgresql/postgresql_database.hpp"
#include "support/consumer.hpp"
#include "support/eventually.hpp"
#include "support/free_port.hpp"
#include "support/post_office.hpp"
#include "support/postgresql_server.hpp"
#include "support/redis_server.hpp"
#include "support/tcp_gate.hpp"
#include "support/temporary_directory.hpp"

namespace sluice::testing {
namespace {

using namespace std::chrono_literals;

/// A primary, and a standby that streams from it.
class pair_of_servers {
public:
    pair_of_servers() { primary_.control("add_standby " + std::to_string(standby_port_)); }

    /// Of both. @param first  the port by which the primary is reached
    [[nodiscard]] std::string uri(std::uint16_t first) const {
        return fmt::format("postgresql://sluice@127.0.0.1:{},127.0.0.1:{}/test?target_session_attrs=read-write", first,
                           standby_port_);
    }
    [[nodiscard]] std::string uri() const { return uri(primary_.port()); }
    [[nodiscard]] const postgresql::server& primary() const { return primary_; }
    [[nodiscard]] std::string standby_uri() const {
        return fmt::format("postgresql://sluice@127.0.0.1:{}/test", standby_port_);
    }
    /// The standby has what the primary has committed by now.
    void wait_for_the_standby() const {
        const auto there = postgresql::session{primary_.uri()}.scalar("SELECT pg_current_wal_lsn()");
        if (!eventually(
                [&] {
                    return postgresql::session{standby_uri()}.scalar("SELECT pg_last_wal_replay_lsn() >= '" + there +
                                                                     "'") == "t";
                },
                60s)) {
            throw std::runtime_error{"the standby does not follow"};
        }
    }
    /// What is committed from now on is lost with the primary.
    void cut() const {
        primary_.control("cut_standby");
        if (!eventually(
                [&] {
                    return postgresql::session{primary_.uri()}.scalar("SELECT count(*) FROM pg_stat_replication") ==
                           "0";
                },
                60s)) {
            throw std::runtime_error{"the standby is still connected"};
        }
    }
    void fail_over() const { primary_.control("promote_standby"); }

private:
    postgresql::server primary_ = postgresql::server::own();
    std::uint16_t standby_port_ = free_port();
};

int rounds() {
    const char* const wanted = std::getenv("SLUICE_FAILOVER_ROUNDS");
    return wanted == nullptr ? 1 : std::max(1, std::atoi(wanted));
}

/// The post office over such a pair, a Redis inside and an embedded broker abroad.
class office_over_a_pair {
public:
    office_over_a_pair() {
        configuration_.outbox.external_brokers = {"partner"};
        configuration_.outbox.max_probe_interval_seconds = 0.2;
        configuration_.server.subscription.retry_delay_seconds = 0.05;
        configuration_.server.subscription.max_retries = 1000;
        commit::adapters parts;
        parts.databases.emplace("default",
                                store::make_postgresql_database({.conninfo = servers.uri(), .connect_timeout = 2s}));
        parts.brokers.emplace("default", broker::make_redis_broker({.uri = inside.uri()}));
        parts.brokers.emplace("partner", broker::make_sqlite_broker({.path = directory_ / "abroad.db"}));
        domain_.validate();
        parts.databases.at("default")->setup();
        env = std::make_unique<commit::environment>(domain_.declared(), configuration_, parts, system_clock(),
                                                    base::system_random());
    }

    /// False when it failed, which may have left the letter or not.
    [[nodiscard]] bool post(const std::string& letter) const {
        try {
            command::make_context(*env).process(post::post_letter{.letter_id = letter});
            return true;
        } catch (const error& trouble) {
            EXPECT_TRUE(trouble.retryable() || trouble.in_doubt()) << trouble.what();
            return false;
        }
    }
    /// Id and time of the messages that a partner got, in their order.
    [[nodiscard]] std::vector<std::pair<std::string, std::string>> abroad() const {
        std::vector<std::pair<std::string, std::string>> all;
        const auto consumer = sluice::testing::open_consumer(env->broker("partner"), "post::letter",
                                                             {.group = "reader", .consumer = "me"});
        for (;;) {
            const auto messages = consumer->read(1000, system_clock().now());
            if (messages.empty()) return all;
            std::vector<std::string> entries;
            for (const auto& each : messages) {
                const auto m = message::decode(each.body);
                all.emplace_back(m.id(), m.metadata().headers.time.value().to_string());
                entries.push_back(each.entry);
            }
            consumer->ack(entries);
        }
    }

    pair_of_servers servers;
    std::unique_ptr<commit::environment> env;

private:
    temporary_directory directory_;

public:
    redis_server inside{directory_ / "inside", {"--appendonly", "yes"}};

private:
    std::shared_ptr<post::script> hook_ = std::make_shared<post::script>();
    domain domain_ = post::make_domain(hook_);
    config::configuration configuration_;
};

class lost_history : public ::testing::Test {
protected:
    lost_history() { observe::configure_log({.threshold = observe::level::off}); }
    ~lost_history() override { observe::configure_log({}); }
};

void fail_over_under_load(std::chrono::milliseconds before, std::chrono::milliseconds lag) {
    office_over_a_pair office;
    engine::engine engine{*office.env};
    engine.start();
    std::atomic<bool> done = false;
    std::atomic<int> posted = 0;
    std::vector<std::jthread> writers;
    for (int writer = 0; writer < 2; ++writer) {
        writers.emplace_back([&, writer] {
            for (int i = 0; !done; ++i) posted += office.post(fmt::format("{}.{}", writer, i)) ? 1 : 0;
        });
    }
    const auto wait_for = [&](int more) {
        const int from = posted;
        EXPECT_TRUE(eventually([&] { return posted >= from + more; }, 120s)) << "nothing is posted any more";
    };
    wait_for(30);
    std::this_thread::sleep_for(before);
    office.servers.cut();
    wait_for(30);  // lost
    std::this_thread::sleep_for(lag);
    office.servers.fail_over();
    wait_for(60);
    done = true;
    writers.clear();

    postgresql::session sql{office.servers.standby_uri()};
    EXPECT_TRUE(
        eventually([&] { return sql.scalar("SELECT count(*) FROM outbox WHERE status <> 'published'") == "0"; }, 120s))
        << sql.scalar("SELECT string_agg(lane || ' ' || state || ' ' || detail, '; ') FROM lease");
    EXPECT_TRUE(engine.stop());
    for (const auto& each : engine.status()) EXPECT_EQ(each.restarts, 0) << each.name;

    // Each event that this history has reached the partner once, and those of a letter in order.
    const auto log = sql.column(
        "SELECT message_id || ' ' || (metadata -> 'headers' ->> 'time') FROM event_log"
        " JOIN outbox USING (message_id) WHERE target_broker = 'partner' ORDER BY event_log.seq");
    std::map<std::string, int> seen;
    std::vector<std::string> order;
    for (const auto& [id, time] : office.abroad()) {
        if (++seen[id + ' ' + time] == 1) order.push_back(id + ' ' + time);
    }
    for (const auto& event : log) EXPECT_EQ(seen[event], 1) << event;
    const std::set<std::string> known{log.begin(), log.end()};
    std::erase_if(order, [&](const std::string& event) { return !known.contains(event); });
    // One writer waits for each commit before the next, so its letters have one order.
    for (const char* writer : {"post::letter-0.", "post::letter-1."}) {
        const auto of_writer = [&](std::vector<std::string> events) {
            std::erase_if(events, [&](const std::string& event) { return !event.starts_with(writer); });
            return events;
        };
        EXPECT_EQ(of_writer(order), of_writer(log));
    }
    std::set<std::string> within;
    for (const auto& id : office.inside.message_ids("post::letter")) within.insert(id);
    for (const auto& event : log) EXPECT_TRUE(within.contains(event.substr(0, event.find(' ')))) << event;
    print_figure("{} letters posted, {} events in the history that survived, {} messages abroad", posted.load(),
                 log.size(), seen.size());
}

TEST_F(lost_history, every_event_of_the_one_that_survives_reaches_every_broker) {
    base::seeded_random random{base::system_random().next()};
    for (int round = 0; round < rounds() && !HasFailure(); ++round) {
        const auto moment = [&](double most) {
            return std::chrono::milliseconds{static_cast<int>(random.uniform() * most)};
        };
        fail_over_under_load(moment(300), moment(300));
    }
}

/// A database, a copy of it for staging, and one Redis that somebody made both of them publish to.
class copied_database : public lost_history {
protected:
    /// The post office over one of them, with an engine that runs.
    class office {
    public:
        office(const std::string& database_uri, const std::string& inside_uri, const std::string& abroad_uri) {
            configuration_.outbox.external_brokers = {"partner"};
            configuration_.outbox.max_probe_interval_seconds = 0.2;
            commit::adapters parts;
            database = store::make_postgresql_database({.conninfo = database_uri});
            database->setup();
            parts.databases.emplace("default", database);
            parts.brokers.emplace("default", broker::make_redis_broker({.uri = inside_uri}));
            parts.brokers.emplace("partner", broker::make_redis_broker({.uri = abroad_uri}));
            domain_.validate();
            env_ = std::make_unique<commit::environment>(domain_.declared(), configuration_, parts, system_clock(),
                                                         base::system_random());
            engine_ = std::make_unique<engine::engine>(*env_);
            engine_->start();
        }
        ~office() { engine_->stop(); }

        void post(const std::string& letter) const {
            command::make_context(*env_).process(post::post_letter{.letter_id = letter});
        }
        [[nodiscard]] store::lane_status partner_lane() const {
            for (auto& each : database->open_operations()->lanes()) {
                if (each.lane == "default:partner") return each;
            }
            return {};
        }

        std::shared_ptr<store::database> database;

    private:
        domain domain_ = post::make_domain(std::make_shared<post::script>());
        config::configuration configuration_;
        std::unique_ptr<commit::environment> env_;
        std::unique_ptr<engine::engine> engine_;
    };

    [[nodiscard]] std::unique_ptr<office> open(const std::string& database, int inside) const {
        const auto uri = server_.uri();
        return std::make_unique<office>(uri.substr(0, uri.rfind('/') + 1) + database,
                                        redis_.uri() + "/" + std::to_string(inside), redis_.uri() + "/0");
    }
    [[nodiscard]] bool reaches_the_partner(const std::string& letter) const {
        return eventually(
            [&] {
                const auto ids = redis_.message_ids("post::letter");
                return std::ranges::count(ids, "post::letter-" + letter + "-0.1") == 1;
            },
            60s);
    }

    postgresql::server server_ = postgresql::server::own();
    temporary_directory directory_;
    redis_server redis_{directory_ / "redis", {}};
};

TEST_F(copied_database, waits_beside_its_original_until_a_person_says_that_it_is_a_copy) {
    {
        const auto original = open("test", 1);
        original->post("before");
        ASSERT_TRUE(reaches_the_partner("before"));
    }
    postgresql::session{server_.uri().substr(0, server_.uri().rfind('/')) + "/postgres"}.execute(
        "CREATE DATABASE staging TEMPLATE test");
    const auto original = open("test", 1);
    original->post("after");
    ASSERT_TRUE(reaches_the_partner("after"));

    const auto copy = open("staging", 2);
    copy->post("staged");
    EXPECT_TRUE(eventually([&] { return copy->partner_lane().state == "paused"; }, 60s));
    EXPECT_THAT(copy->partner_lane().detail, ::testing::HasSubstr("sluice db adopt --copy"));
    EXPECT_EQ(copy->database->history().incarnation, 0U) << "it may not take over by itself";

    EXPECT_EQ(copy->database->adopt({.copy = true}).refusal, "");
    EXPECT_TRUE(reaches_the_partner("staged"));
    original->post("at-last");
    EXPECT_TRUE(reaches_the_partner("at-last")) << "the original is not shut out";
    copy->post("staged-too");
    EXPECT_TRUE(reaches_the_partner("staged-too"));
    EXPECT_NE(copy->database->identity(), original->database->identity());
}

TEST_F(copied_database, that_took_the_place_of_its_original_goes_on_by_itself) {
    const auto admin = [&](const std::string& sql) {
        postgresql::session{server_.uri().substr(0, server_.uri().rfind('/')) + "/postgres"}.execute(sql);
    };
    {
        const auto original = open("test", 1);
        original->post("before");
        ASSERT_TRUE(reaches_the_partner("before"));
    }
    admin("CREATE DATABASE backup TEMPLATE test");
    {
        const auto original = open("test", 1);
        original->post("lost");
        ASSERT_TRUE(reaches_the_partner("lost"));
    }
    admin("DROP DATABASE test");
    admin("ALTER DATABASE backup RENAME TO test");
    const auto restored = open("test", 1);
    restored->post("after");
    EXPECT_TRUE(reaches_the_partner("after"));
    EXPECT_GT(restored->database->history().incarnation, 0U) << "epoch and lane are equal, the owner is not";
}

/// A commit whose answer was lost with its server.
class lost_commit_of_a_pair : public lost_history {
protected:
    lost_commit_of_a_pair() {
        unit_->commit({.states = {state("k", 0)}, .at = system_clock().now()});
        servers_.wait_for_the_standby();
        servers_.cut();
    }

    [[nodiscard]] static std::unique_ptr<store::unit_session> set_up(store::database& store) {
        store.setup();
        return store.open_unit();
    }
    [[nodiscard]] static store::state_write state(const std::string& id, std::int64_t version) {
        return {.what = version == 0 ? store::state_write::operation::insert : store::state_write::operation::update,
                .aggregate = "Order",
                .id = id,
                .version = version,
                .state = fmt::format(R"({{"version":{}}})", version)};
    }
    /// Commits on the primary, which dies with the answer before the standby has heard of it.
    [[nodiscard]] std::string outcome_of(const store::commit_batch& batch) {
        postgresql::session rival{servers_.primary().uri()};
        rival.execute("BEGIN; SELECT FROM aggregate_state FOR UPDATE");
        std::string told = "committed";
        std::atomic<bool> over = false;
        std::jthread writer{[&] {
            try {
                unit_->commit(batch);
            } catch (const error& e) {
                told = std::string{e.in_doubt()    ? "in doubt: "
                                   : e.retryable() ? "retryable: "
                                                   : "permanent: "} +
                       e.what();
            }
            over = true;
        }};
        postgresql::session look{servers_.primary().uri()};
        EXPECT_TRUE(eventually(
            [&] { return look.scalar("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'") == "1"; },
            60s));
        gate_.reset();  // no listener: libpq goes on to the next host
        rival.execute("COMMIT");
        EXPECT_TRUE(eventually([&] { return look.scalar("SELECT max(version) FROM aggregate_state") == "1"; }, 60s));
        EXPECT_FALSE(over);
        servers_.fail_over();
        writer.join();
        return told;
    }

    pair_of_servers servers_;
    std::optional<tcp_gate> gate_{std::in_place, servers_.primary().port()};
    std::unique_ptr<store::database> store_ =
        store::make_postgresql_database({.conninfo = servers_.uri(gate_->port()), .connect_timeout = 2s});
    std::unique_ptr<store::unit_session> unit_ = set_up(*store_);
};

TEST_F(lost_commit_of_a_pair, finds_no_lane_on_the_standby_which_can_be_looked_at) {
    const auto standby = store::make_postgresql_database({.conninfo = servers_.standby_uri()});
    EXPECT_NE(standby->history().identity, "");
    EXPECT_EQ(standby->history().place, "") << "it has no timeline of its own";
    EXPECT_THAT(standby->faults(100), ::testing::IsEmpty());
    try {
        static_cast<void>(standby->open_lane());
        FAIL() << "a lane on a standby";
    } catch (const store_error& e) {
        EXPECT_TRUE(e.retryable());
        EXPECT_THAT(e.what(), ::testing::HasSubstr("target_session_attrs"));
    }
}

TEST_F(lost_commit_of_a_pair, is_in_doubt_whatever_the_standby_knows) {
    const auto told = outcome_of({.states = {state("k", 1)}, .at = system_clock().now()});
    EXPECT_THAT(told,
                ::testing::AllOf(::testing::StartsWith("in doubt"), ::testing::HasSubstr("timeline was 1 and is 2")));
    EXPECT_EQ(postgresql::session{servers_.standby_uri()}.scalar("SELECT max(version) FROM aggregate_state"), "0");
}

}  // namespace
}  // namespace sluice::testing
