#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>

#include "integration/command_line.hpp"

/// The real program on a database that was restored or copied beside brokers that were not.
namespace sluice {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class restored_database : public command_line {
protected:
    /// One life of a server in `directory`, in which a counter is made and reaches the partner.
    void serve(const std::string& counter) const {
        testing::running_program server{{"server"}, settings()};
        ASSERT_TRUE(server.wait_for_text("server.ready"));
        create_counter(counter);
        ASSERT_TRUE(eventually([&] { return at_partner(counter) == 1; })) << counter;
        server.signal(SIGTERM);
        ASSERT_EQ(server.finish().code, 0);
    }
    [[nodiscard]] int at_partner(const std::string& counter) const {
        return number("partner/events.db",
                      "SELECT count(*) FROM broker_entry WHERE message_id LIKE '%counter-" + counter + "-%'");
    }
    [[nodiscard]] int number(const std::string& file, const std::string& query) const {
        sqlite3* db = nullptr;
        sqlite3_stmt* statement = nullptr;
        int found = -1;
        if (sqlite3_open_v2((directory_ / file).c_str(), &db, SQLITE_OPEN_READWRITE, nullptr) == SQLITE_OK &&
            sqlite3_prepare_v2(db, query.c_str(), -1, &statement, nullptr) == SQLITE_OK &&
            sqlite3_step(statement) == SQLITE_ROW) {
            found = sqlite3_column_int(statement, 0);
        }
        sqlite3_finalize(statement);
        sqlite3_close(db);
        return found;
    }
    void back_up() const { std::filesystem::copy_file(directory_ / "tiny.db", directory_ / "backup.db"); }
    void restore() const {
        for (const char* file : {"tiny.db", "tiny.db-wal", "tiny.db-shm"}) std::filesystem::remove(directory_ / file);
        std::filesystem::copy_file(directory_ / "backup.db", directory_ / "tiny.db");
    }
    [[nodiscard]] std::int64_t incarnation() const {
        return sluice_json({"db", "status"}).at("databases").at(0).at("incarnation").as_int();
    }
};

TEST_F(restored_database, publishes_again_though_the_broker_knows_a_later_owner) {
    serve("old");
    back_up();
    for (const char* counter : {"lost-1", "lost-2", "lost-3"}) serve(counter);
    restore();
    EXPECT_EQ(incarnation(), 0);

    const auto told = sluice({"check"});
    EXPECT_EQ(told.code, 0) << told.err;
    EXPECT_THAT(told.out, AllOf(HasSubstr("BEHIND_BROKER"), HasSubstr("sluice db adopt"), HasSubstr("UNKNOWN_TO_LOG"),
                                HasSubstr("counter-lost-3-"), Not(HasSubstr("counter-old-"))));

    testing::running_program server{{"server"}, settings()};
    ASSERT_TRUE(server.wait_for_text("server.ready"));
    create_counter("new");
    EXPECT_TRUE(eventually([&] { return at_partner("new") == 1; }));
    server.signal(SIGTERM);
    const auto ended = server.finish();
    EXPECT_EQ(ended.code, 0);
    EXPECT_THAT(ended.err, AllOf(HasSubstr("lane.other_history"), HasSubstr("database.adopted")));
    EXPECT_GT(incarnation(), 1'600'000'000'000) << "the time, so that the next one is above this one";
    EXPECT_THAT(sluice({"check"}).out, Not(HasSubstr("BEHIND_BROKER")));
}

TEST_F(restored_database, begins_a_new_incarnation_when_a_person_says_so) {
    serve("old");
    back_up();
    for (const char* counter : {"lost-1", "lost-2"}) serve(counter);
    restore();
    const auto adopted = sluice({"db", "adopt", "--yes"});
    EXPECT_EQ(adopted.code, 0) << adopted.err;
    EXPECT_THAT(adopted.out, AllOf(HasSubstr("database default"), HasSubstr("incarnation"), HasSubstr("lanes begin")));
    EXPECT_THAT(sluice({"check"}).out, AllOf(Not(HasSubstr("BEHIND_BROKER")), HasSubstr("counter-lost-2-")));
    serve("new");
    EXPECT_EQ(at_partner("old"), 1);
}

TEST_F(restored_database, elsewhere_waits_for_a_person) {
    serve("first");
    const auto copy = directory_ / "staging";
    std::filesystem::create_directory(copy);
    std::filesystem::copy_file(directory_ / "tiny.db", copy / "tiny.db");
    std::string text{usual};
    for (const std::string name : {"default.db", "partner/events.db", "elsewhere.db"}) {
        text.replace(text.find("\"" + name), 1, "\"" + directory_.path().string() + "/");
    }
    std::ofstream{copy / "domain.toml"} << text;
    serve("second");

    auto there = settings();
    there.directory = copy;
    const auto create = [&](const std::string& counter) {
        EXPECT_EQ(testing::run_sluice({"process", "CreateCounter", R"({"counter_id":")" + counter + "\"}"}, there).code,
                  0);
    };
    {
        testing::running_program server{{"server"}, there};
        ASSERT_TRUE(server.wait_for_text("server.ready"));
        create("staged");
        EXPECT_TRUE(server.wait_for_text("lane.rival"));
        const auto status = testing::run_sluice({"status"}, there);
        EXPECT_THAT(status.out, AllOf(HasSubstr("paused"), HasSubstr("sluice db adopt --copy")));
        server.signal(SIGTERM);
        EXPECT_EQ(server.finish().code, 0);
    }
    EXPECT_EQ(at_partner("staged"), 0);

    const auto adopted = testing::run_sluice({"db", "adopt", "--copy", "--yes"}, there);
    EXPECT_THAT(adopted.out, HasSubstr("identity"));
    testing::running_program server{{"server"}, there};
    ASSERT_TRUE(server.wait_for_text("server.ready"));
    EXPECT_TRUE(eventually([&] { return at_partner("staged") == 1; }));
    serve("third");  // the original is not shut out
    create("staged-too");
    EXPECT_TRUE(eventually([&] { return at_partner("staged-too") == 1; })) << "nor is the copy";
}

TEST_F(restored_database, of_another_domain_is_refused) {
    ASSERT_EQ(sluice({"db", "setup"}).code, 0);
    ASSERT_EQ(sluice({"db", "adopt", "--yes", "--rename"}).code, 0);
    sql("tiny.db", "UPDATE sluice_meta SET value = 'somebody_else' WHERE key = 'domain'");
    for (const auto& arguments : std::vector<std::vector<std::string>>{
             {"db", "setup"}, {"server"}, {"process", "CreateCounter", R"({"counter_id":"c"})"}}) {
        const auto result = sluice(arguments);
        EXPECT_EQ(result.code, 4) << arguments.front();
        EXPECT_THAT(result.err, AllOf(HasSubstr("belongs to domain somebody_else"), HasSubstr("schema = ")));
    }
    const auto told = sluice({"check"});
    EXPECT_EQ(told.code, 3);
    EXPECT_THAT(told.out, HasSubstr("FOREIGN_DOMAIN"));
    ASSERT_EQ(sluice({"db", "adopt", "--yes", "--rename"}).code, 0);
    EXPECT_EQ(sluice({"process", "CreateCounter", R"({"counter_id":"c"})"}).code, 0);
}

}  // namespace
}  // namespace sluice
