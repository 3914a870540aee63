#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "broker/broker.hpp"
#include "outbox/lane.hpp"
#include "store/sqlite/sqlite_database.hpp"
#include "support/temporary_directory.hpp"

namespace sluice::testing {

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
class doomed_broker final : public broker::broker {
public:
    doomed_broker(std::unique_ptr<sluice::broker::broker> behind, fate end, int pipe)
        : behind_{std::move(behind)}, fate_{end}, pipe_{pipe} {}

    [[nodiscard]] std::string describe() const override { return behind_->describe(); }
    [[nodiscard]] sluice::broker::capabilities can() const override { return behind_->can(); }
    [[nodiscard]] std::unique_ptr<sluice::broker::publisher> open_publisher() override {
        return std::make_unique<doomed_publisher>(behind_->open_publisher(), *this);
    }
    [[nodiscard]] std::unique_ptr<sluice::broker::reader> open_reader(
        const std::vector<std::string>& streams, const sluice::broker::membership& member) override {
        return behind_->open_reader(streams, member);
    }
    [[nodiscard]] std::unique_ptr<sluice::broker::operations> open_operations() override {
        return behind_->open_operations();
    }

private:
    struct doomed_publisher final : sluice::broker::publisher {
        doomed_publisher(std::unique_ptr<sluice::broker::publisher> b, doomed_broker& o)
            : behind{std::move(b)}, of{o} {}

        std::vector<sluice::broker::verdict> publish(std::span<const sluice::broker::outgoing> batch,
                                                     const sluice::broker::producer& from, duration timeout) override {
            static_cast<void>(!::write(of.pipe_, "p", 1));
            const bool now = --of.fate_.publish == 0;
            if (now && of.fate_.when == fate::moment::before) ::kill(::getpid(), of.fate_.signal);
            auto verdicts = behind->publish(batch, from, timeout);
            if (now && of.fate_.when == fate::moment::after) ::kill(::getpid(), of.fate_.signal);
            return verdicts;
        }
        std::string probe(duration timeout) override { return behind->probe(timeout); }

        std::unique_ptr<sluice::broker::publisher> behind;
        doomed_broker& of;
    };

    std::unique_ptr<sluice::broker::broker> behind_;
    fate fate_;
    int pipe_;
};

/// Lane owners that are killed or frozen, one after the other, over one database and one broker. What is in the
/// broker's stream at the end is counted.
class near_once : public ::testing::Test {
protected:
    static constexpr auto stream = "shop::order";

    near_once() {
        database_->setup();
        unit_ = database_->open_unit();
    }

    /// Called in the process of each owner.
    [[nodiscard]] virtual std::unique_ptr<broker::broker> connect() = 0;
    /// What the stream holds, in order: the key of each message and its number within the key.
    [[nodiscard]] virtual std::vector<std::pair<std::string, int>> messages() = 0;

    /// How many messages have been committed, and must be in the stream when no owner works any more.
    [[nodiscard]] std::size_t committed() const { return static_cast<std::size_t>(committed_); }

    /// False for a broker that can tell neither a former owner nor a copy: then copies may come, and are counted.
    [[nodiscard]] virtual bool knows_copies() const { return true; }

    /// Killed after the broker took a batch and before the database knew.
    void kill_between_publish_and_settlement(int owners) {
        for (int i = 0; i < owners; ++i) {
            commit(20);
            const auto o = start_owner({.publish = 1 + static_cast<int>(random_() % 3)});
            while (await_publish(o)) continue;
            bury(o);
        }
        drain();
        check_stream();
    }
    /// Killed at any moment of a publish: before, while and after the server takes it.
    void kill_while_they_publish(int owners) {
        for (int i = 0; i < owners; ++i) {
            commit(20);
            const auto o = start_owner();
            ASSERT_TRUE(await_publish(o));
            std::this_thread::sleep_for(std::chrono::microseconds{random_() % 3000});
            bury(o);
        }
        drain();
        check_stream();
    }
    /// Stopped before or after a publish, and set free again when its successor has done all the work.
    void freeze_past_their_lease(int owners) {
        for (int i = 0; i < owners; ++i) {
            commit(60);
            const auto when = random_() % 2 == 0 ? fate::moment::before : fate::moment::after;
            const auto frozen =
                start_owner({.publish = 1 + static_cast<int>(random_() % 2), .signal = SIGSTOP, .when = when});
            int status = 0;
            ASSERT_EQ(::waitpid(frozen.pid, &status, WUNTRACED), frozen.pid);
            ASSERT_TRUE(WIFSTOPPED(status));
            drain();
            const auto before = messages().size();
            ::kill(frozen.pid, SIGCONT);
            ASSERT_EQ(::waitpid(frozen.pid, &status, 0), frozen.pid);
            EXPECT_EQ(status, 0) << "it ends by itself: there is nothing left to do";
            if (knows_copies()) {
                EXPECT_EQ(messages().size(), before);
            }
            ::close(frozen.started);
        }
        check_stream();
    }

    temporary_directory directory_;

private:
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
                           stream,
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
            try {
                own(later, end, ends[1]);
                ::_exit(0);
            } catch (const std::exception& trouble) {
                std::fputs(trouble.what(), stderr);
                ::_exit(1);
            }
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
            std::this_thread::sleep_for(std::chrono::milliseconds{1});
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
    void check_stream() {
        std::map<std::string, int> last;
        int duplicated = 0;
        int inverted = 0;
        const auto ids = messages();
        std::set<std::pair<std::string, int>> seen;
        for (const auto& each : ids) {
            auto& before = last[each.first];
            if (!seen.insert(each).second) {
                ++duplicated;
            } else if (each.second != before + 1) {
                ++inverted;  // or something before it is lost
            }
            before = std::max(before, each.second);
        }
        const int lost = committed_ - static_cast<int>(seen.size());
        EXPECT_EQ(lost, 0);
        EXPECT_EQ(inverted, 0);
        if (knows_copies()) {
            EXPECT_EQ(duplicated, 0);
        }
        RecordProperty("messages", committed_);
        RecordProperty("copies", duplicated);
        for (const auto& row : database_->open_operations()->list({.limit = 100'000})) {
            ASSERT_EQ(row.status, store::row_status::published) << row.message_id;
        }
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

}  // namespace sluice::testing
