#include <atomic>
#include <map>
#include <random>
#include <set>

#include "base/random.hpp"
#include "broker/inline/inline_broker.hpp"
#include "integration/postgresql/postgresql_fixture.hpp"
#include "observe/log.hpp"
#include "outbox/lane.hpp"
#include "support/scripted_broker.hpp"

/// A lane drains and units commit while their connections are terminated over and over, and while the server is
/// restarted and crashes: nothing is lost, and every stream keeps its order.
namespace sluice::store::postgresql_test {
namespace {

constexpr int writers = 4;
constexpr int streams_of_a_writer = 3;

class postgresql_chaos : public ::testing::Test {
protected:
    postgresql_chaos() {
        observe::configure_log({.threshold = observe::level::off});
        store_->setup();
    }
    ~postgresql_chaos() override { observe::configure_log({}); }

    [[nodiscard]] postgresql_options options() const {
        return {.conninfo = server_.uri(), .max_connections = 12, .connect_timeout = 2s};
    }

    /// Commits versions of a few aggregates until told to stop. What it was told is what it counts on: a unit that was
    /// told "nothing was written" does it again, one in doubt looks.
    void write(int writer, const std::atomic<bool>& done);
    void drain(const std::stop_token& stop);
    void expect_all_arrived_in_order();

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
                ASSERT_TRUE(e.retryable()) << e.what();
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

TEST_F(postgresql_chaos, loses_nothing_and_keeps_every_streams_order) {
    std::atomic<bool> done = false;
    std::jthread lane{[this](const std::stop_token& stop) { drain(stop); }};
    std::vector<std::jthread> threads;
    for (int writer = 0; writer < writers; ++writer) {
        threads.emplace_back([&, writer] { write(writer, done); });
    }
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
    std::minstd_rand random{42};
    for (int round = 0; round < 100; ++round) {
        std::this_thread::sleep_for(std::chrono::milliseconds{5 + random() % 60});
        kill_all();
        if (round == 40) server_.control("restart");
        if (round == 70) server_.control("crash");
    }
    done = true;
    threads.clear();
    const auto drained = [&] { return script_->accepted_ids("shop::order").size() >= std::size_t(committed_.load()); };
    EXPECT_TRUE(eventually(drained, 30s));
    lane.request_stop();
    lane.join();

    expect_all_arrived_in_order();
    EXPECT_GT(kills, 200);
    EXPECT_GT(committed_, 200);
    RecordProperty("kills", kills);
    RecordProperty("committed", committed_);
    RecordProperty("retried", retried_);
    RecordProperty("sent_twice", static_cast<int>(script_->duplicates()));
    std::printf("%d connections terminated, %d commits, %d calls tried again, %zu messages sent twice\n", kills,
                committed_.load(), retried_.load(), script_->duplicates());
}

}  // namespace
}  // namespace sluice::store::postgresql_test
