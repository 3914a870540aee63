#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <set>
#include <thread>

#include "integration/command_line.hpp"

// `sluice outbox backfill`.
namespace sluice {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::program_result;

class cli_backfill : public command_line {
protected:
    void create_counters(int first, int last) {
        std::string lines;
        for (int i = first; i <= last; ++i) {
            lines += R"({"command":"CreateCounter","data":{"counter_id":"c-)" + std::to_string(i) + "\"}}\n";
        }
        const program_result result = sluice({"process", "-"}, lines);
        ASSERT_EQ(result.code, 0) << result.err;
    }
    void add_partner() {
        std::string with_both = usual;
        const std::string one = R"(external_brokers = ["partner"])";
        with_both.replace(with_both.find(one), one.size(),
                          "external_brokers = [\"partner\", \"elsewhere\"]\n"
                          "lease_seconds = 2\npublish_timeout_seconds = 1");
        configure(with_both);
    }
    /// Ids of what the new partner has, in the order in which it came.
    [[nodiscard]] std::vector<std::string> received() const {
        const auto has_messages = "SELECT name FROM sqlite_schema WHERE name = 'broker_message'";
        if (!exists("elsewhere.db") || column("elsewhere.db", has_messages).empty()) return {};
        return column("elsewhere.db", "SELECT message_id FROM broker_message ORDER BY id");
    }
    /// Ids of what it is to get, in the order of the log.
    [[nodiscard]] std::vector<std::string> published() const {
        return column("tiny.db", "SELECT message_id FROM event_log WHERE type = 'Tiny.CounterCreated.v1' ORDER BY seq");
    }
    [[nodiscard]] json::value newest() const {
        return sluice_json({"outbox", "backfills", "elsewhere"}).at("backfills").at(0);
    }

private:
    [[nodiscard]] std::vector<std::string> column(const char* file, const char* query) const {
        std::vector<std::string> all;
        sqlite3* db = nullptr;
        EXPECT_EQ(sqlite3_open_v2((directory_ / file).c_str(), &db, SQLITE_OPEN_READWRITE, nullptr), SQLITE_OK);
        sqlite3_busy_timeout(db, 10'000);
        const auto take = [](void* to, int, char** values, char**) {
            static_cast<std::vector<std::string>*>(to)->emplace_back(values[0]);
            return 0;
        };
        EXPECT_EQ(sqlite3_exec(db, query, take, &all, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
        sqlite3_close(db);
        return all;
    }
};

TEST_F(cli_backfill, gives_a_new_partner_all_published_events_in_their_order) {
    create_counters(1, 40);
    add_partner();
    create_counters(41, 45);
    const program_result counted = sluice({"outbox", "backfill", "elsewhere", "--dry-run"});
    EXPECT_EQ(counted.code, 0) << counted.err;
    EXPECT_THAT(counted.out, AllOf(HasSubstr("40 events from number 1 on would go to elsewhere"),
                                   HasSubstr("5 more are there already"), HasSubstr("nothing was changed")));

    const program_result ordered = sluice({"outbox", "backfill", "elsewhere"});
    EXPECT_EQ(ordered.code, 0) << ordered.err;
    EXPECT_THAT(ordered.out, AllOf(HasSubstr("elsewhere"), HasSubstr("running"), HasSubstr("0%")));
    create_counters(46, 50);

    testing::running_program server{{"server"}, settings()};
    EXPECT_TRUE(eventually([&] { return newest().at("state").as_string() == "done"; }));
    EXPECT_TRUE(eventually([&] { return received().size() == 50; }));
    server.signal(SIGTERM);
    EXPECT_EQ(server.finish().code, 0);
    EXPECT_EQ(received(), published());
    EXPECT_EQ(newest().at("given").as_int(), 40);
    EXPECT_EQ(sluice({"audit"}).code, 0);
    EXPECT_THAT(sluice({"outbox", "backfill", "elsewhere", "--dry-run"}).out,
                HasSubstr("0 events from number 1 on would go to elsewhere"));
}

TEST_F(cli_backfill, survives_the_death_of_the_engine_at_any_moment) {
    create_counters(1, 1500);
    add_partner();
    // A second's worth in each life: it takes several.
    ASSERT_EQ(sluice({"outbox", "backfill", "elsewhere", "--rate", "400"}).code, 0);
    create_counters(1501, 1510);
    for (int life = 1; newest().at("state").as_string() != "done"; ++life) {
        ASSERT_LT(life, 30);
        testing::running_program server{{"server"}, settings()};
        ASSERT_TRUE(server.wait_for_text("lane.acquired"));
        std::this_thread::sleep_for(life * 20ms);  // another moment each time
        server.signal(SIGKILL);
        static_cast<void>(server.finish());
    }
    testing::running_program server{{"server"}, settings()};
    EXPECT_TRUE(eventually([&] { return received().size() >= 1510; }));
    server.signal(SIGTERM);
    static_cast<void>(server.finish());
    EXPECT_EQ(received(), published()) << "the embedded broker recognises what it has";
    EXPECT_EQ(sluice({"audit"}).code, 0);
}

TEST_F(cli_backfill, rests_goes_on_and_ends_as_it_is_told) {
    create_counters(1, 10);
    add_partner();
    EXPECT_THAT(sluice({"outbox", "backfill", "elsewhere", "--pause"}).err,
                HasSubstr("no backfill of elsewhere is under way"));
    ASSERT_EQ(sluice({"outbox", "backfill", "elsewhere", "--from", "4", "--rate", "2"}).code, 0);
    const program_result second = sluice({"outbox", "backfill", "elsewhere"});
    EXPECT_EQ(second.code, 1);
    EXPECT_THAT(second.err, HasSubstr("a backfill of elsewhere has not ended"));
    ASSERT_EQ(sluice({"outbox", "backfill", "elsewhere", "--pause"}).code, 0);
    EXPECT_EQ(newest().at("state").as_string(), "paused");
    EXPECT_EQ(newest().at("after").as_int(), 3);
    EXPECT_EQ(newest().at("rate").as_double(), 2);
    {
        testing::running_program server{{"server"}, settings()};
        EXPECT_TRUE(eventually([&] {
            const auto lanes = sluice_json({"status"});
            return json::dump(lanes).find("backfill at event 3 of 10 and paused: newer ones wait") != std::string::npos;
        }));
        server.signal(SIGTERM);
        static_cast<void>(server.finish());
    }
    ASSERT_EQ(sluice({"outbox", "backfill", "elsewhere", "--resume", "--rate", "1000"}).code, 0);
    EXPECT_EQ(newest().at("state").as_string(), "running");
    ASSERT_EQ(sluice({"outbox", "backfill", "elsewhere", "--cancel"}).code, 0);
    EXPECT_EQ(newest().at("state").as_string(), "cancelled");
    EXPECT_THAT(sluice({"outbox", "backfills"}).out, AllOf(HasSubstr("cancelled"), HasSubstr("1,000/s")));
}

TEST_F(cli_backfill, refuses_what_cannot_be_meant) {
    create_counters(1, 1);
    const auto error_of = [&](std::vector<std::string> options) {
        std::vector<std::string> all{"outbox", "backfill"};
        all.insert(all.end(), options.begin(), options.end());
        const program_result result = sluice(all);
        EXPECT_NE(result.code, 0);
        return result.err;
    };
    EXPECT_THAT(error_of({"partnr"}), AllOf(HasSubstr("`partnr` is none of outbox.external_brokers"),
                                            HasSubstr("did you mean \"partner\"?")));
    EXPECT_THAT(error_of({"default"}), AllOf(HasSubstr("internal broker"), HasSubstr("sluice projection rebuild")));
    EXPECT_THAT(error_of({"partner", "--type", "CounterIncreased"}), HasSubstr("no published event of domain tiny"));
    EXPECT_THAT(error_of({"partner", "--from", "Tuesday"}), HasSubstr("--from Tuesday"));
    EXPECT_THAT(error_of({"partner", "--from", "99999999999999999999"}), HasSubstr("no event has such a number"));
    EXPECT_THAT(error_of({"partner", "--pause", "--cancel"}), HasSubstr("contradict"));
    EXPECT_THAT(error_of({"partner", "--pause", "--from", "3"}), HasSubstr("only --rate"));
    EXPECT_THAT(sluice_json({"outbox", "backfills"}).at("backfills").as_array(), IsEmpty());
}

}  // namespace
}  // namespace sluice
