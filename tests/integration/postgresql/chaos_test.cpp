#include <atomic>
#include <map>
#include <random>

#include "base/random.hpp"
#include "broker/inline/inline_broker.hpp"
#include "integration/postgresql/postgresql_fixture.hpp"
#include "observe/log.hpp"
#include "outbox/lane.hpp"
#include "support/free_port.hpp"
#include "support/scripted_broker.hpp"

/// A lane drains and units commit while their connections are terminated over and over, and while the server is
/// restarted, crashes and is replaced: nothing is lost, and every stream keeps its order.
namespace sluice::store::postgresql_test {
namespace {

constexpr int writers = 4;
constexpr int streams_of_a_writer = 3;

class postgresql_chaos : public ::testing::Test {
protected:
    explicit postgresql_chaos(std::uint16_t standby_port = 0) : standby_port_{standby_port} {
        observe::configure_log({.threshold = observe::level::off});
        store_->setup();
        static_cast<void>(store_->open_unit());  // finds the tables, which no session asks for again
    }
    ~postgresql_chaos() override { observe::configure_log({}); }

    [[nodiscard]] postgresql_options options() const {
        auto address = server_.uri();
        if (standby_port_ != 0) {
            address.insert(address.rfind('/'), ",127.0.0.1:" + std::to_string(standby_port_));
            address += "?target_session_attrs=read-write";
        }
        return {.conninfo = address, .max_connections = 12, .connect_timeout = 2s};
    }
    /// Runs the writers and the lane, does `harm`, and checks what arrived.
    template <class Harm>
    void survive(Harm harm);

    /// Commits versions of a few aggregates until told to stop. What it was told is what it counts on: a unit that was
    /// told "nothing was written" does it again, one in doubt looks.
    void write(int writer, const std::atomic<bool>& done);
    static bool is_at(unit_session& unit, const std::string& order, std::int64_t version);
    void drain(const std::stop_token& stop);
    void expect_all_arrived_in_order();

    const std::uint16_t standby_port_;
    testing::postgresql::server server_ = testing::postgresql::server::own();
    std::unique_ptr<database> store_ = make_postgresql_database(options());
    std::shared_ptr<testing::broker_script> script_ = std::make_shared<testing::broker_script>();
    std::atomic<int> committed_ = 0;
    std::atomic<int> retried_ = 0;
};

void postgresql_chaos::write(int writer, const std::atomic<bool>& done) {
    const auto unit = store_->open_unit();
    std::map<std::string, std::int64_t> next_version;
    for (int i = 0; !done; ++i) {
        const auto order = std::to_string(writer) + "." + std::to_string(i % streams_of_a_writer);
        const auto version = next_version[order];
        auto write = event("shop::order-" + order + "-" + std::to_string(version), order, {"partner"});
        for (;;) {
            try {
                commit_batch batch{.at = system_clock().now()};
                batch.states = {version == 0 ? insert(order) : update(order, version)};
                batch.events = {write};
                unit->commit(batch);
                break;
            } catch (const error& e) {
                if (e.in_doubt() && is_at(*unit, order, version)) break;
                ASSERT_TRUE(e.retryable() || e.in_doubt()) << e.what();
                ASSERT_STRNE(e.code(), "expected_version_error")
                    << "a commit was reported as not written, and was: " << e.what();
                ++retried_;
                std::this_thread::sleep_for(5ms);
            }
        }
        ++next_version[order];
        ++committed_;
    }
}

bool postgresql_chaos::is_at(unit_session& unit, const std::string& order, std::int64_t version) {
    for (;;) {
        try {
            const auto found = unit.load("Order", order);
            return found && found->version == version;
        } catch (const error& e) {
            if (!e.retryable()) throw;
            std::this_thread::sleep_for(5ms);
        }
    }
}

void postgresql_chaos::drain(const std::stop_token& stop) {
    testing::scripted_broker broker{broker::make_inline_broker("partner"), script_};
    base::seeded_random random{7};
    observe::tracer tracer{"shop", system_clock()};
    outbox::lane_settings settings{.database = "default", .broker = "partner", .external = true, .owner = "me"};
    settings.outbox.messages_per_tick = 20;
    settings.outbox.lease_seconds = 6;
    settings.outbox.publish_timeout_seconds = 2;
    outbox::lane lane{settings, {*store_, broker, system_clock(), random, tracer}};
    lane.run(stop);
}

void postgresql_chaos::expect_all_arrived_in_order() {
    const auto arrived = script_->accepted("shop::order");
    std::map<std::string, std::int64_t> next;
    for (const auto& message : arrived) {
        const auto version = std::stoll(message.message_id.substr(message.message_id.rfind('-') + 1));
        EXPECT_EQ(version, next[message.key]) << message.key << " is out of order";
        next[message.key] = version + 1;
    }
    EXPECT_EQ(arrived.size(), static_cast<std::size_t>(committed_.load()));
    session db{server_.uri()};
    EXPECT_EQ(db.scalar("SELECT count(*) FROM outbox WHERE status = 'published'"), std::to_string(committed_.load()));
    EXPECT_EQ(db.scalar("SELECT sum(version + 1) FROM aggregate_state"), std::to_string(committed_.load()));
}

template <class Harm>
void postgresql_chaos::survive(Harm harm) {
    std::atomic<bool> done = false;
    std::jthread lane{[this](const std::stop_token& stop) { drain(stop); }};
    std::vector<std::jthread> threads;
    for (int writer = 0; writer < writers; ++writer) {
        threads.emplace_back([&, writer] { write(writer, done); });
    }
    harm();
    done = true;
    threads.clear();
    const auto drained = [&] { return script_->accepted_ids("shop::order").size() >= std::size_t(committed_.load()); };
    EXPECT_TRUE(eventually(drained, 60s)) << script_->accepted_ids("shop::order").size() << " of " << committed_;
    lane.request_stop();
    lane.join();
    expect_all_arrived_in_order();
    std::printf("%d commits, %d calls tried again, %zu messages sent twice\n", committed_.load(), retried_.load(),
                script_->duplicates());
}

TEST_F(postgresql_chaos, loses_nothing_and_keeps_every_streams_order) {
    int kills = 0;
    const auto kill_all = [&] {
        try {
            session db{server_.uri() + "?application_name=chaos"};
            kills +=
                std::stoi(db.scalar("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                                    " WHERE application_name = 'sluice'"));
        } catch (const std::runtime_error&) {
            return;  // the server is on its way
        }
    };
    const auto commits_more = [&](int rounds) {
        const int before = committed_;
        return eventually([&] { return committed_ >= before + rounds; }, 60s);
    };
    std::minstd_rand random{42};
    survive([&] {
        for (int round = 0; round < 100; ++round) {
            std::this_thread::sleep_for(std::chrono::milliseconds{5 + random() % 60});
            kill_all();
            if (round % 10 == 0) {
                EXPECT_TRUE(commits_more(5)) << "nobody gets anywhere";
            }
            if (round == 40) server_.control("restart");
            if (round == 70) server_.control("crash");
        }
    });
    EXPECT_GT(kills, 100);
    std::printf("%d connections terminated\n", kills);
}

class postgresql_failover : public postgresql_chaos {
protected:
    postgresql_failover() : postgresql_chaos{testing::free_port()} {}
};

TEST_F(postgresql_failover, goes_on_with_the_server_that_takes_over) {
    survive([&] {
        ASSERT_TRUE(eventually([&] { return committed_ >= 100; }, 60s));
        server_.control("fail_over_to " + std::to_string(standby_port_));
        const int before = committed_;
        ASSERT_TRUE(eventually([&] { return committed_ >= before + 100; }, 60s));
    });
}

}  // namespace
}  // namespace sluice::store::postgresql_test
