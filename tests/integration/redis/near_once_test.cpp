#include <csignal>
#include <map>
#include <random>

#include <sys/wait.h>
#include <unistd.h>

#include <sluice/json.hpp>

#include "integration/redis/redis_fixture.hpp"
#include "outbox/lane.hpp"
#include "store/sqlite/sqlite_database.hpp"

namespace sluice::broker::redis_test {
namespace {

/// Later than the machine's clock: a process with a later clock finds every lease expired.
class later_clock final : public clock {
public:
    explicit later_clock(duration by) : by_{by} {}
    [[nodiscard]] date_time now() const override { return system_clock().now() + by_; }
    [[nodiscard]] instant monotonic_now() const override { return system_clock().monotonic_now(); }

private:
    duration by_;
};

/// What happens to a process when it publishes for the n-th time.
struct fate {
    enum class moment { before, after };

    int publish = -1;  ///< negative: nothing
    int signal = SIGKILL;
    moment when = moment::after;
};

/// Tells another process when a publish begins, and lets its own meet its fate.
class doomed_broker final : public broker {
public:
    doomed_broker(std::unique_ptr<broker> behind, fate end, int pipe)
        : behind_{std::move(behind)}, fate_{end}, pipe_{pipe} {}

    [[nodiscard]] std::string describe() const override { return behind_->describe(); }
    [[nodiscard]] capabilities can() const override { return behind_->can(); }
    [[nodiscard]] std::unique_ptr<publisher> open_publisher() override {
        return std::make_unique<doomed_publisher>(behind_->open_publisher(), *this);
    }
    [[nodiscard]] std::unique_ptr<reader> open_reader(const std::vector<std::string>& streams,
                                                      const membership& member) override {
        return behind_->open_reader(streams, member);
    }
    [[nodiscard]] std::unique_ptr<operations> open_operations() override { return behind_->open_operations(); }

private:
    struct doomed_publisher final : publisher {
        doomed_publisher(std::unique_ptr<publisher> b, doomed_broker& o) : behind{std::move(b)}, of{o} {}

        std::vector<verdict> publish(std::span<const outgoing> batch, const producer& from, duration timeout) override {
            static_cast<void>(!::write(of.pipe_, "p", 1));
            const bool now = --of.fate_.publish == 0;
            if (now && of.fate_.when == fate::moment::before) ::kill(::getpid(), of.fate_.signal);
            auto verdicts = behind->publish(batch, from, timeout);
            if (now && of.fate_.when == fate::moment::after) ::kill(::getpid(), of.fate_.signal);
            return verdicts;
        }
        std::string probe(duration timeout) override { return behind->probe(timeout); }

        std::unique_ptr<publisher> behind;
        doomed_broker& of;
    };

    std::unique_ptr<broker> behind_;
    fate fate_;
    int pipe_;
};

/// Lane owners that are killed, one after the other, over one database and one Redis.
class redis_near_once : public redis_test {
protected:
    redis_near_once() {
        database_->setup();
        unit_ = database_->open_unit();
    }

    void commit(int events) {
        store::commit_batch batch;
        batch.at = system_clock().now();
        for (int i = 0; i < events; ++i) {
            const auto key = fmt::format("shop::order-{}", random_() % keys);
            const auto number = ++numbers_[key];
            const auto id = fmt::format("{}-0.{}", key, number);
            store::event_write write;
            write.event = {id,
                           key,
                           order_stream,
                           "Shop.X.v1",
                           fmt::format(R"({{"n":{}}})", number),
                           fmt::format(R"({{"headers":{{"id":"{}","type":"Shop.X.v1","stream":"{}"}}}})", id, key),
                           batch.at};
            write.target_brokers = {"default"};
            batch.events.push_back(std::move(write));
            ++committed_;
        }
        unit_->commit(batch);
    }

    struct owner {
        pid_t pid;
        int started;  ///< a byte comes for each publish that begins
    };
    /// Starts a process that owns the lane until everything is published.
    owner start_owner(fate end = {}) {
        std::array<int, 2> ends{};
        if (::pipe(ends.data()) != 0) throw std::runtime_error{"no pipe"};
        const auto later = std::chrono::hours{++owners_};
        const auto pid = ::fork();
        if (pid == 0) {
            ::close(ends[0]);
            own(later, end, ends[1]);
            ::_exit(0);
        }
        ::close(ends[1]);
        return {pid, ends[0]};
    }
    void own(duration later, fate end, int pipe) {
        const later_clock time{later};
        const auto database = store::make_sqlite_database({.path = directory_ / "shop.db"});
        doomed_broker broker{connect(), end, pipe};
        const observe::tracer tracer{"shop", time};
        outbox::lane_settings settings;
        settings.database = "default";
        settings.broker = "default";
        settings.owner = fmt::format("owner-{}", ::getpid());
        settings.outbox.messages_per_tick = 20;
        // A process that is stopped with the write lock of SQLite stops every other one.
        if (end.signal == SIGSTOP) settings.overlapping = outbox::overlap::none;
        outbox::lane lane{settings, {*database, broker, time, base::system_random(), tracer}};
        for (;;) {
            const auto rest = lane.turn();
            if (!rest) continue;
            const auto* nap = std::get_if<outbox::action::sleep>(&*rest);
            // Idle: all is published. Lost: somebody else has the lease, and by his clock for hours.
            const auto state = lane.state();
            if (nap == nullptr || state == outbox::lane_state::idle || state == outbox::lane_state::lost) return;
            std::this_thread::sleep_for(milliseconds{1});
        }
    }
    /// Waits for the owner to begin a publish; false when it is gone.
    static bool await_publish(const owner& o) {
        char byte = 0;
        return ::read(o.started, &byte, 1) == 1;
    }
    static void bury(const owner& o) {
        ::kill(o.pid, SIGKILL);
        ::waitpid(o.pid, nullptr, 0);
        ::close(o.started);
    }
    void drain() {
        const auto last = start_owner();
        int status = 0;
        ::waitpid(last.pid, &status, 0);
        ::close(last.started);
        ASSERT_EQ(status, 0);
    }
    void check_stream() const {
        std::map<std::string, int> last;
        int lost = 0;
        int duplicated = 0;
        int inverted = 0;
        const auto ids = ids_in_compact_form();
        for (const auto& [key, number] : ids) {
            auto& before = last[key];
            if (number <= before) {
                ++(number == before ? duplicated : inverted);
            } else if (number > before + 1) {
                ++lost;
            }
            before = std::max(before, number);
        }
        for (const auto& [key, number] : numbers_) lost += number - last[key];
        EXPECT_EQ(ids.size(), static_cast<std::size_t>(committed_));
        EXPECT_EQ(lost, 0);
        EXPECT_EQ(duplicated, 0);
        EXPECT_EQ(inverted, 0);
        for (const auto& row : database_->open_operations()->list({.limit = 100'000})) {
            ASSERT_EQ(row.status, store::row_status::published) << row.message_id;
        }
    }
    std::vector<std::pair<std::string, int>> ids_in_compact_form() const {
        std::vector<std::pair<std::string, int>> result;
        for (const auto& line : lines(server_.cli({"xrange", order_stream, "-", "+"}))) {
            if (!line.starts_with('{')) continue;
            const auto message = json::parse(line);
            result.emplace_back(message.at("metadata").at("headers").at("stream").as_string(),
                                static_cast<int>(message.at("data").at("n").as_int()));
        }
        return result;
    }

    static constexpr int keys = 7;
    std::unique_ptr<store::database> database_ = store::make_sqlite_database({.path = directory_ / "shop.db"});
    std::unique_ptr<store::unit_session> unit_;
    unsigned seed_ = std::random_device{}();
    ::testing::ScopedTrace trace_{__FILE__, __LINE__, fmt::format("seed {}", seed_)};
    std::mt19937 random_{seed_};
    std::map<std::string, int> numbers_;
    int committed_ = 0;
    int owners_ = 0;
};

// Killed after the broker took a batch and before the database knew.
TEST_F(redis_near_once, over_a_hundred_owners_killed_between_publish_and_settlement) {
    for (int i = 0; i < 120; ++i) {
        commit(20);
        const auto o = start_owner({.publish = 1 + static_cast<int>(random_() % 3)});
        while (await_publish(o)) continue;
        bury(o);
    }
    drain();
    check_stream();
}

// Killed at any moment of a publish: before, while and after the server takes it.
TEST_F(redis_near_once, over_a_hundred_owners_killed_while_they_publish) {
    for (int i = 0; i < 120; ++i) {
        commit(20);
        const auto o = start_owner();
        ASSERT_TRUE(await_publish(o));
        std::this_thread::sleep_for(std::chrono::microseconds{random_() % 3000});
        bury(o);
    }
    drain();
    check_stream();
}

// Stopped before or after a publish, and set free again when its successor has done all the work.
TEST_F(redis_near_once, frozen_owners_change_nothing_behind_their_successors) {
    for (int i = 0; i < 30; ++i) {
        commit(60);
        const auto when = random_() % 2 == 0 ? fate::moment::before : fate::moment::after;
        const auto frozen =
            start_owner({.publish = 1 + static_cast<int>(random_() % 2), .signal = SIGSTOP, .when = when});
        int status = 0;
        ASSERT_EQ(::waitpid(frozen.pid, &status, WUNTRACED), frozen.pid);
        ASSERT_TRUE(WIFSTOPPED(status));
        drain();
        const auto before = server_.cli({"xlen", order_stream});
        ::kill(frozen.pid, SIGCONT);
        ASSERT_EQ(::waitpid(frozen.pid, &status, 0), frozen.pid);
        EXPECT_EQ(status, 0) << "it ends by itself: there is nothing left to do";
        EXPECT_EQ(server_.cli({"xlen", order_stream}), before);
        ::close(frozen.started);
    }
    check_stream();
}

}  // namespace
}  // namespace sluice::broker::redis_test
