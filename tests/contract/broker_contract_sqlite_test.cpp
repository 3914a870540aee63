#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <map>
#include <random>
#include <system_error>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sluice/error.hpp>

#include "broker/sqlite/sqlite_broker.hpp"
#include "contract/broker_contract.hpp"

namespace sluice::broker::contract {
namespace {

using base::wake_reason;
using base::wake_signal;
using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// A clock that stands still until it is set.
class manual_clock final : public clock {
public:
    [[nodiscard]] date_time now() const override { return now_; }
    [[nodiscard]] instant monotonic_now() const override { return instant{now_ - date_time{}}; }
    void pass(duration d) { now_ += d; }

private:
    date_time now_ = noon;
};

/// Another process that runs `work` and ends. Killed when it still runs at the end of the scope.
class child_process {
public:
    template <class Work>
    explicit child_process(Work work) : pid_{::fork()} {
        if (pid_ != 0) return;
        work();
        ::_exit(0);
    }
    child_process(const child_process&) = delete;
    child_process& operator=(const child_process&) = delete;
    ~child_process() {
        if (pid_ > 0) kill();
    }

    void kill() {
        ::kill(pid_, SIGKILL);
        join();
    }
    int join() {
        int status = 0;
        ::waitpid(std::exchange(pid_, -1), &status, 0);
        return status;
    }

private:
    pid_t pid_;
};

class a_pipe {
public:
    a_pipe() {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::system_error{errno, std::generic_category(), "pipe"};
        out_ = base::unique_fd{ends[0]};
        in_ = base::unique_fd{ends[1]};
    }
    void say() const { ASSERT_EQ(::write(in_.get(), "!", 1), 1); }
    void hear() const {
        char c = 0;
        ASSERT_EQ(::read(out_.get(), &c, 1), 1);
    }

private:
    base::unique_fd out_;
    base::unique_fd in_;
};

class sqlite_broker : public ::testing::Test {
protected:
    sqlite_broker() { std::filesystem::create_directory(home_); }

    [[nodiscard]] std::unique_ptr<broker> open() const {
        auto o = options_;
        o.path = home_ / "broker.db";
        return make_sqlite_broker(o);
    }
    /// Of all consumers that the file knows.
    [[nodiscard]] std::vector<std::string> names() const {
        std::vector<std::string> found;
        sqlite3* db = nullptr;
        EXPECT_EQ(sqlite3_open((home_ / "broker.db").c_str(), &db), SQLITE_OK);
        const auto add = [](void* to, int, char** columns, char**) {
            static_cast<std::vector<std::string>*>(to)->emplace_back(columns[0]);
            return 0;
        };
        EXPECT_EQ(sqlite3_exec(db, "SELECT name FROM broker_consumer ORDER BY name", add, &found, nullptr), SQLITE_OK);
        sqlite3_close(db);
        return found;
    }
    static std::string why_not(const verdict& v) {
        const auto* no = std::get_if<unreachable>(&v);
        return no != nullptr ? no->reason : "it is reachable";
    }

    sluice::testing::temporary_directory directory_;
    std::filesystem::path home_ = directory_ / "partner";
    manual_clock clock_;
    sqlite_broker_options options_{.time = &clock_};
};

TEST_F(sqlite_broker, keeps_everything_when_all_processes_end) {
    {
        const auto broker = open();
        deliver(*broker, notes("m", 3));
        const auto reader = sluice::testing::open_consumer(*broker, "shop::order", {.group = "g", .consumer = "c"});
        const auto got = reader->read(2, noon);
        reader->ack(std::vector{got.at(0).entry});
    }
    const auto reader = sluice::testing::open_consumer(*open(), "shop::order", {.group = "g", .consumer = "c"});
    EXPECT_THAT(bodies_of(reader->read(10, noon)), ElementsAre("m1", "m2"));
}

TEST_F(sqlite_broker, keeps_what_stands_beside_the_body_also_of_a_dead_letter) {
    const envelope::header_list head{{"ce-id", "a"}, {"ce-subject", "Euro \xE2\x82\xAC\xff"}, {"empty", ""}};
    const auto broker = open();
    const std::vector<outgoing> batch{{.stream = "shop::order",
                                       .message_id = "a",
                                       .key = "k",
                                       .body = "{}",
                                       .head = head,
                                       .content_type = "application/json"},
                                      {.stream = "shop::order", .message_id = "b", .key = "l", .body = "{}"}};
    for (const auto& v : broker->open_publisher()->publish(batch, {}, second)) ASSERT_TRUE(is<delivered>(v));

    const auto consumer = sluice::testing::open_consumer(*broker, "shop::order", {.group = "g", .consumer = "c"});
    const auto got = consumer->read(10, noon);
    ASSERT_THAT(got, SizeIs(2));
    EXPECT_EQ(got[0].head, head);
    EXPECT_EQ(got[0].content_type, "application/json");
    EXPECT_THAT(got[1].head, IsEmpty());
    EXPECT_EQ(got[1].content_type, "");

    consumer->dead_letter(got[0], {.reason = "no", .code = "no", .attempts = 1, .at = noon});
    EXPECT_EQ(open()->open_operations()->replay({}).changed, 1U);
    const auto again = consumer->read(10, noon);
    ASSERT_THAT(again, SizeIs(1));
    EXPECT_EQ(again[0].head, head);
    EXPECT_EQ(again[0].content_type, "application/json");
}

TEST_F(sqlite_broker, says_what_it_is) {
    EXPECT_EQ(open()->describe(), "sqlite " + (home_ / "broker.db").native());
    EXPECT_TRUE(open()->can().cross_process);
}

TEST_F(sqlite_broker, begins_its_file_once_when_many_start_together) {
    constexpr int processes = 4;
    {
        std::vector<std::unique_ptr<child_process>> children;
        for (int p = 0; p < processes; ++p) {
            children.push_back(std::make_unique<child_process>([&] {
                for (const auto& v : publish(*open()->open_publisher(), notes(std::to_string(p) + "-", 25))) {
                    if (is<delivered>(v)) continue;
                    std::fprintf(stderr, "%s\n", why_not(v).c_str());
                    ::_exit(1);
                }
            }));
        }
        for (const auto& child : children) EXPECT_EQ(child->join(), 0);
    }
    EXPECT_THAT(everything_in(*open()), SizeIs(processes * 25));
}

TEST_F(sqlite_broker, wakes_a_consumer_in_another_process) {
    const a_pipe ready;
    child_process other{[&] {
        ready.hear();
        deliver(*open(), notes("m", 1));
    }};
    const auto broker = open();
    const auto reader = sluice::testing::open_consumer(*broker, "shop::order", {.group = "g", .consumer = "c"});
    ASSERT_THAT(reader->read(10, noon), IsEmpty());
    ready.say();
    wake_signal signal;
    std::vector<delivery> got;
    // The other one may touch the file before it commits: that wakes, too.
    while (got.empty()) {
        ASSERT_EQ(reader->wait(signal, 20 * second), wake_reason::file_changed);
        got = reader->read(10, noon);
    }
    EXPECT_THAT(bodies_of(got), ElementsAre("m0"));
    EXPECT_EQ(other.join(), 0);
}

TEST_F(sqlite_broker, does_not_wake_itself) {
    const auto broker = open();
    deliver(*broker, notes("m", 1));
    const auto reader = sluice::testing::open_consumer(*broker, "shop::order", {.group = "g", .consumer = "c"});
    reader->ack(entries_of(reader->read(10, noon)));
    wake_signal signal;
    EXPECT_EQ(reader->wait(signal, duration{std::chrono::milliseconds{20}}), wake_reason::timed_out);
}

TEST_F(sqlite_broker, keeps_all_or_nothing_of_a_batch_whose_publisher_is_killed) {
    constexpr int size = 40;
    const auto seed = std::random_device{}();
    SCOPED_TRACE(fmt::format("seed {}", seed));
    std::mt19937 random{seed};
    std::size_t confirmed = 0;
    for (int round = 0; round < 8; ++round) {
        const a_pipe confirmations;
        child_process publisher{[&] {
            const auto to = open()->open_publisher();
            for (int b = 0;; ++b) {
                for (const auto& v : publish(*to, notes(fmt::format("{}/{}/", round, b), size))) {
                    if (!is<delivered>(v)) ::_exit(1);
                }
                confirmations.say();
            }
        }};
        for (int heard = 0; heard < 3; ++heard, ++confirmed) confirmations.hear();
        std::this_thread::sleep_for(std::chrono::microseconds{random() % 3000});
        publisher.kill();
    }

    std::map<std::string, int> of_batch;
    for (const auto& body : everything_in(*open())) ++of_batch[body.substr(0, body.rfind('/'))];
    EXPECT_GE(of_batch.size(), confirmed);
    for (const auto& [batch, count] : of_batch) EXPECT_EQ(count, size) << "of batch " << batch;
    deliver(*open(), notes("after", 1));
}

TEST_F(sqlite_broker, hands_over_the_messages_of_a_killed_consumer) {
    const a_pipe held;
    child_process consumer_process{[&] {
        const auto broker = open();
        const auto reader =
            sluice::testing::open_consumer(*broker, "shop::order", {.group = "g", .consumer = "dead", .claim = claim});
        deliver(*broker, notes("m", 2));
        if (reader->read(10, noon).size() != 2) ::_exit(1);
        held.say();
        ::pause();
    }};
    held.hear();
    consumer_process.kill();
    const auto broker = open();
    const auto heir =
        sluice::testing::open_consumer(*broker, "shop::order", {.group = "g", .consumer = "heir", .claim = claim});
    EXPECT_THAT(heir->read(10, noon), IsEmpty());
    EXPECT_THAT(bodies_of(heir->read(10, noon + 2 * claim)), ElementsAre("m0", "m1"));
}

TEST_F(sqlite_broker, forgets_the_names_of_consumers_that_are_gone_and_hold_nothing) {
    const auto broker = open();
    deliver(*broker, notes("m", 5));
    const auto join = [&](const std::string& name) {
        return sluice::testing::open_consumer(*broker, "shop::order", {.group = "g", .consumer = name, .claim = claim});
    };
    const auto holds_some = join("holds-some");
    ASSERT_THAT(holds_some->read(2, noon), SizeIs(2));
    for (const auto* name : {"pod-a", "pod-b"}) {
        const auto reader = join(name);
        deliver(*broker, {{name, name, name}});
        reader->ack(entries_of(reader->read(10, noon)));
    }
    const auto late = noon + 3 * claim;
    deliver(*broker, {{"x", "x", "x"}});
    static_cast<void>(join("pod-c")->read(1, late));
    EXPECT_THAT(names(), ElementsAre("holds-some", "pod-c"));
}

TEST_F(sqlite_broker, is_unreachable_without_its_directory_and_comes_back_with_it) {
    const auto broker = open();
    const auto to = broker->open_publisher();
    const auto reader = sluice::testing::open_consumer(*broker, "shop::order", {.group = "g", .consumer = "c"});
    const auto operations = broker->open_operations();
    std::filesystem::remove(home_);
    EXPECT_THAT(why_not(publish(*to, {{"a", "k", "1"}}).at(0)),
                AllOf(HasSubstr(home_.native()), HasSubstr("does not exist")));
    EXPECT_THROW(static_cast<void>(operations->groups()), broker_error);

    std::filesystem::create_directory(home_);
    EXPECT_EQ(to->probe(second), "");
    EXPECT_TRUE(is<delivered>(publish(*to, {{"a", "k", "1"}}).at(0)));
    EXPECT_THAT(bodies_of(reader->read(10, noon)), ElementsAre("1"));

    const auto elsewhere = directory_ / "elsewhere";
    std::filesystem::rename(home_, elsewhere);
    EXPECT_THAT(why_not(publish(*to, {{"b", "k", "2"}}).at(0)), HasSubstr("does not exist"));
    EXPECT_THAT(to->probe(second), HasSubstr("does not exist"));
    try {
        static_cast<void>(reader->read(10, noon));
        FAIL() << "read without a directory";
    } catch (const broker_error& e) {
        EXPECT_TRUE(e.retryable());
        EXPECT_THAT(e.what(), HasSubstr("does not exist"));
    }
    wake_signal signal;
    EXPECT_EQ(reader->wait(signal, duration{1000}), wake_reason::timed_out);

    std::filesystem::rename(elsewhere, home_);
    EXPECT_TRUE(is<delivered>(publish(*to, {{"b", "k", "2"}}).at(0)));
    EXPECT_THAT(bodies_of(reader->read(10, noon)), ElementsAre("2"));
    EXPECT_THAT(everything_in(*broker), ElementsAre("1", "2"));
}

TEST_F(sqlite_broker, never_makes_a_vanished_file_anew) {
    const auto broker = open();
    const auto to = broker->open_publisher();
    EXPECT_TRUE(is<delivered>(publish(*to, {{"a", "k", "1"}}).at(0)));
    const auto file = home_ / "broker.db";
    const auto kept = home_ / "kept";
    std::filesystem::rename(file, kept);
    EXPECT_THAT(why_not(publish(*to, {{"b", "k", "2"}}).at(0)), HasSubstr("the file has vanished; put it back"));
    EXPECT_THAT(why_not(publish(*broker->open_publisher(), {{"b", "k", "2"}}).at(0)), HasSubstr("vanished"));
    EXPECT_FALSE(std::filesystem::exists(file));

    std::filesystem::rename(kept, file);
    EXPECT_TRUE(is<delivered>(publish(*to, {{"b", "k", "2"}}).at(0)));
    EXPECT_THAT(everything_in(*broker), ElementsAre("1", "2"));
}

TEST_F(sqlite_broker, follows_a_file_that_was_replaced) {
    const auto broker = open();
    const auto to = broker->open_publisher();
    EXPECT_TRUE(is<delivered>(publish(*to, {{"a", "k", "1"}}).at(0)));
    {
        const auto elsewhere = make_sqlite_broker({.path = directory_ / "other.db"});
        deliver(*elsewhere, {{"x", "k", "restored"}});
    }
    for (const auto* suffix : {"-wal", "-shm"}) std::filesystem::remove(home_ / ("broker.db" + std::string{suffix}));
    std::filesystem::rename(directory_ / "other.db", home_ / "broker.db");
    EXPECT_TRUE(is<delivered>(publish(*to, {{"b", "k", "2"}}).at(0)));
    EXPECT_THAT(everything_in(*broker), ElementsAre("restored", "2"));
}

TEST_F(sqlite_broker, is_unreachable_while_its_file_is_no_database) {
    std::ofstream{home_ / "broker.db"} << std::string(5000, 'x');
    const auto broker = open();
    const auto to = broker->open_publisher();
    EXPECT_THAT(why_not(publish(*to, {{"a", "k"}}).at(0)),
                AllOf(HasSubstr("file is not a database"), HasSubstr("restore it from a backup")));
    std::filesystem::remove(home_ / "broker.db");
    EXPECT_TRUE(is<delivered>(publish(*to, {{"a", "k"}}).at(0)));
}

TEST_F(sqlite_broker, is_unreachable_while_another_process_writes_for_too_long) {
    deliver(*open(), notes("m", 1));
    const a_pipe opened;
    const a_pipe locked;
    const a_pipe done;
    child_process hog{[&] {
        opened.hear();
        // The write lock of a WAL database is byte 120 of its -shm file.
        const base::unique_fd shm{::open((home_ / "broker.db-shm").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)};
        struct flock lock {};
        lock.l_type = F_WRLCK;
        lock.l_whence = SEEK_SET;
        lock.l_start = 120;
        lock.l_len = 1;
        if (::fcntl(shm.get(), F_SETLK, &lock) != 0) ::_exit(1);
        locked.say();
        done.hear();
    }};
    const auto broker = open();
    const auto to = broker->open_publisher();
    ASSERT_EQ(to->probe(second), "");
    opened.say();
    locked.hear();
    const note n{"late", "k"};
    const std::vector<outgoing> batch{{.stream = n.stream, .message_id = n.id, .key = n.key, .body = n.body}};
    EXPECT_THAT(why_not(to->publish(batch, {}, duration{std::chrono::milliseconds{30}}).at(0)),
                HasSubstr("another process has been writing for more than 30 ms"));
    EXPECT_THAT(to->probe(duration{std::chrono::milliseconds{1}}), HasSubstr("another process"));
    done.say();
    EXPECT_EQ(hog.join(), 0);
    EXPECT_TRUE(is<delivered>(publish(*to, {n}).at(0)));
}

TEST_F(sqlite_broker, asks_for_a_newer_build_when_the_schema_is_newer) {
    const auto path = home_ / "broker.db";
    deliver(*open(), notes("m", 1));
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(db, "INSERT INTO broker_migration VALUES (99)", nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(db);
    EXPECT_THAT(why_not(publish(*open()->open_publisher(), {{"a", "k"}}).at(0)),
                HasSubstr("its schema has version 99, this build knows "));
}

TEST_F(sqlite_broker, makes_nothing_when_only_looked_at) {
    EXPECT_THAT(open()->open_operations()->groups(), IsEmpty());
    EXPECT_THAT(open()->open_operations()->dead_letters({}), IsEmpty());
    EXPECT_FALSE(std::filesystem::exists(home_ / "broker.db"));
}

TEST_F(sqlite_broker, lets_old_entries_go_when_every_group_has_acknowledged_them) {
    const auto broker = open();
    const auto to = broker->open_publisher();
    const auto send = [&](std::string id) { ASSERT_TRUE(is<delivered>(publish(*to, {{id, "k", id}}).at(0))); };
    const auto quick = sluice::testing::open_consumer(*broker, "shop::order", {.group = "quick", .consumer = "c"});
    const auto slow = sluice::testing::open_consumer(*broker, "shop::order", {.group = "slow", .consumer = "c"});
    for (const auto* id : {"a", "b", "c"}) send(id);
    quick->ack(entries_of(quick->read(10, noon)));
    const auto held = slow->read(2, noon);  // c is not even read
    slow->ack(std::vector{held.at(0).entry});

    clock_.pass(std::chrono::hours{169});
    send("d");
    EXPECT_THAT(everything_in(*broker), ElementsAre("b", "c", "d"));

    slow->ack(std::vector{held.at(1).entry});
    slow->ack(entries_of(slow->read(1, noon)));
    clock_.pass(std::chrono::minutes{2});
    const auto auditors_hold_everything = everything_in(*broker);
    send("e");
    EXPECT_EQ(everything_in(*broker).size(), auditors_hold_everything.size() + 1);
}

TEST_F(sqlite_broker, waits_no_longer_than_retention_for_a_group_that_nobody_has_a_handler_for) {
    options_.retention = std::chrono::hours{1};
    const auto broker = open();
    const auto length = [&] { return broker->open_operations()->groups().at(0).length; };
    deliver(*broker, notes("m", 3));
    {
        const auto gone = sluice::testing::open_consumer(*broker, "shop::order",
                                                         {.group = "gone", .consumer = "c", .domain = "shop"});
        gone->ack(entries_of(gone->read(1, clock_.now())));
    }
    const auto operations = broker->open_operations();
    clock_.pass(std::chrono::hours{2});
    operations->trim(clock_.now());
    EXPECT_EQ(length(), 2) << "while it has a handler it may come back at any time";
    operations->abandon_group("shop::order", "gone", clock_.now());
    operations->trim(clock_.now());
    EXPECT_EQ(length(), 2) << "the handler may only be away for a moment";
    clock_.pass(std::chrono::hours{2});
    operations->trim(clock_.now());
    EXPECT_EQ(length(), 0);
}

TEST_F(sqlite_broker, waits_for_a_group_whose_handler_came_back) {
    options_.retention = std::chrono::hours{0};
    const auto broker = open();
    deliver(*broker, notes("m", 3));
    const membership member{.group = "g", .consumer = "c", .domain = "shop"};
    static_cast<void>(sluice::testing::open_consumer(*broker, "shop::order", member)->read(0, noon));
    const auto operations = broker->open_operations();
    operations->abandon_group("shop::order", "g", clock_.now());
    const auto back = sluice::testing::open_consumer(*broker, "shop::order", member);
    static_cast<void>(back->read(0, noon));
    clock_.pass(std::chrono::hours{2});
    operations->trim(clock_.now());
    EXPECT_THAT(back->read(10, noon), SizeIs(3));
}

TEST_F(sqlite_broker, keeps_no_more_than_maxlen_of_what_is_acknowledged) {
    options_.maxlen = 10;
    const auto broker = open();
    const auto reader = sluice::testing::open_consumer(*broker, "shop::order", {.group = "g", .consumer = "c"});
    ASSERT_THAT(reader->read(1, noon), IsEmpty()) << "the group exists from now on";
    deliver(*broker, notes("m", 50));
    reader->ack(entries_of(reader->read(45, noon)));
    clock_.pass(std::chrono::minutes{2});
    deliver(*broker, notes("n", 1));
    EXPECT_EQ(broker->open_operations()->groups().at(0).length, 10);
    EXPECT_THAT(reader->read(10, noon), SizeIs(6));
}

TEST_F(sqlite_broker, trims_a_large_backlog_batch_by_batch) {
    options_.maxlen = 1;
    const auto broker = open();
    const auto to = broker->open_publisher();
    const auto reader = sluice::testing::open_consumer(*broker, "shop::order", {.group = "g", .consumer = "c"});
    const auto send = [&](std::string id) { ASSERT_TRUE(is<delivered>(publish(*to, {{id, "k", id}}).at(0))); };
    const auto length = [&] { return broker->open_operations()->groups().at(0).length; };
    ASSERT_THAT(reader->read(1, noon), IsEmpty()) << "the group exists from now on";
    EXPECT_TRUE(is<delivered>(publish(*to, notes("m", 1200)).at(0)));
    reader->ack(entries_of(reader->read(1200, noon)));

    clock_.pass(std::chrono::minutes{2});
    send("w");
    EXPECT_EQ(length(), 701);
    send("x");
    EXPECT_EQ(length(), 202);
    send("y");
    EXPECT_EQ(length(), 3) << "all that is acknowledged is gone";
}

TEST_F(sqlite_broker, replays_what_was_trimmed_to_the_failing_group_only) {
    const auto broker = open();
    const auto reader = sluice::testing::open_consumer(*broker, "shop::order", {.group = "failing", .consumer = "c"});
    deliver(*broker, {{"a", "k1", std::string("1\0", 2)}});
    reader->dead_letter(reader->read(1, noon).at(0),
                        {.reason = "no", .code = "handler_failed", .attempts = 3, .at = noon});
    clock_.pass(std::chrono::hours{200});
    deliver(*broker, {{"b", "k1", "2"}});

    EXPECT_EQ(broker->open_operations()->replay({}).changed, 1U);
    EXPECT_THAT(everything_in(*broker), ElementsAre("2"));
    EXPECT_EQ(broker->open_operations()->groups().at(0).length, 1) << "of the stream that others see";
    const auto got = reader->read(10, noon);
    EXPECT_THAT(bodies_of(got), ElementsAre(std::string("1\0", 2), "2"));
    EXPECT_EQ(got.at(0).key, "k1");
    deliver(*broker, {{"a", "k1", "sent again, long after"}});
}

}  // namespace
}  // namespace sluice::broker::contract
