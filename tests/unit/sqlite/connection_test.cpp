#include "sqlite/connection.hpp"

#include <gmock/gmock.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <fstream>
#include <optional>

#include "sqlite/transaction.hpp"
#include "unit/sqlite/database.hpp"

namespace sluice::sqlite {
namespace {

using namespace std::chrono_literals;
using open_mode = connection::open_mode;

class connection_to_a_file : public database {
protected:
    [[nodiscard]] problem problem_of_opening(open_mode mode) const {
        return failure_of([&] { static_cast<void>(open(mode)); }).what;
    }
};

TEST_F(connection_to_a_file, makes_it_for_its_owner_only) {
    EXPECT_EQ(problem_of_opening(open_mode::existing), problem::no_file);
    EXPECT_FALSE(std::filesystem::exists(file_)) << "looking must not create it";
    static_cast<void>(open());
    struct stat made {};
    ASSERT_EQ(::stat(file_.c_str(), &made), 0);
    EXPECT_EQ(made.st_mode & 0777U, 0600U);
    static_cast<void>(open(open_mode::existing));
}

TEST_F(connection_to_a_file, tells_of_a_missing_directory_first) {
    file_ = directory_ / "not" / "there.db";
    EXPECT_EQ(problem_of_opening(open_mode::create), problem::no_directory);
    EXPECT_EQ(problem_of_opening(open_mode::existing), problem::no_directory);
}

TEST_F(connection_to_a_file, refuses_what_is_no_database) {
    std::ofstream{file_} << std::string(8192, 'x');
    EXPECT_EQ(problem_of_opening(open_mode::create), problem::no_database);
}

TEST_F(connection_to_a_file, cannot_be_opened_without_a_descriptor) {
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
    GTEST_SKIP() << "the sanitizer itself needs descriptors to look at memory";
#endif
#endif
    static_cast<void>(open());
    ::rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    const ::rlimit none{.rlim_cur = 0, .rlim_max = before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
    const auto found = problem_of_opening(open_mode::existing);
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    EXPECT_EQ(found, problem::cannot_open);
    static_cast<void>(open(open_mode::existing));
}

TEST_F(connection_to_a_file, has_the_settings_it_was_given) {
    auto hard = open();
    EXPECT_EQ(scalar(hard, "PRAGMA journal_mode"), "wal");
    EXPECT_EQ(scalar(hard, "PRAGMA synchronous"), "2");
    EXPECT_EQ(scalar(hard, "PRAGMA foreign_keys"), "0");
    auto easy = options();
    easy.synchronous = synchronous_mode::normal;
    easy.journal_bytes_kept = 4096;
    connection soft{easy, open_mode::existing};
    EXPECT_EQ(scalar(soft, "PRAGMA synchronous"), "1");
    EXPECT_EQ(scalar(soft, "PRAGMA journal_size_limit"), "4096");
}

TEST_F(connection_to_a_file, notices_that_it_was_replaced) {
    const auto db = open();
    EXPECT_EQ(db.identity(), file_identity::at(file_));
    EXPECT_TRUE(db.is_in_place());
    std::filesystem::rename(file_, directory_ / "moved.db");
    EXPECT_FALSE(db.is_in_place());
    std::ofstream{file_}.close();
    EXPECT_FALSE(db.is_in_place());
    std::filesystem::rename(directory_ / "moved.db", file_);
    EXPECT_TRUE(db.is_in_place()) << "it was put back";
}

TEST_F(connection_to_a_file, resolves_symbolic_links) {
    std::filesystem::create_directory(directory_ / "real");
    std::filesystem::create_symlink(directory_ / "real" / "a.db", file_);
    const auto db = open();
    EXPECT_EQ(db.file(), std::filesystem::canonical(directory_ / "real" / "a.db"));
}

TEST_F(connection_to_a_file, waits_anew_for_each_lock_or_for_all_together) {
    auto hog = open();
    auto db = open();
    const transaction writing{hog, transaction::kind::write};
    const auto wait = [&] {
        const auto begin = std::chrono::steady_clock::now();
        EXPECT_EQ(failure_of([&] { const transaction refused{db, transaction::kind::write}; }).what, problem::busy);
        return std::chrono::steady_clock::now() - begin;
    };
    EXPECT_GE(wait(), 30ms);
    EXPECT_GE(wait(), 30ms);
    db.limit_waits(20ms);
    EXPECT_GE(wait(), 19ms);
    EXPECT_LT(wait(), 19ms) << "nothing is left of it";
    db.limit_waits_anew();
    EXPECT_GE(wait(), 19ms);
}

TEST_F(connection_to_a_file, counts_the_commits_of_others_only) {
    auto db = open();
    auto other = open();
    db.execute("CREATE TABLE t (n)");
    const auto before = db.data_version();
    db.execute("INSERT INTO t VALUES (1)");
    EXPECT_EQ(db.data_version(), before);
    other.execute("INSERT INTO t VALUES (2)");
    EXPECT_NE(db.data_version(), before);
}

TEST_F(connection_to_a_file, of_somebody_else_is_left_as_it_is) {
    sqlite3* theirs = nullptr;
    ASSERT_EQ(sqlite3_open(file_.c_str(), &theirs), SQLITE_OK);
    {
        connection db{*theirs, &keep};
        EXPECT_EQ(db.file(), std::filesystem::canonical(file_));
        EXPECT_TRUE(db.is_in_place());
        EXPECT_EQ(scalar(db, "PRAGMA journal_mode"), "delete");
    }
    EXPECT_EQ(sqlite3_exec(theirs, "CREATE TABLE t (n)", nullptr, nullptr, nullptr), SQLITE_OK);
    EXPECT_EQ(sqlite3_close(theirs), SQLITE_OK) << "no statement is left over";
}

}  // namespace
}  // namespace sluice::sqlite
