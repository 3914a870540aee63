// A whole engine while its servers go away and come back, and while nothing happens.

#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <sluice/error.hpp>

#include "broker/redis/redis_broker.hpp"
#include "command/invocation.hpp"
#include "engine/engine.hpp"
#include "integration/servers/figures.hpp"
#include "observe/log.hpp"
#include "store/postgresql/postgresql_database.hpp"
#include "support/eventually.hpp"
#include "support/post_office.hpp"
#include "support/postgresql_server.hpp"
#include "support/redis_server.hpp"
#include "support/temporary_directory.hpp"

namespace sluice::testing {
namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

/// Servers that keep what they confirmed, and the post office over them.
class server_failover : public ::testing::Test {
protected:
    server_failover() {
        observe::configure_log({.threshold = observe::level::off});
        configuration_.outbox.external_brokers = {"partner"};
        configuration_.outbox.max_probe_interval_seconds = 0.5;
        configuration_.server.subscription.retry_delay_seconds = 0.05;
        configuration_.server.subscription.max_retries = 1000;
        commit::adapters parts;
        database_ = store::make_postgresql_database({.conninfo = postgres_.uri(), .connect_timeout = 2s});
        parts.databases.emplace("default", database_);
        parts.brokers.emplace("default", broker::make_redis_broker({.uri = inside_.uri()}));
        parts.brokers.emplace("partner", broker::make_redis_broker({.uri = abroad_.uri()}));
        domain_.validate();
        database_->setup();
        env_ = std::make_unique<commit::environment>(domain_.declared(), configuration_, parts, system_clock(),
                                                     base::system_random());
    }
    ~server_failover() override {
        env_.reset();
        observe::configure_log({});
    }

    [[nodiscard]] static bool soon(const std::function<bool()>& holds, std::chrono::seconds time = 60s) {
        const auto holds_by_now = [&] {
            try {
                return holds();
            } catch (const error&) {  // on its way up again
                return false;
            }
        };
        return testing::eventually(holds_by_now, time);
    }
    /// Posts a letter, whatever it takes.
    void post(const std::string& letter) {
        auto in = command::make_context(*env_);
        while (!is_posted(in, letter)) {
            try {
                in.process(post::post_letter{.letter_id = letter});
                return;
            } catch (const error& trouble) {
                ASSERT_TRUE(trouble.retryable() || trouble.in_doubt()) << trouble.what();
                ++retried_;
                std::this_thread::sleep_for(20ms);
            }
        }
    }
    [[nodiscard]] static bool is_posted(context& in, const std::string& letter) {
        for (;;) {
            try {
                const unit_of_work work{in};
                return in.repository<post::letter>().find(letter) != nullptr;
            } catch (const error&) {
                std::this_thread::sleep_for(20ms);
            }
        }
    }

    postgresql::server postgres_ = postgresql::server::own();
    temporary_directory directory_;
    redis_server inside_{directory_ / "inside", {"--appendonly", "yes"}};
    redis_server abroad_{directory_ / "abroad", {"--appendonly", "yes"}};
    std::shared_ptr<post::script> hook_ = std::make_shared<post::script>();
    domain domain_ = post::make_domain(hook_);
    config::configuration configuration_;
    std::shared_ptr<store::database> database_;
    std::unique_ptr<commit::environment> env_;
    std::atomic<int> retried_ = 0;
};

TEST_F(server_failover, loses_nothing_and_needs_no_restart_of_ours) {
    constexpr int writers = 2;
    engine::engine engine{*env_};
    engine.start();
    std::atomic<bool> done = false;
    std::array<int, writers> posted{};
    {
        std::vector<std::jthread> threads;
        for (int writer = 0; writer < writers; ++writer) {
            threads.emplace_back([&, writer] {
                for (int& i = posted.at(static_cast<std::size_t>(writer)); !done && !HasFatalFailure(); ++i) {
                    post(fmt::format("{}.{}", writer, i));
                    std::this_thread::sleep_for(5ms);
                }
            });
        }
        const auto restart = [](redis_server& server) {
            server.stop();
            std::this_thread::sleep_for(300ms);
            server.start_again();
        };
        const std::vector<std::function<void()>> mishaps{[&] { postgres_.control("restart"); },
                                                         [&] { restart(inside_); }, [&] { restart(abroad_); },
                                                         [&] { postgres_.control("crash"); }};
        for (const auto& mishap : mishaps) {
            std::this_thread::sleep_for(500ms);
            mishap();
        }
        std::this_thread::sleep_for(500ms);
        done = true;
    }
    const auto letters = posted[0] + posted[1];
    const auto calm = steady::now();
    const auto all_is_done = [&] {
        postgresql::session sql{postgres_.uri()};
        return sql.scalar("SELECT count(*) FROM outbox WHERE status <> 'published'") == "0" &&
               sql.scalar("SELECT count(*) FROM aggregate_state WHERE (state ->> 'stamps')::int = 1") ==
                   std::to_string(letters);
    };
    EXPECT_TRUE(soon([&] {
        try {
            return all_is_done();
        } catch (const std::runtime_error&) {
            return false;
        }
    }));
    const std::chrono::duration<double> settled = steady::now() - calm;

    postgresql::session sql{postgres_.uri()};
    EXPECT_EQ(sql.scalar("SELECT count(*) FROM aggregate_state"), std::to_string(letters));
    EXPECT_EQ(sql.scalar("SELECT count(*) FROM aggregate_state WHERE (state ->> 'stamps')::int <> 1"), "0")
        << "each letter was stamped once";
    std::map<std::string, int> count;
    for (const auto& id : abroad_.message_ids("post::letter")) ++count[id];
    EXPECT_EQ(count.size(), static_cast<std::size_t>(letters));
    for (const auto& [id, times] : count) EXPECT_EQ(times, 1) << id;
    // Inside: posted, then stamped, each once.
    std::map<std::string, std::vector<std::string>> of_letter;
    for (const auto& id : inside_.message_ids("post::letter")) {
        of_letter[id.substr(0, id.rfind('-'))].push_back(id.substr(id.rfind('-') + 1));
    }
    EXPECT_EQ(of_letter.size(), static_cast<std::size_t>(letters));
    for (const auto& [letter, events] : of_letter) {
        EXPECT_EQ(events, (std::vector<std::string>{"0.1", "1.1"})) << letter;
    }
    for (const auto& each : engine.status()) EXPECT_EQ(each.restarts, 0) << each.name;
    EXPECT_TRUE(engine.stop());
    EXPECT_GT(letters, 50);
    print_figure("{} letters posted through 4 failures, {} calls tried again, all done {:.1f} s after the last",
                 letters, retried_.load(), settled.count());
}

double cpu_seconds() {
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
    };
    return seconds(used.ru_utime) + seconds(used.ru_stime);
}

TEST_F(server_failover, an_idle_engine_asks_the_database_next_to_nothing) {
    constexpr double lanes = 2;
    postgresql::session{postgres_.uri()}.execute("ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'");
    postgres_.control("restart");
    postgresql::session sql{postgres_.uri()};
    sql.execute("CREATE EXTENSION pg_stat_statements");
    engine::engine engine{*env_};
    engine.start();
    post("l-1");
    ASSERT_TRUE(soon([&] {
        return sql.scalar("SELECT count(*) FROM outbox WHERE status = 'published'") == "3" &&
               sql.scalar("SELECT count(*) FROM lease WHERE lane LIKE 'default:%' AND state = 'idle'") == "2";
    }));
    const auto calls = [&] {
        return std::stod(sql.scalar("SELECT sum(calls) FROM pg_stat_statements WHERE query NOT LIKE '%pg_stat_%'"));
    };
    const auto window = strict_timing() ? 30s : 8s;
    const auto before = calls();
    const auto cpu_before = cpu_seconds();
    std::this_thread::sleep_for(window);
    const auto cpu = (cpu_seconds() - cpu_before) / static_cast<double>(window.count());
    const auto rate = (calls() - before) / static_cast<double>(window.count()) / lanes;
    print_figure("idle: {:.2f} statements/s per lane, {:.2f} % of a core", rate, 100 * cpu);
    EXPECT_LT(rate, strict_timing() ? 3 : 4);
    if (strict_timing()) {
        EXPECT_LT(cpu, 0.01);
    }
}

}  // namespace
}  // namespace sluice::testing
