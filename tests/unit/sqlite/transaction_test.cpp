#include "sqlite/transaction.hpp"

#include <gtest/gtest.h>

#include <optional>

#include "unit/sqlite/database.hpp"

namespace sluice::sqlite {
namespace {

class transaction_on_a_file : public database {
protected:
    transaction_on_a_file() { db_.execute("CREATE TABLE t (n)"); }

    void insert() { db_.execute("INSERT INTO t VALUES (1)"); }
    [[nodiscard]] std::string count() { return scalar(db_, "SELECT count(*) FROM t"); }

    connection db_ = open();
};

TEST_F(transaction_on_a_file, keeps_what_is_committed_only) {
    {
        const transaction undone{db_, transaction::kind::write};
        insert();
        EXPECT_TRUE(db_.in_transaction());
    }
    EXPECT_FALSE(db_.in_transaction());
    EXPECT_EQ(count(), "0");
    transaction kept{db_, transaction::kind::write};
    insert();
    kept.commit();
    EXPECT_EQ(count(), "1");
}

TEST_F(transaction_on_a_file, that_reads_sees_one_snapshot) {
    auto other = open();
    const transaction snapshot{db_, transaction::kind::read};
    EXPECT_EQ(count(), "0");
    other.execute("INSERT INTO t VALUES (1)");
    EXPECT_EQ(count(), "0");
    const auto failed = failure_of([&] { insert(); });
    EXPECT_EQ(failed.what, problem::old_snapshot);
}

TEST_F(transaction_on_a_file, that_writes_has_the_lock_from_the_beginning) {
    auto other = open();
    const transaction first{other, transaction::kind::write};
    const auto failed = failure_of([&] { const transaction second{db_, transaction::kind::write}; });
    EXPECT_EQ(failed.what, problem::busy);
    EXPECT_EQ(failed.patience, std::chrono::milliseconds{30});
    EXPECT_FALSE(failed.in_doubt);
}

TEST_F(transaction_on_a_file, is_refused_when_the_file_was_replaced) {
    std::filesystem::rename(file_, directory_ / "moved.db");
    EXPECT_EQ(failure_of([&] { const transaction refused{db_, transaction::kind::read}; }).what, problem::replaced);
    const auto another = open();
    EXPECT_EQ(failure_of([&] { const transaction refused{db_, transaction::kind::write}; }).what, problem::replaced);
}

TEST_F(transaction_on_a_file, undoes_a_savepoint_that_is_not_kept) {
    transaction whole{db_, transaction::kind::write};
    {
        const savepoint undone{db_};
        insert();
    }
    {
        savepoint kept{db_};
        insert();
        kept.keep();
    }
    whole.commit();
    EXPECT_EQ(count(), "1");
}

TEST_F(transaction_on_a_file, is_in_doubt_when_its_commit_fails) {
    db_.execute(
        "CREATE TABLE parent (id INTEGER PRIMARY KEY); PRAGMA foreign_keys = ON;"
        "CREATE TABLE child (id REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)");
    transaction fails{db_, transaction::kind::write};
    db_.execute("INSERT INTO child VALUES (1)");
    EXPECT_TRUE(failure_of([&] { fails.commit(); }).in_doubt);
}

}  // namespace
}  // namespace sluice::sqlite
