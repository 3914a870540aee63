#include "sqlite/statement.hpp"

#include <gmock/gmock.h>

#include <string>

#include "unit/sqlite/database.hpp"

namespace sluice::sqlite {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class statement_of_a_table : public database {
protected:
    statement_of_a_table() {
        db_.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT, bytes BLOB, real REAL) STRICT");
    }

    connection db_ = open();
};

TEST_F(statement_of_a_table, binds_each_kind_of_value) {
    const std::string bytes{"\0\xff", 2};
    statement{db_, "INSERT INTO t VALUES (?1, ?2, ?3, ?4)"}.run(1, "one", blob{bytes}, 1.5);
    statement select{db_, "SELECT * FROM t WHERE id = ?1"};
    auto found = select.query(1);
    ASSERT_TRUE(found.next());
    EXPECT_EQ(found.integer(0), 1);
    EXPECT_EQ(found.text(1), "one");
    EXPECT_EQ(found.bytes(2), bytes);
    EXPECT_EQ(found.real(3), 1.5);
    EXPECT_FALSE(found.next());
}

TEST_F(statement_of_a_table, tells_null_from_empty) {
    statement insert{db_, "INSERT INTO t (id, text, bytes) VALUES (?1, ?2, ?3)"};
    insert.run(1, std::string_view{}, blob{});
    insert.run(2, std::optional<std::string>{}, std::optional<blob>{});
    EXPECT_EQ(scalar(db_, "SELECT group_concat(id) FROM t WHERE text = '' AND bytes = x''"), "1");
    EXPECT_EQ(scalar(db_, "SELECT group_concat(id) FROM t WHERE text IS NULL AND bytes IS NULL"), "2");
}

TEST_F(statement_of_a_table, takes_a_list_of_values) {
    statement{db_, "INSERT INTO t VALUES (?1, ?2, ?3, ?4)"}.run_with({std::int64_t{7}, "seven", std::monostate{}, 0.5});
    EXPECT_EQ(scalar(db_, "SELECT text || real FROM t WHERE id = 7 AND bytes IS NULL"), "seven0.5");
}

TEST_F(statement_of_a_table, counts_what_it_changes) {
    for (int i = 1; i <= 3; ++i) statement{db_, "INSERT INTO t (id) VALUES (?1)"}.run(i);
    EXPECT_EQ(db_.last_insert_id(), 3);
    EXPECT_EQ((statement{db_, "DELETE FROM t WHERE id > ?1"}.run(1)), 2);
}

TEST_F(statement_of_a_table, keeps_what_it_was_asked_while_rows_are_read) {
    statement{db_, "INSERT INTO t (id, text) VALUES (1, 'one'), (2, 'one')"}.run();
    statement select{db_, "SELECT id FROM t WHERE text = ?1 ORDER BY id"};
    std::string wanted = "one";
    auto found = select.query(wanted);
    wanted = "two";
    EXPECT_TRUE(found.next());
    EXPECT_TRUE(found.next());
}

TEST_F(statement_of_a_table, tells_a_row_that_is_taken_from_a_failure) {
    statement insert{db_, "INSERT INTO t (id, text) VALUES (?1, ?2)"};
    EXPECT_TRUE(insert.run_unless_taken(1, "one"));
    EXPECT_FALSE(insert.run_unless_taken(1, "another"));
    db_.execute("CREATE TRIGGER no BEFORE INSERT ON t BEGIN SELECT raise(FAIL, 'secret of the application'); END");
    const auto failed = failure_of([&] { static_cast<void>(insert.run_unless_taken(2, "two")); });
    EXPECT_EQ(failed.what, problem::other);
    EXPECT_THAT(failed.words, Not(HasSubstr("secret"))) << "the words of a trigger may quote a row";
}

TEST_F(statement_of_a_table, tells_of_a_table_that_is_missing_and_works_once_it_is_there) {
    statement insert{db_, "INSERT INTO late VALUES (?1)"};
    const auto failed = failure_of([&] { insert.run(1); });
    EXPECT_EQ(failed.what, problem::no_such_table);
    EXPECT_THAT(failed.words, HasSubstr("late"));
    EXPECT_EQ(failed.file, file_);
    db_.execute("CREATE TABLE late (n)");
    insert.run(1);
}

}  // namespace
}  // namespace sluice::sqlite
