#include "sqlite/commit_watch.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "unit/sqlite/database.hpp"

namespace sluice::sqlite {
namespace {

using namespace std::chrono_literals;
using base::wake_reason;

class commit_watch_on_a_file : public database {
protected:
    commit_watch_on_a_file() { db_.execute("CREATE TABLE t (n)"); }

    [[nodiscard]] wake_reason wait(duration timeout) {
        return watch_.wait(signal_, timeout, [this] { return db_.data_version() != seen_; });
    }

    connection db_ = open();
    connection other_ = open();
    commit_watch watch_{db_};
    base::wake_signal signal_;
    std::int64_t seen_ = db_.data_version();
};

TEST_F(commit_watch_on_a_file, sees_what_was_committed_before_the_wait) {
    other_.execute("INSERT INTO t VALUES (1)");
    EXPECT_EQ(wait(0us), wake_reason::file_changed);
}

TEST_F(commit_watch_on_a_file, wakes_for_a_commit_of_another_connection) {
    std::jthread commits{[this] { other_.execute("INSERT INTO t VALUES (1)"); }};
    EXPECT_EQ(wait(10s), wake_reason::file_changed);
}

TEST_F(commit_watch_on_a_file, sleeps_on_when_the_commit_is_no_news) {
    db_.execute("INSERT INTO t VALUES (1)");
    EXPECT_EQ(wait(5ms), wake_reason::timed_out);
}

TEST_F(commit_watch_on_a_file, sees_a_signal_even_without_time) {
    signal_.notify();
    EXPECT_EQ(wait(0us), wake_reason::signalled);
    EXPECT_EQ(wait(0us), wake_reason::timed_out);
}

TEST_F(commit_watch_on_a_file, waits_for_as_long_as_it_takes) {
    signal_.notify();
    EXPECT_EQ(wait(duration::max()), wake_reason::signalled);
}

}  // namespace
}  // namespace sluice::sqlite
