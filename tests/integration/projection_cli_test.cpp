#include <gmock/gmock.h>

#include <csignal>

#include "integration/command_line.hpp"

namespace sluice {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using testing::program_result;

/// The depot's domain on the command line.
class projection_commands : public command_line {
protected:
    [[nodiscard]] program_result depot(std::vector<std::string> arguments, std::string_view input = {}) const {
        arguments.insert(arguments.begin(), {"--domain", DEPOT_DOMAIN});
        return sluice(arguments, input);
    }
    [[nodiscard]] json::value depot_json(std::vector<std::string> arguments) const {
        arguments.emplace_back("--json");
        const program_result result = depot(arguments);
        EXPECT_EQ(result.code, 0) << result.err;
        return json::parse(result.out);
    }
    void pack(int crates) const {
        std::string lines;
        for (int i = 1; i <= crates; ++i) {
            lines += R"({"command":"PackCrate","data":{"crate_id":"c-)" + std::to_string(i) +
                     R"(","customer":"ada"}})" + "\n";
        }
        EXPECT_EQ(depot({"process", "-"}, lines).code, 0);
    }
    [[nodiscard]] json::value listed() const { return depot_json({"projection", "list"}).at("read_models").at(0); }
    void change(const char* statement) const { sql("tiny.db", statement); }
};

TEST_F(projection_commands, setup_with_a_domain_makes_the_tables) {
    EXPECT_EQ(testing::run_sluice({"db", "setup"}, {.directory = directory_.path()}).code, 0) << "without a domain";
    EXPECT_EQ(listed().at("state").as_string(), "absent");
    EXPECT_THAT(depot({"projection", "list"}).out, HasSubstr("crate_summary: there is no table; run: sluice db setup"));
    EXPECT_THAT(depot({"db", "setup"}).out, HasSubstr("read model crate_summary: created\n"));
    EXPECT_EQ(listed().at("state").as_string(), "current");
    EXPECT_EQ(depot_json({"db", "setup"}).at("read_models").as_array().size(), 0U);
}

TEST_F(projection_commands, rebuild_brings_the_past_into_a_new_read_model) {
    pack(3);
    EXPECT_EQ(listed().at("state").as_string(), "current") << "made when the database was empty";
    program_result result = depot({"projection", "rebuild", "crate_summary"});
    EXPECT_EQ(result.code, 0) << result.err;
    EXPECT_THAT(result.out,
                ContainsRegex("^crate_summary: rebuilt from 3 events in [0-9.]+ s, 3 rows, generation 2\n$"));
    EXPECT_THAT(result.err, HasSubstr("projection.rebuilt")) << "without a terminal the log tells";
    const json::value after = listed();
    EXPECT_EQ(after.at("rows").as_int(), 3);
    EXPECT_EQ(after.at("generation").as_int(), 2);
    EXPECT_EQ(after.at("floor").as_int(), 3);
    EXPECT_EQ(after.at("waiting").as_int(), 0);
    EXPECT_TRUE(after.at("rebuild").is_null());
    const json::value all = depot_json({"projection", "rebuild", "--all"});
    EXPECT_EQ(all.at("read_models").as_array().size(), 2U);
    EXPECT_TRUE(all.at("read_models").at(1).at("finished").as_bool());
    EXPECT_FALSE(all.at("interrupted").as_bool());
}

TEST_F(projection_commands, an_outdated_table_stops_the_domain_until_it_is_rebuilt) {
    pack(1);
    change("UPDATE projection SET layout = 'of another build' WHERE name = 'crate_summary'");
    program_result result = depot({"server"});
    EXPECT_EQ(result.code, 4);
    EXPECT_THAT(result.err, HasSubstr("run `sluice projection rebuild crate_summary`"));
    EXPECT_EQ(listed().at("state").as_string(), "outdated");
    EXPECT_EQ(depot({"projection", "rebuild", "crate_summary"}).code, 0);
    EXPECT_EQ(listed().at("state").as_string(), "current");
    pack(0);
}

TEST_F(projection_commands, an_interrupted_rebuild_is_shown_and_gone_on_with) {
    pack(4);
    change(
        "UPDATE projection SET last_generation = 2, rebuild_generation = 2, rebuild_layout = layout,"
        " rebuild_position = 2, rebuild_started_at = '2026-01-01T00:00:00.000000+00:00',"
        " rebuild_updated_at = '2026-01-01T00:00:00.000000+00:00' WHERE name = 'crate_summary'");
    change("CREATE TABLE crate_summary__g2 AS SELECT * FROM crate_summary__g1 WHERE false");
    change("CREATE UNIQUE INDEX crate_summary__g2__key ON crate_summary__g2 (crate_id)");
    EXPECT_EQ(listed().at("rebuild").at("position").as_int(), 2);
    EXPECT_THAT(depot({"projection", "list"}).out, HasSubstr("2 of 4, moved "));
    EXPECT_THAT(depot({"projection", "rebuild", "crate_summary"}).out,
                HasSubstr("crate_summary: finished from the last 2 events"));
    EXPECT_EQ(listed().at("rows").as_int(), 2) << "the first two were said to be there";
    EXPECT_THAT(depot({"projection", "rebuild", "crate_summary", "--restart"}).out, HasSubstr("4 rows, generation 3"));
}

TEST_F(projection_commands, a_rebuild_runs_beside_a_server) {
    pack(2);
    testing::running_program server{{"--domain", DEPOT_DOMAIN, "server"}, settings()};
    ASSERT_TRUE(server.wait_for_text("server.ready"));
    ASSERT_TRUE(eventually([&] { return listed().at("rows").as_int() == 2; }));
    EXPECT_EQ(depot({"projection", "rebuild", "--all"}).code, 0);
    EXPECT_EQ(depot({"process", "AddItem", R"({"crate_id":"c-1","pieces":5})"}).code, 0);
    EXPECT_TRUE(eventually([&] {
        const json::value now = listed();
        return now.at("waiting").as_int() == 0 && now.at("dead").as_int() == 0;
    }));
    server.signal(SIGTERM);
    EXPECT_EQ(server.finish().code, 0);
}

TEST_F(projection_commands, say_what_is_wrong_with_a_question) {
    EXPECT_EQ(depot({"projection", "rebuild"}).code, 2);
    EXPECT_EQ(depot({"projection", "rebuild", "crate_summary", "--all"}).code, 2);
    const program_result result = depot({"projection", "rebuild", "crate_sumary"});
    EXPECT_EQ(result.code, 1);
    EXPECT_THAT(result.err, HasSubstr("did you mean"));
    EXPECT_THAT(depot({"check"}).out, HasSubstr("0 subscribers, 2 read models\n"));
}

TEST_F(projection_commands, tell_of_a_domain_without_read_models) {
    EXPECT_EQ(sluice({"projection", "list"}).out, "the domain has no read models\n");
}

TEST_F(projection_commands, list_goes_on_without_the_broker) {
    pack(1);
    std::filesystem::remove(directory_ / "default.db");
    std::filesystem::create_directory(directory_ / "default.db");
    const program_result result = depot({"projection", "list"});
    EXPECT_EQ(result.code, 4);
    EXPECT_THAT(result.out, AllOf(HasSubstr("crate_summary"), HasSubstr("current")));
}

}  // namespace
}  // namespace sluice
