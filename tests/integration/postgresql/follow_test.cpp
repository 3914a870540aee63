#include <gmock/gmock.h>

#include <csignal>
#include <fstream>
#include <regex>

#include "integration/cli_program.hpp"
#include "integration/postgresql/open_commit.hpp"
#include "integration/postgresql/postgresql_fixture.hpp"
#include "support/temporary_directory.hpp"

/// `--follow` on PostgreSQL, where numbers appear out of order and the server may go away.
namespace sluice::store::postgresql_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class following : public postgresql_ready {
protected:
    void configure(const std::string& uri, const std::string& schema) const {
        std::ofstream{directory_ / "domain.toml"} << "[databases.default]\nprovider = \"postgresql\"\ndatabase_uri = \""
                                                  << uri << "\"\nschema = \"" << schema
                                                  << "\"\n[brokers.default]\nprovider = \"inline\"\n";
    }
    [[nodiscard]] testing::running_program sluice(const std::vector<std::string>& arguments) const {
        return {arguments, {.directory = directory_.path()}};
    }
    /// The messages of the lines.
    [[nodiscard]] static std::vector<std::string> shown(const std::string& lines) {
        static const std::regex id{R"re("message_id":"([^"]+)")re"};
        std::vector<std::string> all;
        for (std::sregex_iterator at{lines.begin(), lines.end(), id}; at != std::sregex_iterator{}; ++at) {
            all.push_back((*at)[1]);
        }
        return all;
    }
    /// Waits until the command has looked at the log again, from the beginning of the look to its end.
    void wait_for_look() const {
        for (int i = 0; i < 2; ++i) {
            const std::string now = scalar("SELECT clock_timestamp()");
            ASSERT_TRUE(eventually([&] {
                return scalar("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%" + schema_ +
                              "%RowExclusiveLock%' AND pid <> pg_backend_pid() AND query_start > '" + now + "'") != "0";
            }));
        }
    }

    testing::temporary_directory directory_{};
};

TEST_F(following, misses_no_event_whose_lower_number_commits_later) {
    configure(uri_, schema_);
    const auto unit = store_->open_unit();
    commit(*unit, {event("m-1")});
    auto events = sluice({"events", "list", "--follow", "--json"});
    auto rows = sluice({"outbox", "list", "--follow", "--json", "--broker", "partner"});
    ASSERT_TRUE(events.wait_for_text("m-1"));
    ASSERT_TRUE(rows.wait_for_text("m-1"));

    auto slow = connect();
    slow.execute("BEGIN");
    append_event(slow, schema_, "m-2", "shop::order-o-2");
    commit(*unit, {event("m-3", "o-3")});
    wait_for_look();
    slow.execute("COMMIT");

    for (testing::running_program* each : {&events, &rows}) {
        EXPECT_TRUE(each->wait_for_text("m-3"));
        each->signal(SIGINT);
        const auto ended = each->finish();
        EXPECT_EQ(ended.code, 0) << ended.err;
        EXPECT_THAT(shown(ended.out), ElementsAre("m-1", "m-2", "m-3"));
    }
}

TEST_F(following, goes_on_when_the_database_is_back) {
    const testing::postgresql::own_database own;
    const std::string name = own.uri().substr(own.uri().rfind('/') + 1);
    const auto store = open_database({.conninfo = own.uri(), .schema = "public"});
    store->setup();
    commit(*store->open_unit(), {event("m-1")});
    configure(own.uri(), "public");
    auto events = sluice({"events", "list", "--follow", "--json"});
    ASSERT_TRUE(events.wait_for_text("m-1"));

    const std::string bare_name = name.substr(0, name.find('?'));
    session elsewhere;
    elsewhere.execute("ALTER DATABASE " + bare_name + " ALLOW_CONNECTIONS false");
    elsewhere.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '" + bare_name + "'");
    EXPECT_TRUE(events.wait_for_text("database default is tried again and again"));
    elsewhere.execute("ALTER DATABASE " + bare_name + " ALLOW_CONNECTIONS true");
    EXPECT_TRUE(events.wait_for_text("database default is back"));
    commit(*open_database({.conninfo = own.uri(), .schema = "public"})->open_unit(), {event("m-2")});
    EXPECT_TRUE(events.wait_for_text("m-2"));
    events.signal(SIGTERM);
    const auto ended = events.finish();
    EXPECT_EQ(ended.code, 0) << ended.err;
    EXPECT_THAT(shown(ended.out), ElementsAre("m-1", "m-2"));
}

}  // namespace
}  // namespace sluice::store::postgresql_test
