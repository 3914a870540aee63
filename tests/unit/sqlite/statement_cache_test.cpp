#include "sqlite/statement_cache.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <string>

#include "unit/sqlite/database.hpp"

namespace sluice::sqlite {
namespace {

/// How often SQLite compiled something for the connection.
class compilations {
public:
    explicit compilations(connection& db) { sqlite3_set_authorizer(db.handle(), &compilations::count, this); }
    [[nodiscard]] int count() const noexcept { return count_; }

private:
    static int count(void* self, int action, const char*, const char*, const char*, const char*) {
        if (action == SQLITE_SELECT) ++static_cast<compilations*>(self)->count_;
        return SQLITE_OK;
    }
    int count_ = 0;
};

class statement_cache_of_a_connection : public database {};

TEST_F(statement_cache_of_a_connection, compiles_a_text_once) {
    auto db = open();
    const compilations compiled{db};
    for (int i = 0; i < 3; ++i) EXPECT_EQ(scalar(db, "SELECT 42"), "42");
    EXPECT_EQ(compiled.count(), 1);
}

TEST_F(statement_cache_of_a_connection, gives_each_user_a_statement_of_its_own) {
    auto db = open();
    db.execute("CREATE TABLE t (n); INSERT INTO t VALUES (1), (2)");
    statement outer{db, "SELECT n FROM t ORDER BY n"};
    std::string seen;
    for (auto row = outer.query(); row.next();) {
        statement inner{db, "SELECT n FROM t ORDER BY n"};
        for (auto other = inner.query(); other.next();) seen += row.text(0) + other.text(0) + ' ';
    }
    EXPECT_EQ(seen, "11 12 21 22 ");
}

TEST(statement_cache, forgets_texts_without_a_user_when_there_are_many) {
    statement_cache cache;
    auto& used = cache.take("used");
    for (std::size_t i = 1; i < statement_cache::most_texts; ++i) {
        statement_cache::give_back(cache.take("generated " + std::to_string(i)), {});
    }
    EXPECT_EQ(cache.size(), statement_cache::most_texts);
    statement_cache::give_back(cache.take("one more"), {});
    EXPECT_EQ(cache.size(), 2U);
    EXPECT_EQ(&cache.take("used"), &used);
}

}  // namespace
}  // namespace sluice::sqlite
