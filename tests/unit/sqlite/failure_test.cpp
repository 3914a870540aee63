#include "sqlite/failure.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>

namespace sluice::sqlite {
namespace {

TEST(failure, is_told_by_its_primary_code) {
    EXPECT_EQ(problem_of(SQLITE_BUSY), problem::busy);
    EXPECT_EQ(problem_of(SQLITE_BUSY_RECOVERY), problem::busy);
    EXPECT_EQ(problem_of(SQLITE_LOCKED_SHAREDCACHE), problem::busy);
    EXPECT_EQ(problem_of(SQLITE_IOERR_FSYNC), problem::disk);
    EXPECT_EQ(problem_of(SQLITE_FULL), problem::full);
    EXPECT_EQ(problem_of(SQLITE_READONLY_DBMOVED), problem::read_only);
    EXPECT_EQ(problem_of(SQLITE_CANTOPEN), problem::cannot_open);
    EXPECT_EQ(problem_of(SQLITE_NOTADB), problem::no_database);
    EXPECT_EQ(problem_of(SQLITE_CORRUPT_INDEX), problem::damaged);
    EXPECT_EQ(problem_of(SQLITE_NOMEM), problem::passing);
    EXPECT_EQ(problem_of(SQLITE_NOLFS), problem::not_permitted);
    EXPECT_EQ(problem_of(SQLITE_CONSTRAINT_CHECK), problem::other);
}

TEST(failure, of_an_old_snapshot_is_no_busy_one) { EXPECT_EQ(problem_of(SQLITE_BUSY_SNAPSHOT), problem::old_snapshot); }

}  // namespace
}  // namespace sluice::sqlite
