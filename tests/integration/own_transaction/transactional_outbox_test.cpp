#include <sluice/transactional_outbox.hpp>

#include <gmock/gmock.h>
#include <sqlite3.h>

#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <sluice/error.hpp>

#include "app/compose.hpp"
#include "config/loader.hpp"
#include "support/temporary_directory.hpp"
#ifdef SLUICE_WITH_STORE_POSTGRESQL
#include <libpq-fe.h>

#include "support/postgresql_server.hpp"
#endif

namespace warehouse {

class Item;

struct ItemPicked {
    static constexpr sluice::event_of<Item> contract{.published = true};
    sluice::identifier item_id;
    sluice::string<10> shelf;
};

struct ItemCounted {
    static constexpr sluice::event_of<Item> contract{};
    sluice::identifier item_id;
};

struct Undeclared {
    static constexpr sluice::event_of<Item> contract{};
    sluice::identifier item_id;
};

sluice::domain make_domain() {
    sluice::domain warehouse{"warehouse"};
    warehouse.stream<Item>().events<ItemPicked, ItemCounted>();
    warehouse.enrich_events([](const sluice::enrichment_input&) { return sluice::json::object{{"tenant", "t-1"}}; });
    return warehouse;
}

}  // namespace warehouse

namespace sluice {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using warehouse::ItemCounted;
using warehouse::ItemPicked;

constexpr const char* two_brokers =
    "[brokers.default]\nprovider = \"inline\"\n[brokers.partner]\nprovider = \"inline\"\n"
    "[outbox]\nexternal_brokers = [\"partner\"]\n";

/// A connection of the application's, of either kind. Answers are text, the columns of a row joined by `|`.
class application {
public:
    virtual ~application() = default;
    virtual std::vector<std::string> run(const std::string& sql) = 0;
    virtual std::string enqueue(const transactional_outbox& outbox, const ItemPicked& event,
                                const enqueue_options& options = {}) = 0;
    virtual std::string enqueue(const transactional_outbox& outbox, const ItemCounted& event) = 0;
    virtual std::string enqueue(const transactional_outbox& outbox, const warehouse::Undeclared& event) = 0;
};

template <class Connection>
class application_on : public application {
public:
    explicit application_on(Connection connection) : connection_{std::move(connection)} {}
    std::string enqueue(const transactional_outbox& outbox, const ItemPicked& event,
                        const enqueue_options& options) override {
        return outbox.enqueue(connection_.get(), event, options);
    }
    std::string enqueue(const transactional_outbox& outbox, const ItemCounted& event) override {
        return outbox.enqueue(connection_.get(), event);
    }
    std::string enqueue(const transactional_outbox& outbox, const warehouse::Undeclared& event) override {
        return outbox.enqueue(connection_.get(), event);
    }

protected:
    Connection connection_;
};

struct close_sqlite {
    void operator()(sqlite3* db) const noexcept { sqlite3_close(db); }
};
using sqlite_handle = std::unique_ptr<sqlite3, close_sqlite>;

class sqlite_application final : public application_on<sqlite_handle> {
public:
    explicit sqlite_application(const std::string& file) : application_on{open(file)} {}

    std::vector<std::string> run(const std::string& sql) override {
        std::vector<std::string> rows;
        const auto add = [](void* to, int columns, char** values, char**) {
            std::string row;
            for (int n = 0; n < columns; ++n) {
                if (n > 0) row += '|';
                row += values[n] == nullptr ? "" : values[n];
            }
            static_cast<std::vector<std::string>*>(to)->push_back(row);
            return 0;
        };
        if (sqlite3_exec(connection_.get(), sql.c_str(), add, &rows, nullptr) != SQLITE_OK) {
            throw std::runtime_error{sqlite3_errmsg(connection_.get())};
        }
        return rows;
    }

private:
    static sqlite_handle open(const std::string& file) {
        sqlite3* opened = nullptr;
        sqlite3_open(file.c_str(), &opened);
        sqlite3_busy_timeout(opened, 20'000);
        return sqlite_handle{opened};
    }
};

#ifdef SLUICE_WITH_STORE_POSTGRESQL
struct close_postgresql {
    void operator()(PGconn* connection) const noexcept { PQfinish(connection); }
};
using postgresql_handle = std::unique_ptr<PGconn, close_postgresql>;

class postgresql_application final : public application_on<postgresql_handle> {
public:
    postgresql_application(const std::string& uri, const std::string& schema)
        : application_on{postgresql_handle{PQconnectdb(uri.c_str())}} {
        run("SET search_path TO " + schema);
    }

    std::vector<std::string> run(const std::string& sql) override {
        const std::unique_ptr<PGresult, decltype(&PQclear)> answer{PQexec(connection_.get(), sql.c_str()), &PQclear};
        const auto status = PQresultStatus(answer.get());
        if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
            throw std::runtime_error{PQresultErrorMessage(answer.get())};
        }
        std::vector<std::string> rows;
        for (int row = 0; row < PQntuples(answer.get()); ++row) {
            std::string text;
            for (int column = 0; column < PQnfields(answer.get()); ++column) {
                if (column > 0) text += '|';
                text += PQgetvalue(answer.get(), row, column);
            }
            rows.push_back(text);
        }
        return rows;
    }
};
#endif

/// A database with Sluice's tables and one of the application's own.
class transactional_outbox_test : public ::testing::TestWithParam<std::string> {
protected:
    transactional_outbox_test() {
        if (GetParam() == "sqlite") {
            place_ = (directory_.path() / "warehouse.db").string();
            database_ = "provider = \"sqlite\"\ndatabase_uri = \"sqlite:///warehouse.db\"\n";
        } else {
#ifdef SLUICE_WITH_STORE_POSTGRESQL
            place_ = testing::postgresql::uri();
            schema_ = testing::postgresql::fresh_schema();
            database_ = "provider = \"postgresql\"\ndatabase_uri = \"" + place_ + "\"\nschema = \"" + schema_ + "\"\n";
#endif
        }
        file_ = write("domain.toml", "[databases.default]\n" + database_ + two_brokers);
        app::make_adapters(config::load(file_, app::available_providers())).databases.at("default")->setup();
        outbox_ = std::make_unique<transactional_outbox>(warehouse::make_domain(), file_);
        application_ = connect();
        application_->run("CREATE TABLE item (id text PRIMARY KEY, stock integer CHECK (stock >= 0))");
        application_->run("INSERT INTO item VALUES ('i-1', 1)");
    }

    [[nodiscard]] std::unique_ptr<application> connect() const {
#ifdef SLUICE_WITH_STORE_POSTGRESQL
        if (GetParam() == "postgresql") return std::make_unique<postgresql_application>(place_, schema_);
#endif
        return std::make_unique<sqlite_application>(place_);
    }

    [[nodiscard]] std::filesystem::path write(const std::string& name, const std::string& text) const {
        const auto path = directory_.path() / name;
        std::ofstream{path} << text;
        return path;
    }

    std::vector<std::string> run(const std::string& sql) { return application_->run(sql); }
    [[nodiscard]] std::string begin() const { return GetParam() == "sqlite" ? "BEGIN IMMEDIATE" : "BEGIN"; }

    testing::temporary_directory directory_;
    std::string place_;
    std::string schema_;
    std::string database_;
    std::filesystem::path file_;
    std::unique_ptr<transactional_outbox> outbox_;
    std::unique_ptr<application> application_;
};

template <class Thrown>
std::string error_of(const std::function<void()>& work) {
    try {
        work();
    } catch (const Thrown& e) {
        return e.what();
    }
    return "nothing was thrown";
}

TEST_P(transactional_outbox_test, commits_events_and_rows_with_the_application_s_own_change) {
    run(begin());
    run("UPDATE item SET stock = 0");
    const auto first = application_->enqueue(*outbox_, ItemPicked{.item_id = "i-1", .shelf = "A"},
                                             {.correlation_id = "c-1", .causation_id = "request-7"});
    const auto second = application_->enqueue(*outbox_, ItemCounted{.item_id = "i-1"});
    EXPECT_THAT(connect()->run("SELECT count(*) FROM outbox"), ElementsAre("0")) << "it is not committed yet";
    run("COMMIT");

    EXPECT_EQ(first, "warehouse::item-i-1-0");
    EXPECT_EQ(second, "warehouse::item-i-1-1");
    EXPECT_THAT(run("SELECT message_id, target_broker, status FROM outbox ORDER BY seq, target_broker"),
                ElementsAre("warehouse::item-i-1-0|default|pending", "warehouse::item-i-1-0|partner|pending",
                            "warehouse::item-i-1-1|default|pending"));
    EXPECT_THAT(run("SELECT stream, stream_category, position, type, data FROM event_log ORDER BY seq"),
                ElementsAre("warehouse::item-i-1|warehouse::item|0|Warehouse.ItemPicked.v1|"
                            R"({"item_id":"i-1","shelf":"A"})",
                            R"(warehouse::item-i-1|warehouse::item|1|Warehouse.ItemCounted.v1|{"item_id":"i-1"})"));
    EXPECT_THAT(run("SELECT metadata FROM event_log ORDER BY seq LIMIT 1"),
                ElementsAre(AllOf(HasSubstr("\"correlation_id\":\"c-1\""), HasSubstr("\"causation_id\":\"request-7\""),
                                  HasSubstr("\"sequence_id\":\"0\""), HasSubstr("\"tenant\":\"t-1\""),
                                  HasSubstr("\"checksum\""))));
    EXPECT_THAT(run("SELECT stock FROM item"), ElementsAre("0"));
}

TEST_P(transactional_outbox_test, refuses_names_that_no_store_keeps_and_the_transaction_goes_on) {
    run(begin());
    const ItemPicked event{.item_id = "i-1", .shelf = "A"};
    const std::string correlation(256, 'c');
    const std::string cause(3000, 'm');
    const std::string identity(256, 'i');
    using namespace std::string_view_literals;
    for (const enqueue_options& options :
         {enqueue_options{.identity = identity}, enqueue_options{.identity = "i\0"sv},
          enqueue_options{.correlation_id = correlation}, enqueue_options{.causation_id = cause}}) {
        EXPECT_THROW(application_->enqueue(*outbox_, event, options), validation_error);
    }
    application_->enqueue(*outbox_, event, {.correlation_id = "c-1"});
    run("COMMIT");
    EXPECT_THAT(run("SELECT message_id FROM event_log"), ElementsAre("warehouse::item-i-1-0"));
}

TEST_P(transactional_outbox_test, a_rollback_leaves_nothing) {
    run(begin());
    application_->enqueue(*outbox_, ItemPicked{.item_id = "i-1", .shelf = "A"});
    run("ROLLBACK");
    EXPECT_THAT(run("SELECT count(*) FROM outbox"), ElementsAre("0"));
    run(begin());
    EXPECT_EQ(application_->enqueue(*outbox_, ItemCounted{.item_id = "i-1"}), "warehouse::item-i-1-0");
    run("COMMIT");
}

TEST_P(transactional_outbox_test, wants_an_open_transaction) {
    EXPECT_THAT(error_of<usage_error>([&] { application_->enqueue(*outbox_, ItemCounted{.item_id = "i-1"}); }),
                AllOf(HasSubstr("no transaction open"), HasSubstr("BEGIN")));
    EXPECT_THAT(run("SELECT count(*) FROM event_log"), ElementsAre("0"));
}

TEST_P(transactional_outbox_test, refuses_what_breaks_a_rule_and_lets_the_transaction_go_on) {
    run(begin());
    EXPECT_THAT(error_of<validation_error>(
                    [&] { application_->enqueue(*outbox_, ItemPicked{.item_id = "i-1", .shelf = "longer than ten"}); }),
                HasSubstr("shelf"));
    EXPECT_THAT(
        error_of<usage_error>([&] { application_->enqueue(*outbox_, warehouse::Undeclared{.item_id = "i-1"}); }),
        AllOf(HasSubstr("warehouse::Undeclared"), HasSubstr("not declared")));
    EXPECT_THAT(error_of<usage_error>([&] {
                    application_->enqueue(*outbox_, ItemPicked{.item_id = "i-1", .shelf = "A"},
                                          {.traceparent = "00-nonsense"});
                }),
                HasSubstr("00-nonsense"));
    EXPECT_EQ(application_->enqueue(*outbox_, ItemPicked{.item_id = "i-1", .shelf = "A"}, {.identity = "other"}),
              "warehouse::item-other-0");
    run("COMMIT");
    EXPECT_THAT(run("SELECT message_id FROM event_log"), ElementsAre("warehouse::item-other-0"));
}

TEST_P(transactional_outbox_test, names_the_database_that_an_event_belongs_to) {
    const auto other = write("other.toml", std::string{"[databases.default]\nprovider = \"memory\"\n"} + two_brokers);
    const transactional_outbox elsewhere{warehouse::make_domain(), other};
    run(begin());
    EXPECT_THAT(error_of<usage_error>([&] { application_->enqueue(elsewhere, ItemCounted{.item_id = "i-1"}); }),
                AllOf(HasSubstr("memory"), HasSubstr(GetParam())));
    run("ROLLBACK");
}

TEST_P(transactional_outbox_test, says_how_to_make_the_tables) {
    run("DROP VIEW outbox");
    run("DROP TABLE outbox_broker");
    run(begin());
    EXPECT_THAT(error_of<store_error>([&] { application_->enqueue(*outbox_, ItemCounted{.item_id = "i-1"}); }),
                HasSubstr("sluice db setup"));
    run("ROLLBACK");
}

TEST_P(transactional_outbox_test, writes_nothing_on_a_connection_that_would_store_other_characters) {
    if (GetParam() != "postgresql") GTEST_SKIP() << "SQLite has one encoding on the outside";
    const ItemPicked event{.item_id = "i-1", .shelf = "\u0141\u00f3d\u017a"};
    for (const char* other : {"LATIN1", "WIN1252", "LATIN2"}) {
        run(std::string{"SET client_encoding = "} + other);
        run(begin());
        EXPECT_THAT(error_of<usage_error>([&] { application_->enqueue(*outbox_, event); }),
                    AllOf(HasSubstr(other), HasSubstr("UTF8")));
        run("COMMIT");
    }
    run("SET client_encoding = UTF8");
    EXPECT_THAT(run("SELECT count(*) FROM event_log"), ElementsAre("0"));
    run(begin());
    application_->enqueue(*outbox_, event);
    run("COMMIT");
    EXPECT_THAT(run("SELECT data ->> 'shelf' FROM event_log"), ElementsAre("\u0141\u00f3d\u017a"));
}

TEST_P(transactional_outbox_test, commits_as_durably_as_sluice_itself) {
    if (GetParam() != "postgresql") GTEST_SKIP() << "a setting of PostgreSQL";
    for (const auto& [given, expected] : std::vector<std::pair<std::string, std::string>>{
             {"off", "on"}, {"local", "on"}, {"remote_apply", "remote_apply"}}) {
        run("SET synchronous_commit = " + given);
        run(begin());
        application_->enqueue(*outbox_, ItemCounted{.item_id = "i-1"});
        EXPECT_THAT(run("SHOW synchronous_commit"), ElementsAre(expected)) << given;
        run("ROLLBACK");
        EXPECT_THAT(run("SHOW synchronous_commit"), ElementsAre(given)) << "for the transaction only";
    }
}

TEST_P(transactional_outbox_test, keeps_the_order_of_a_stream_among_concurrent_writers) {
    constexpr int writers = 4;
    constexpr int each = 25;
    std::vector<std::jthread> threads;
    for (int writer = 0; writer < writers; ++writer) {
        threads.emplace_back([&] {
            const auto mine = connect();
            for (int n = 0; n < each; ++n) {
                mine->run(begin());
                mine->enqueue(*outbox_, ItemCounted{.item_id = "i-1"});
                mine->run("COMMIT");
            }
        });
    }
    threads.clear();
    std::vector<std::string> expected;
    for (int n = 0; n < writers * each; ++n) expected.push_back("warehouse::item-i-1-" + std::to_string(n));
    EXPECT_EQ(run("SELECT message_id FROM event_log ORDER BY seq"), expected);
}

TEST(transactional_outbox, refuses_a_configuration_with_mistakes) {
    const testing::temporary_directory directory;
    const auto file = directory.path() / "domain.toml";
    std::ofstream{file} << "[databases.default]\nprovider = \"sqlight\"\n";
    EXPECT_THAT(error_of<configuration_error>([&] { transactional_outbox(warehouse::make_domain(), file); }),
                HasSubstr("sqlite"));
}

TEST(transactional_outbox, names_every_mistake_at_once) {
    struct One;
    struct Other;
    domain misplaced{"warehouse"};
    misplaced.stream<One>({.database = "attic"});
    misplaced.stream<Other>({.database = "cellar"});
    const testing::temporary_directory directory;
    const auto file = directory.path() / "domain.toml";
    std::ofstream{file} << "[databases.default]\nprovider = \"memory\"\n" << two_brokers;
    EXPECT_THAT(error_of<configuration_error>([&] { transactional_outbox(misplaced, file); }),
                AllOf(HasSubstr("attic"), HasSubstr("cellar")));
}

#ifdef SLUICE_WITH_STORE_POSTGRESQL
TEST_P(transactional_outbox_test, tells_a_failed_transaction_from_a_snapshot_that_is_too_old) {
    if (GetParam() != "postgresql") GTEST_SKIP() << "SQLite has one writer";
    run("BEGIN");
    EXPECT_THROW(run("SELECT nonsense"), std::runtime_error);
    EXPECT_THAT(error_of<usage_error>([&] { application_->enqueue(*outbox_, ItemCounted{.item_id = "i-1"}); }),
                HasSubstr("roll it back"));
    run("ROLLBACK");

    run("BEGIN ISOLATION LEVEL REPEATABLE READ");
    run("SELECT stock FROM item");
    const auto other = connect();
    other->run("BEGIN");
    other->enqueue(*outbox_, ItemCounted{.item_id = "i-1"});
    other->run("COMMIT");
    EXPECT_THAT(error_of<store_error>([&] { application_->enqueue(*outbox_, ItemCounted{.item_id = "i-1"}); }),
                HasSubstr("READ COMMITTED"));
    run("ROLLBACK");
}

#endif

std::vector<std::string> kinds() {
#ifdef SLUICE_WITH_STORE_POSTGRESQL
    return {"sqlite", "postgresql"};
#else
    return {"sqlite"};
#endif
}

INSTANTIATE_TEST_SUITE_P(on, transactional_outbox_test, ::testing::ValuesIn(kinds()),
                         [](const auto& given) { return given.param; });

}  // namespace
}  // namespace sluice
