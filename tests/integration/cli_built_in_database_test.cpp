#include <gmock/gmock.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <string>

#include "integration/command_line.hpp"

namespace sluice {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using testing::program_result;

/// A configuration that says nothing of databases.
class built_in_database : public command_line {
protected:
    built_in_database() {
        configure(R"([brokers.default]
provider = "sqlite"
URI = "default.db"
[brokers.partner]
provider = "sqlite"
URI = "partner/events.db"
[brokers.elsewhere]
provider = "inline"

[outbox]
external_brokers = ["partner"]
)");
    }

    [[nodiscard]] std::string file() const { return (directory_ / "tiny.db").string(); }
};

TEST_F(built_in_database, is_what_check_and_config_tell) {
    const program_result checked = sluice({"check"});
    EXPECT_EQ(checked.code, 0) << checked.err;
    EXPECT_THAT(checked.out,
                HasSubstr("\ndatabase default (built-in): " + file() + ", as domain.toml configures none\n"));
    EXPECT_EQ(sluice_json({"check"}).at("built_in_database").as_string(), file());

    const program_result shown = sluice({"config", "show", "databases", "--origin"});
    EXPECT_THAT(shown.out, AllOf(ContainsRegex("\nprovider = \"sqlite\" +# built-in\n"),
                                 ContainsRegex("\ndatabase_uri = \"sqlite:///tiny.db\" +# built-in; file " + file())));
    EXPECT_FALSE(exists("tiny.db")) << "looking creates nothing";

    configure(usual);
    EXPECT_TRUE(sluice_json({"check"}).at("built_in_database").is_null());
}

TEST_F(built_in_database, is_set_up_for_its_owner_only) {
    const program_result made = sluice({"db", "setup"});
    EXPECT_EQ(made.code, 0) << made.err;
    EXPECT_THAT(made.out, AllOf(HasSubstr("database default (sqlite " + file() + "): created")));
    struct stat status {};
    ASSERT_EQ(::stat(file().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(built_in_database, serves_and_is_told_of_at_the_start) {
    testing::running_program server{{"server"}, settings()};
    ASSERT_TRUE(server.wait_for_text("server.ready"));
    EXPECT_TRUE(server.wait_for_text("server.database name=default at=\"sqlite " + file() + "\" from=built-in"));
    create_counter("c-1");
    EXPECT_TRUE(eventually([&] { return partner_lane().at("published").as_int() == 1; }));
    server.signal(SIGTERM);
    EXPECT_EQ(server.finish().code, 0);
}

TEST_F(built_in_database, has_no_name_without_a_domain) {
    const program_result refused = testing::run_sluice({"outbox", "list"}, {.directory = directory_.path()});
    EXPECT_EQ(refused.code, 3);
    EXPECT_THAT(refused.err, HasSubstr("no domain is named; name the domain, or add [databases.default]"));
}

}  // namespace
}  // namespace sluice
