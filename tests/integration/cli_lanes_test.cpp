#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sluice/json.hpp>

#include "integration/command_line.hpp"

// `sluice lanes`.
namespace sluice {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::program_result;

TEST_F(command_line, lanes_are_paused_and_resumed_whether_or_not_a_server_runs) {
    ASSERT_EQ(sluice({"db", "setup"}).code, 0);
    const program_result paused = sluice({"lanes", "pause", "partner", "--reason", "the partner moves"});
    EXPECT_EQ(paused.code, 0) << paused.err;
    EXPECT_EQ(paused.out,
              "paused the lanes to partner of default; running ones notice within 5 seconds. To go on: sluice lanes "
              "resume partner\n");

    EXPECT_THAT(sluice({"status"}).out,
                AllOf(HasSubstr("partner: paused by an operator since "), HasSubstr(": the partner moves")));
    const json::value lane = json::parse(sluice({"status", "--json"}).out).at("lanes").at(1);
    EXPECT_EQ(lane.at("paused_by_operator").at("reason").as_string(), "the partner moves");

    const program_result resumed = sluice({"lanes", "resume", "partner", "--json"});
    EXPECT_EQ(resumed.code, 0) << resumed.err;
    EXPECT_EQ(json::parse(resumed.out), json::parse(R"({"broker":"partner","paused":false,"databases":["default"]})"));
    EXPECT_TRUE(json::parse(sluice({"status", "--json"}).out).at("lanes").at(1).at("paused_by_operator").is_null());
}

TEST_F(command_line, lanes_resume_says_when_there_is_nothing_to_resume) {
    ASSERT_EQ(sluice({"db", "setup"}).code, 0);
    const program_result result = sluice({"lanes", "resume", "partner"});
    EXPECT_EQ(result.code, 1);
    EXPECT_THAT(result.err, HasSubstr("the lanes to partner are not paused by an operator"));
}

TEST_F(command_line, lanes_pause_refuses_a_broker_without_a_lane) {
    ASSERT_EQ(sluice({"db", "setup"}).code, 0);
    const program_result result = sluice({"lanes", "pause", "partnr"});
    EXPECT_EQ(result.code, 1);
    EXPECT_THAT(result.err, HasSubstr("no lane leads to a broker `partnr`; did you mean \"partner\"?"));
}

}  // namespace
}  // namespace sluice
