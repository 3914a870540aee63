#include "store/sqlite/sqlite_database.hpp"

#include <gmock/gmock.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <list>
#include <optional>
#include <random>

#include "contract/store_contract.hpp"
#include "store/sqlite/driver.hpp"
#include "store/sqlite/lane_news.hpp"
#include "store/sqlite/lane_sql.hpp"
#include "store/sqlite/ledger_sql.hpp"
#include "store/sqlite/stream_sql.hpp"

/// What only a store in a file can get wrong: other processes, crashes, locks, and how SQLite executes a statement.
namespace sluice::store::contract {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// A child process; killed and reaped at the end of the scope, if it still runs.
class child_process {
public:
    template <class Body>
    explicit child_process(Body body) : pid_{::fork()} {
        if (pid_ < 0) throw std::runtime_error{"fork failed"};
        if (pid_ != 0) return;
        try {
            body();
            ::_exit(0);
        } catch (...) {
            ::_exit(1);
        }
    }
    child_process(const child_process&) = delete;
    child_process& operator=(const child_process&) = delete;
    ~child_process() { kill(); }

    void kill() {
        if (pid_ <= 0) return;
        ::kill(pid_, SIGKILL);
        static_cast<void>(wait());
    }

    /// True when it ended by itself with success.
    [[nodiscard]] bool wait() {
        int status = 0;
        ::waitpid(std::exchange(pid_, -1), &status, 0);
        return WIFEXITED(status) && WEXITSTATUS(status) == 0;
    }

private:
    pid_t pid_;
};

/// Lets one process hold back another.
class turnstile {
public:
    turnstile() {
        if (::pipe(ends_.data()) != 0) throw std::runtime_error{"pipe failed"};
    }
    turnstile(const turnstile&) = delete;
    turnstile& operator=(const turnstile&) = delete;
    ~turnstile() {
        ::close(ends_[0]);
        ::close(ends_[1]);
    }

    void let_one_pass() {
        if (::write(ends_[1], "x", 1) != 1) throw std::runtime_error{"write failed"};
    }
    void pass() {
        char token = 0;
        if (::read(ends_[0], &token, 1) != 1) throw std::runtime_error{"read failed"};
    }

private:
    std::array<int, 2> ends_{};
};

class sqlite_store : public ::testing::Test {
protected:
    [[nodiscard]] std::unique_ptr<database> open_database(duration busy_timeout = 5s) const {
        return make_sqlite_database({.path = path_, .busy_timeout = busy_timeout});
    }
    [[nodiscard]] sqlite::connection connect() const {
        return sqlite::connection{sqlite::driver_options({.path = path_}), sqlite::connection::open_mode::existing};
    }
    [[nodiscard]] std::string scalar(const std::string& sql) const {
        auto db = connect();
        sqlite::statement query{db, sql};
        auto found = query.query();
        return found.next() ? found.text(0) : "";
    }
    /// The text of the error that `act` ends with.
    template <class Act>
    [[nodiscard]] static std::string error_of(Act act) {
        try {
            act();
        } catch (const error& e) {
            return e.what();
        }
        return "no error";
    }

    static void commit(unit_session& unit, std::vector<state_write> states, std::vector<event_write> events) {
        unit.commit({.states = std::move(states), .events = std::move(events), .at = at(0)});
    }

    temporary_directory directory_;
    std::filesystem::path path_ = directory_ / "shop.db";
};

TEST_F(sqlite_store, names_itself) { EXPECT_EQ(open_database()->describe(), "sqlite " + path_.string()); }

TEST_F(sqlite_store, wants_the_path_of_a_file) {
    EXPECT_THROW(static_cast<void>(make_sqlite_database({.path = ""})), configuration_error);
    EXPECT_THROW(static_cast<void>(make_sqlite_database({.path = ":memory:"})), configuration_error);
}

TEST_F(sqlite_store, says_what_to_do_about_a_missing_directory) {
    path_ = directory_ / "not" / "there.db";
    EXPECT_THAT(error_of([&] { open_database()->setup(); }),
                AllOf(HasSubstr((directory_ / "not").string()), HasSubstr("create it")));
}

TEST_F(sqlite_store, says_what_to_do_about_a_database_that_was_not_set_up) {
    const auto store = open_database();
    const auto open = [&] { static_cast<void>(store->open_unit()); };
    EXPECT_THAT(error_of(open), AllOf(HasSubstr("does not exist"), HasSubstr("sluice db setup")));
    EXPECT_FALSE(std::filesystem::exists(path_)) << "looking must not create it";
    EXPECT_EQ(store->schema().applied, 0);
    EXPECT_THAT(store->schema().pending, Not(IsEmpty()));

    std::ofstream{path_}.close();
    EXPECT_THAT(error_of(open), AllOf(HasSubstr("has no Sluice tables"), HasSubstr("sluice db setup")));
    EXPECT_EQ(store->schema().applied, 0);
    EXPECT_THAT(error_of([&] { static_cast<void>(store->identity()); }), HasSubstr("sluice db setup"));
}

TEST_F(sqlite_store, refuses_a_file_that_is_something_else) {
    std::ofstream{path_} << std::string(8192, 'x');
    EXPECT_THAT(error_of([&] { open_database()->setup(); }), HasSubstr("no SQLite database"));
}

TEST_F(sqlite_store, refuses_a_schema_newer_than_itself) {
    const auto store = open_database();
    store->setup();
    auto db = connect();
    db.execute("INSERT INTO sluice_migration VALUES (999, 'from the future', '2099-01-01T00:00:00+00:00')");
    for (const auto& text :
         {error_of([&] { store->setup(); }), error_of([&] { static_cast<void>(store->open_lane()); })}) {
        EXPECT_THAT(text, AllOf(HasSubstr("999"), HasSubstr("newer")));
    }
}

TEST_F(sqlite_store, tells_of_a_table_that_is_gone_how_to_get_it_back) {
    const auto store = open_database();
    store->setup();
    const auto unit = store->open_unit();
    auto db = connect();
    db.execute("DROP TABLE inbox");
    EXPECT_THAT(error_of([&] { static_cast<void>(unit->is_marked("m", "h")); }), HasSubstr("sluice db setup"));
}

TEST_F(sqlite_store, is_durable_and_in_wal_mode) {
    open_database()->setup();
    EXPECT_EQ(scalar("PRAGMA journal_mode"), "wal");
    EXPECT_EQ(scalar("PRAGMA synchronous"), "2");
    EXPECT_EQ(scalar("PRAGMA foreign_keys"), "0");
}

TEST_F(sqlite_store, has_the_tables_that_people_query) {
    open_database()->setup();
    const auto store = open_database();
    const auto unit = store->open_unit();
    commit(*unit, {insert("o-1")}, {event("m-1")});
    EXPECT_EQ(scalar("SELECT group_concat(target_broker || '=' || status) FROM outbox WHERE message_id = 'm-1'"),
              "default=pending,partner=pending");
    EXPECT_EQ(scalar("SELECT stream || ' ' || position || ' ' || created_at FROM event_log"),
              "shop::order-o-1 0 2026-11-23T08:00:00.000000+00:00")
        << "with a fraction, so that texts sort as times do";
    EXPECT_EQ(scalar("SELECT count(*) = max(number) FROM sluice_migration"), "1");
    auto db = connect();
    EXPECT_THROW(db.execute("UPDATE outbox SET status = 'published'"), store_error) << "it is no table";
    EXPECT_THROW(db.execute("INSERT INTO outbox (target_broker, seq, message_id, stream, status)"
                            " VALUES ('partner', 1, 'm-1', 's', 'sent')"),
                 store_error);
}

TEST_F(sqlite_store, may_be_set_up_by_several_processes_at_once) {
    {
        std::list<child_process> children;
        for (int i = 0; i < 4; ++i) {
            children.emplace_back([this] { open_database()->setup(); });
        }
        for (auto& child : children) EXPECT_TRUE(child.wait());
    }
    EXPECT_EQ(scalar("SELECT count(*) = max(number) FROM sluice_migration"), "1");
    EXPECT_EQ(scalar("SELECT count(*) FROM sluice_meta"), "1");
    EXPECT_EQ(scalar("PRAGMA integrity_check"), "ok");
}

TEST_F(sqlite_store, is_seen_empty_or_up_to_date_while_another_process_sets_it_up) {
    for (int round = 0; round < 20; ++round) {
        child_process other{[this] { open_database()->setup(); }};
        for (auto seen = open_database()->schema(); seen.applied != seen.expected; seen = open_database()->schema()) {
            ASSERT_EQ(seen.applied, 0);
        }
        ASSERT_TRUE(other.wait());
        for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path_.string() + suffix);
    }
}

TEST_F(sqlite_store, brings_a_file_of_an_earlier_release_up_to_date) {
    const auto store = open_database();
    store->setup();
    commit(*store->open_unit(), {}, {event("m-1")});
    {
        auto db = connect();
        db.execute(
            "DROP TABLE outbox_backfill; DROP INDEX outbox_row_open; DROP VIEW outbox; DROP VIEW outbox_ledger_part; "
            "DROP TABLE outbox_ledger; DROP TABLE outbox_broker;"
            " ALTER TABLE outbox_row RENAME TO outbox;"
            " INSERT INTO outbox (target_broker, seq, message_id, stream) SELECT column1, seq, message_id, stream"
            " FROM event_log, (VALUES ('default'), ('partner'));"
            " ALTER TABLE event_log DROP COLUMN targets; ALTER TABLE event_log DROP COLUMN priority;"
            " DROP INDEX outbox_abandoned; ALTER TABLE lease DROP COLUMN former; ALTER TABLE lease DROP COLUMN history;"
            " DROP TABLE snapshot; DROP TABLE command_outcome; DROP TABLE scheduled; DROP TABLE projection;"
            " DROP TABLE kept_message; DROP TABLE stand_by;"
            " DELETE FROM sluice_migration WHERE number > 1");
    }
    EXPECT_THAT(error_of([&] { static_cast<void>(open_database()->open_unit()); }), HasSubstr("sluice db setup"));
    EXPECT_THAT(open_database()->schema().pending, Not(IsEmpty()));
    open_database()->setup();
    EXPECT_EQ(open_database()->open_operations()->outbox_summary().size(), 2U);
}

TEST_F(sqlite_store, estimates_what_is_too_much_to_count) {
    const auto store = open_database();
    store->setup();
    auto db = connect();
    // Two of three events are for the partner, and long published but for the last ones.
    db.execute(R"(
        PRAGMA synchronous = off;
        WITH RECURSIVE n (seq) AS (VALUES (1) UNION ALL SELECT seq + 1 FROM n WHERE seq < 240000)
        INSERT INTO outbox_row (target_broker, seq, message_id, stream, status, published_at)
        SELECT 'partner', seq, 'm-' || seq, 's', 'published', '2026-01-01T00:00:00.000000+00:00' FROM n
        WHERE seq % 3 <> 0;
        INSERT INTO sqlite_sequence (name, seq) VALUES ('event_log', 240000))");
    const auto lane = store->open_lane();
    const auto grant = lane.lease->acquire("default:partner", "me", at(0), 30s);
    ASSERT_TRUE(grant);
    ASSERT_EQ(lane.rows->settle(*grant, "partner", {}, 240'000), settle_outcome::settled);
    commit(*store->open_unit(), {}, {event("m-0")});

    const auto counts = store->open_operations()->outbox_summary().at("partner");
    EXPECT_TRUE(counts.published_is_estimated);
    EXPECT_NEAR(static_cast<double>(counts.by_status.at(row_status::published)), 160'000, 8'000);
    EXPECT_EQ(counts.by_status.at(row_status::pending), 1) << "open rows are always counted";
}

TEST_F(sqlite_store, estimates_what_waits_where_it_is_too_much_to_count) {
    const auto store = open_database();
    store->setup();
    auto db = connect();
    // All events are for the partner, and each third for another one that has no lane. The first one is refused again
    // and again, and the last ones wait.
    db.execute(R"(
        PRAGMA synchronous = off;
        INSERT INTO outbox_broker (number, name) VALUES (0, 'partner'), (1, 'rare');
        WITH RECURSIVE n (seq) AS (VALUES (1) UNION ALL SELECT seq + 1 FROM n WHERE seq < 120000)
        INSERT INTO event_log (message_id, stream, stream_category, position, type, created_at, data, metadata, targets)
        SELECT 'm-' || seq, 's-' || seq, 's', 0, 't', '2026-01-01T00:00:00.' || printf('%06d', seq) || '+00:00',
               '{}', '{}', iif(seq % 3 = 0, 3, 1) FROM n;
        INSERT INTO outbox_ledger (broker, part, after, upto, count, settled_at, owner, epoch)
        VALUES (0, 101, 1, 119960, 119959, '2026-11-23T08:00:01.000000+00:00', 'me', 1);
        INSERT INTO outbox_row (target_broker, seq, message_id, stream, status)
        VALUES ('partner', 1, 'm-1', 's-1', 'failed'))");

    const auto summary = store->open_operations()->outbox_summary();
    const auto& partner = summary.at("partner");
    EXPECT_TRUE(partner.pending_is_estimated);
    EXPECT_EQ(partner.by_status.at(row_status::pending), 40) << "what lies behind the ledger is counted";
    EXPECT_EQ(partner.by_status.at(row_status::published), 119'959);
    EXPECT_EQ(partner.by_status.at(row_status::failed), 1);
    EXPECT_EQ(partner.oldest_open, date_time::parse("2026-01-01T00:00:00.000001Z"));
    const auto& rare = summary.at("rare");
    EXPECT_TRUE(rare.pending_is_estimated);
    EXPECT_NEAR(static_cast<double>(rare.by_status.at(row_status::pending)), 40'000, 600);
    EXPECT_EQ(rare.oldest_open, date_time::parse("2026-01-01T00:00:00.000003Z"));
}

TEST_F(sqlite_store, keeps_every_commit_of_several_processes) {
    constexpr int writers = 3;
    constexpr int commits = 30;
    open_database()->setup();
    {
        std::list<child_process> children;
        for (int writer = 0; writer < writers; ++writer) {
            children.emplace_back([this, writer] {
                const auto store = open_database();
                const auto unit = store->open_unit();
                for (int i = 0; i < commits; ++i) {
                    const auto name = std::to_string(writer) + '-' + std::to_string(i);
                    commit(*unit, {insert(name)}, {event("m-" + name, "shared")});
                }
            });
        }
        for (auto& child : children) EXPECT_TRUE(child.wait());
    }
    EXPECT_EQ(scalar("SELECT count(*) FROM aggregate_state"), std::to_string(writers * commits));
    EXPECT_EQ(scalar("SELECT max(seq) || '/' || max(position) FROM event_log"), "90/89");
    EXPECT_EQ(scalar("SELECT count(*) FROM outbox"), "180");
}

TEST_F(sqlite_store, wakes_a_lane_when_another_process_commits) {
    constexpr int commits = 10;
    open_database()->setup();
    turnstile gate;
    // Forked before this process opens the file: SQLite's connections do not survive a fork.
    child_process committer{[&] {
        const auto store = open_database();
        const auto unit = store->open_unit();
        for (int i = 0; i < commits; ++i) {
            gate.pass();
            commit(*unit, {}, {event("m-" + std::to_string(i))});
        }
    }};
    const auto store = open_database();
    const auto lane = store->open_lane();
    const auto grant = lane.lease->acquire("default:partner", "me", at(0), 30s);
    wake_signal never;
    for (int i = 0; i < commits; ++i) {
        static_cast<void>(lane.rows->due(*grant, "partner", i, 10));
        gate.let_one_pass();
        const stopwatch slept;
        ASSERT_EQ(lane.rows->wait(never, 2min), wake_reason::file_changed);
        EXPECT_LT(slept.elapsed(), 1min) << "found by the timeout's last look only";
        ASSERT_EQ(lane.rows->due(*grant, "partner", i, 10).rows.size(), 1U);
    }
    EXPECT_TRUE(committer.wait());
}

TEST_F(sqlite_store, holds_all_or_nothing_of_a_commit_that_was_killed) {
    open_database()->setup();
    const auto seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random{seed};
    for (int round = 0; round < 15; ++round) {
        const auto order = "o-" + std::to_string(round);
        child_process committer{[&] {
            const auto store = open_database();
            const auto unit = store->open_unit();
            commit(*unit, {insert(order)}, {});
            for (int version = 1;; ++version) {
                const auto id = order + '-' + std::to_string(version);
                unit->commit({.states = {update(order, version)},
                              .events = {event(id + "a", order), event(id + "b", order), event(id + "c", order)},
                              .marks = {{id, "handler"}},
                              .at = at(0)});
            }
        }};
        const auto store = open_database();
        const auto unit = store->open_unit();
        ASSERT_TRUE(eventually([&] {
            const auto state = unit->load("Order", order);
            return state && state->version > 2;
        }));
        std::this_thread::sleep_for(std::chrono::microseconds{random() % 5000});
        committer.kill();

        const auto version = unit->load("Order", order)->version;
        const auto of_order = " WHERE stream = 'shop::order-" + order + "'";
        EXPECT_EQ(scalar("SELECT count(*) FROM event_log" + of_order), std::to_string(3 * version));
        EXPECT_EQ(scalar("SELECT max(position) FROM event_log" + of_order), std::to_string(3 * version - 1));
        EXPECT_EQ(scalar("SELECT count(*) FROM outbox" + of_order), std::to_string(6 * version));
        EXPECT_EQ(scalar("SELECT count(*) FROM inbox WHERE message_id LIKE '" + order + "-%'"),
                  std::to_string(version));
        commit(*unit, {update(order, version + 1)}, {event(order + "-after", order)});  // nothing stayed locked
        commit(*unit, {remove(order, version + 2)}, {});
    }
    EXPECT_EQ(scalar("PRAGMA integrity_check"), "ok");
}

TEST_F(sqlite_store, leaves_nothing_of_a_transaction_that_was_killed_before_its_commit) {
    open_database()->setup();
    child_process committer{[this] {
        auto db = connect();
        const sqlite::transaction writing{db, sqlite::transaction::kind::write};
        db.execute("INSERT INTO aggregate_state VALUES ('Order', 'o-1', 0, '{}')");
        sqlite3_db_cacheflush(db.handle());  // its frames are in the journal
        ::raise(SIGKILL);
    }};
    EXPECT_FALSE(committer.wait());
    const auto store = open_database();
    const auto unit = store->open_unit();
    EXPECT_FALSE(unit->load("Order", "o-1"));
    commit(*unit, {insert("o-1")}, {});
}

TEST_F(sqlite_store, answers_retryable_when_the_lock_is_held_for_too_long) {
    open_database()->setup();
    const auto store = open_database(50ms);
    const auto unit = store->open_unit();
    const auto lane = store->open_lane();
    const auto grant = lane.lease->acquire("default:partner", "me", at(0), 30s);
    auto other = connect();
    {
        const sqlite::transaction hog{other, sqlite::transaction::kind::write};
        try {
            commit(*unit, {insert("o-1")}, {event("m-1")});
            FAIL() << "committed past the lock";
        } catch (const store_error& e) {
            EXPECT_TRUE(e.retryable());
            EXPECT_THAT(e.what(), AllOf(HasSubstr(path_.string()), HasSubstr("50ms"), Not(HasSubstr("order_id"))));
        }
        EXPECT_FALSE(unit->load("Order", "o-1")) << "readers do not wait for writers";
        EXPECT_THAT(lane.rows->due(*grant, "partner", 0, 10).rows, IsEmpty());
    }
    commit(*unit, {insert("o-1")}, {event("m-1")});
    EXPECT_EQ(lane.rows->due(*grant, "partner", 0, 10).rows.size(), 1U);
}

/// What `act` ends with; empty when it succeeds.
template <class Act>
[[nodiscard]] std::optional<error_nature> nature_of_failure(Act act) {
    try {
        act();
    } catch (const store_error& e) {
        return e.nature();
    }
    return std::nullopt;
}

TEST_F(sqlite_store, writes_nothing_into_a_file_that_was_taken_away) {
    open_database()->setup();
    const auto store = open_database();
    const auto unit = store->open_unit();
    commit(*unit, {insert("o-1")}, {});
    const std::filesystem::path away = path_.string() + ".away";
    for (const char* suffix : {"", "-wal", "-shm"}) {
        std::filesystem::rename(path_.string() + suffix, away.string() + suffix);
    }
    EXPECT_EQ(nature_of_failure([&] { commit(*unit, {insert("o-2")}, {}); }), error_nature::outage);
    EXPECT_EQ(nature_of_failure([&] { static_cast<void>(store->open_unit()); }), error_nature::outage);

    open_database()->setup();  // as somebody who restores a backup
    EXPECT_EQ(nature_of_failure([&] { commit(*unit, {insert("o-2")}, {}); }), error_nature::outage)
        << "another file has its place";
    commit(*store->open_unit(), {insert("o-2")}, {});
    EXPECT_EQ(scalar("SELECT group_concat(id) FROM aggregate_state"), "o-2");
}

TEST_F(sqlite_store, takes_it_for_an_outage_when_there_are_no_descriptors_left) {
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
    GTEST_SKIP() << "the sanitizer itself needs descriptors to look at memory";
#endif
#endif
    open_database()->setup();
    const auto store = open_database();
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    rlimit none = before;
    none.rlim_cur = 0;
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
    const auto nature = nature_of_failure([&] { static_cast<void>(store->open_unit()); });
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    EXPECT_EQ(nature, error_nature::outage);
    commit(*store->open_unit(), {insert("o-1")}, {});
}

TEST_F(sqlite_store, takes_it_for_an_outage_when_the_file_may_not_be_written) {
    open_database()->setup();
    const auto directory = path_.parent_path();
    std::filesystem::permissions(directory, std::filesystem::perms{0755});
    std::filesystem::permissions(path_, std::filesystem::perms{0444});
    // Root may write everywhere, so a child becomes somebody else.
    child_process reader{[&] {
        constexpr ::uid_t nobody = 65534;
        if (::geteuid() == 0 && ::setuid(nobody) != 0) ::_exit(2);
        const auto nature = nature_of_failure([&] { commit(*open_database()->open_unit(), {insert("o-1")}, {}); });
        ::_exit(nature == error_nature::outage ? 0 : 3);
    }};
    EXPECT_TRUE(reader.wait());
}

TEST_F(sqlite_store, locks_a_key_against_other_processes) {
    open_database()->setup();
    const auto ours = open_database(50ms);
    const auto theirs = open_database(50ms);  // as in another process: it shares nothing but the file
    const auto first = ours->open_unit();
    const auto second = theirs->open_unit();
    first->lock("state Order o-1");
    second->lock("state Order o-2");
    EXPECT_EQ(nature_of_failure([&] { second->lock("state Order o-1"); }), error_nature::retryable);
    first->unlock();
    second->lock("state Order o-1");

    child_process dies{[&] {
        open_database()->open_unit()->lock("state Order o-3");
        ::raise(SIGKILL);
    }};
    EXPECT_FALSE(dies.wait());
    first->lock("state Order o-3");
}

TEST_F(sqlite_store, waits_for_a_lock_that_is_given_back) {
    open_database()->setup();
    const auto store = open_database();
    const auto unit = store->open_unit();
    auto other = connect();
    std::optional<sqlite::transaction> hog;
    hog.emplace(other, sqlite::transaction::kind::write);
    std::jthread committer{[&] { commit(*unit, {insert("o-1")}, {}); }};
    std::this_thread::sleep_for(5ms);
    hog.reset();
    committer.join();
    EXPECT_TRUE(unit->load("Order", "o-1"));
}

TEST_F(sqlite_store, opens_one_connection_for_a_lane_and_watches_nothing_for_a_lease) {
    const auto open_files = [](const std::filesystem::path& file) {
        std::error_code ignored;
        return std::ranges::count_if(std::filesystem::directory_iterator{"/proc/self/fd"}, [&](const auto& each) {
            return std::filesystem::read_symlink(each.path(), ignored) == file;
        });
    };
    open_database()->setup();
    const auto store = open_database();
    const auto watches = open_files("anon_inode:inotify");
    const auto lease = store->open_lease();
    EXPECT_EQ(open_files(path_), 1);
    EXPECT_EQ(open_files("anon_inode:inotify"), watches);
    const auto lane = store->open_lane();
    EXPECT_EQ(open_files(path_), 2);
    EXPECT_EQ(open_files("anon_inode:inotify"), watches + 1);
}

TEST_F(sqlite_store, closes_what_it_opened) {
    const auto open_files = [] {
        return std::distance(std::filesystem::directory_iterator{"/proc/self/fd"},
                             std::filesystem::directory_iterator{});
    };
    const auto before = open_files();
    for (int i = 0; i < 3; ++i) {
        const auto store = open_database();
        store->setup();
        const auto unit = store->open_unit();
        const auto lane = store->open_lane();
        const auto operations = store->open_operations();
        commit(*unit, {}, {event("m-" + std::to_string(i))});
        EXPECT_THROW(commit(*unit, {}, {event("m-" + std::to_string(i))}), duplicate_message);
        EXPECT_FALSE(operations->list({}).empty());
    }
    EXPECT_EQ(open_files(), before);
    EXPECT_FALSE(std::filesystem::exists(path_.string() + "-wal")) << "the last one out checkpoints";
}

TEST_F(sqlite_store, finds_its_journal_behind_a_symbolic_link) {
    std::filesystem::create_directory(directory_ / "real");
    std::filesystem::create_symlink(directory_ / "real" / "shop.db", path_);
    open_database()->setup();
    EXPECT_EQ(connect().file(), std::filesystem::canonical(directory_ / "real" / "shop.db"));
}

/// How SQLite executes the statements of a lane once there is history.
class sqlite_plan : public sqlite_store {
protected:
    sqlite_plan() {
        const auto store = open_database();
        store->setup();
        const auto unit = store->open_unit();
        std::vector<event_write> events;
        events.reserve(2000);
        for (int i = 0; i < 2000; ++i) events.push_back(event("m-" + std::to_string(i), std::to_string(i % 50)));
        commit(*unit, {}, std::move(events));
        auto db = connect();
        // As a file that has been migrated: the first half has rows, what came later is in the ledger.
        db.execute(R"(
            INSERT INTO outbox_row (target_broker, seq, message_id, stream, status)
            SELECT name, seq, message_id, stream, 'published' FROM outbox_broker CROSS JOIN event_log WHERE seq <= 1000;
            WITH RECURSIVE n (after) AS (VALUES (1000) UNION ALL SELECT after + 10 FROM n WHERE after < 1980)
            INSERT INTO outbox_ledger (broker, part, after, upto, count, settled_at, owner, epoch)
            SELECT number, 101, after, after + 10, 10, '2026-11-23T08:00:01.000000+00:00', 'me', 1
            FROM outbox_broker CROSS JOIN n)");
    }

    [[nodiscard]] std::vector<std::string> plan_of(const std::string& sql, bool analyzed) const {
        auto db = connect();
        if (analyzed) db.execute("ANALYZE");
        sqlite3_stmt* explained = nullptr;
        EXPECT_EQ(sqlite3_prepare_v2(db.handle(), ("EXPLAIN QUERY PLAN " + sql).c_str(), -1, &explained, nullptr),
                  SQLITE_OK)
            << sqlite3_errmsg(db.handle());
        std::vector<std::string> steps;
        while (sqlite3_step(explained) == SQLITE_ROW) {
            steps.emplace_back(reinterpret_cast<const char*>(sqlite3_column_text(explained, 3)));
        }
        sqlite3_finalize(explained);
        return steps;
    }

    void expect_plan(const std::string& sql, const std::vector<std::string>& expected) const {
        for (const bool analyzed : {false, true}) {
            SCOPED_TRACE(analyzed ? "with statistics" : "without statistics");
            EXPECT_EQ(plan_of(sql, analyzed), expected);
        }
    }
};

TEST_F(sqlite_plan, of_due_walks_the_log_and_the_key_of_the_lane) {
    expect_plan(sqlite::log_sql, {"SEARCH e USING INTEGER PRIMARY KEY (rowid>?)"});
    expect_plan(sqlite::rows_sql, {"SEARCH outbox_row USING PRIMARY KEY (target_broker=? AND seq>?)"});
    expect_plan(sqlite::row_sql, {"SEARCH outbox_row USING PRIMARY KEY (target_broker=? AND seq=?)"});
}

TEST_F(sqlite_plan, of_due_in_stream_walks_the_stream) {
    expect_plan(sqlite::log_of_stream_sql, {"SEARCH e USING INDEX sqlite_autoindex_event_log_2 (stream=?)"});
}

TEST_F(sqlite_plan, of_the_ledger_goes_to_the_record_that_is_asked_for) {
    expect_plan(sqlite::find_record_sql, {"SEARCH outbox_ledger USING PRIMARY KEY (broker=? AND part=? AND upto>?)"});
    expect_plan(sqlite::record_sql, {"SEARCH outbox_ledger USING PRIMARY KEY (broker=? AND part=? AND upto=?)"});
    expect_plan(sqlite::lowest_record_sql, {"SEARCH outbox_ledger USING PRIMARY KEY (broker=? AND part=?)"});
    expect_plan(sqlite::records_above_sql, {"SEARCH outbox_ledger USING PRIMARY KEY (broker=? AND part=? AND upto>?)"});
    expect_plan(sqlite::neighbours_sql,
                {"SEARCH outbox_ledger USING PRIMARY KEY (broker=? AND part=? AND upto>? AND upto<?)"});
    for (const bool analyzed : {false, true}) {
        EXPECT_THAT(plan_of(sqlite::parts_sql, analyzed), Not(::testing::Contains(HasSubstr("SCAN outbox_ledger"))));
        EXPECT_THAT(plan_of(sqlite::next_time_sql, analyzed),
                    Not(::testing::Contains(HasSubstr("SCAN outbox_ledger"))));
    }
}

TEST_F(sqlite_plan, of_a_stream_walks_its_index) {
    expect_plan(sqlite::read_stream_sql,
                {"SEARCH e USING INDEX sqlite_autoindex_event_log_2 (stream=? AND position>?)"});
    expect_plan(sqlite::last_of_stream_sql, {"SEARCH e USING INDEX sqlite_autoindex_event_log_2 (stream=?)"});
}

TEST_F(sqlite_plan, of_the_streams_of_a_category_leaps_from_name_to_name) {
    for (const bool analyzed : {false, true}) {
        const auto plan = plan_of(sqlite::streams_sql, analyzed);
        EXPECT_THAT(plan, Not(::testing::Contains(HasSubstr("SCAN event_log"))));
        EXPECT_THAT(plan, Not(::testing::Contains(HasSubstr("TEMP B-TREE"))));
    }
}

TEST_F(sqlite_plan, of_the_messages_due_walks_their_times) {
    expect_plan(sqlite::due_messages_sql, {"SEARCH scheduled USING INDEX scheduled_due_at (due_at<?)"});
    expect_plan(sqlite::next_due_sql, {"SEARCH scheduled USING COVERING INDEX scheduled_due_at"});
}

TEST_F(sqlite_plan, of_settle_touches_one_row) {
    expect_plan(sqlite::settle_sql, {"SEARCH outbox_row USING PRIMARY KEY (target_broker=? AND seq=?)"});
    expect_plan(sqlite::any_row_sql, {"SEARCH outbox_row USING PRIMARY KEY (target_broker=? AND seq>? AND seq<?)"});
    expect_plan(sqlite::add_row_sql, {"SEARCH event_log USING INTEGER PRIMARY KEY (rowid=?)"});
}

TEST_F(sqlite_plan, of_purge_walks_upwards_to_the_mark) {
    expect_plan(sqlite::purgeable_sql, {"SEARCH o USING PRIMARY KEY (target_broker=? AND seq>? AND seq<?)",
                                        "SEARCH e USING INTEGER PRIMARY KEY (rowid=?)"});
    expect_plan(sqlite::purge_sql, {"SEARCH outbox_row USING PRIMARY KEY (target_broker=? AND seq=?)"});
}

TEST_F(sqlite_plan, of_a_look_for_news_reads_the_end_of_the_log_only) {
    EXPECT_THAT(plan_of(sqlite::lane_news::look_sql, true), Not(::testing::Contains("SCAN event_log")));
}

TEST_F(sqlite_plan, of_a_look_at_one_message_uses_its_index) {
    // Brokers and parts of ledgers are few; whatever grows is searched.
    for (const char* grows : {"outbox_row", "event_log", "e", "r", "outbox_ledger", "l", "first", "lease"}) {
        for (const bool analyzed : {false, true}) {
            const auto plan = plan_of("SELECT target_broker, status FROM outbox WHERE message_id = 'm-1'", analyzed);
            EXPECT_THAT(plan,
                        Not(::testing::Contains(::testing::MatchesRegex(std::string{"SCAN "} + grows + "( .*)?"))));
            EXPECT_THAT(plan, Not(::testing::Contains(HasSubstr("BLOOM FILTER"))));
            EXPECT_THAT(plan, Not(::testing::Contains(HasSubstr("TEMP B-TREE"))));
            EXPECT_THAT(plan, ::testing::Contains(HasSubstr("SEARCH outbox_row USING INDEX")));
            EXPECT_THAT(plan, ::testing::Contains(HasSubstr("SEARCH e USING INDEX sqlite_autoindex_event_log_1")));
        }
    }
}

TEST_F(sqlite_plan, of_the_newest_of_a_broker_stops_at_its_limit) {
    for (const char* status : {"published", "pending", "abandoned"}) {
        const auto plan = plan_of(std::string{"SELECT * FROM outbox WHERE target_broker = 'partner' AND status = '"} +
                                      status + "' ORDER BY seq DESC LIMIT 50",
                                  true);
        EXPECT_THAT(plan, Not(::testing::Contains(HasSubstr("TEMP B-TREE")))) << status;
        EXPECT_THAT(plan, ::testing::Contains(HasSubstr("MERGE"))) << status;
    }
}

TEST_F(sqlite_plan, purge_walks_past_what_it_keeps_in_bounded_steps) {
    const auto store = open_database();
    const auto lane = store->open_lane();
    const auto grant = lane.lease->acquire("default:partner", "me", at(0), 30s);
    std::vector<settlement> given_up;
    auto db = connect();
    db.execute(
        "DELETE FROM outbox_ledger; DELETE FROM outbox_row;"
        " INSERT INTO outbox_row (target_broker, seq, message_id, stream)"
        " SELECT 'partner', seq, message_id, stream FROM event_log");
    for (sequence seq = 1; seq <= 2000; ++seq) {
        given_up.push_back(seq <= 1500 ? abandoned(seq, 1, at(1)) : published(seq, at(1)));
    }
    ASSERT_EQ(lane.rows->settle(*grant, "partner", given_up, 2000), settle_outcome::settled);
    // The first 1500 rows are kept for longer; each call looks at 500 and the fourth finds what it may delete.
    for (int call = 1; call <= 3; ++call)
        EXPECT_EQ(lane.rows->purge(*grant, "partner", at(10), at(1), 100), 0U) << call;
    for (int call = 4; call <= 8; ++call)
        EXPECT_EQ(lane.rows->purge(*grant, "partner", at(10), at(1), 100), 100U) << call;
    EXPECT_EQ(lane.rows->purge(*grant, "partner", at(10), at(1), 100), 0U);
}

/// The file is replaced under a running process, as when a backup is restored.
TEST(sqlite_history, is_lost_with_the_file) {
    const temporary_directory directory;
    const auto file = directory / "shop.db";
    const auto store = make_sqlite_database({.path = file});
    store->setup();
    const auto unit = store->open_unit();
    const auto lane = store->open_lane();
    const auto commit_one = [](unit_session& to, const std::string& id) {
        to.commit({.events = {event(id, id)}, .at = at(0)});
    };
    commit_one(*unit, "m-1");
    sqlite::connection{sqlite::driver_options({.path = file}), sqlite::connection::open_mode::existing}.execute(
        ("VACUUM INTO '" + (directory / "backup.db").string() + "'").c_str());
    for (const char* id : {"m-2", "m-3"}) commit_one(*unit, id);
    const auto grant = lane.lease->acquire("default:partner", "me", at(0), 30s);
    ASSERT_EQ(lane.rows->settle(*grant, "partner", std::vector{published(1), published(2), published(3)}, 3),
              settle_outcome::settled);
    EXPECT_TRUE(unit->is_current());

    for (const char* journal : {"shop.db-wal", "shop.db-shm"}) std::filesystem::remove(directory / journal);
    std::filesystem::rename(directory / "backup.db", file);
    EXPECT_FALSE(unit->is_current());
    try {
        commit_one(*unit, "lost");
        FAIL() << "written to a file that nobody finds again";
    } catch (const store_error& e) {
        EXPECT_TRUE(e.retryable());
        EXPECT_THAT(e.what(), HasSubstr("another file has taken its place"));
    }
    EXPECT_THROW(static_cast<void>(lane.rows->due(*grant, "partner", 3, 10)), store_error);

    commit_one(*store->open_unit(), "n-2");
    const auto next = store->open_lane();
    EXPECT_FALSE(next.rows->due(*grant, "partner", 3, 10).owned);
    EXPECT_THAT(next.lease->lost_history(), HasSubstr("file was"));
    EXPECT_EQ(next.rows->settle(*grant, "partner", std::vector{published(2)}, 2), settle_outcome::fenced);
    const auto again = next.lease->acquire("default:partner", "me", at(1), 30s);
    ASSERT_TRUE(again);
    EXPECT_THAT(again->other_history, HasSubstr("file was"));
    EXPECT_EQ(again->mark, 0);
    EXPECT_EQ(seqs(next.rows->due(*again, "partner", again->mark, 10)), (std::vector<sequence>{1, 2}));
}

TEST(sqlite_history, of_a_copy_is_compared_with_the_one_of_the_last_owner_and_the_mark_is_checked) {
    const temporary_directory directory;
    {
        const auto store = make_sqlite_database({.path = directory / "shop.db"});
        store->setup();
        for (const char* id : {"m-1", "m-2"}) store->open_unit()->commit({.events = {event(id)}, .at = at(0)});
        const auto lane = store->open_lane();
        const auto grant = lane.lease->acquire("default:partner", "me", at(0), 30s);
        EXPECT_EQ(grant->other_history, "");
        ASSERT_EQ(lane.rows->settle(*grant, "partner", std::vector{failed(1, 1), published(2)}, 2),
                  settle_outcome::settled);
        lane.lease->release(*grant, report());
    }
    std::filesystem::copy_file(directory / "shop.db", directory / "copy.db");
    const auto copy = make_sqlite_database({.path = directory / "copy.db"});
    const auto lane = copy->open_lane();
    const auto grant = lane.lease->acquire("default:partner", "you", at(1), 30s);
    EXPECT_THAT(grant->other_history, HasSubstr("file was"));
    EXPECT_EQ(grant->reopened, 1U);
    EXPECT_EQ(grant->mark, 0);
}

}  // namespace
}  // namespace sluice::store::contract
