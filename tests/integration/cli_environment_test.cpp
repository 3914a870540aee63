#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "integration/command_line.hpp"

// What surrounds a server: pipes that nobody reads, signals, the process that started it.
namespace sluice {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing::program_result;

class server_and_its_environment : public command_line {
protected:
    /// Events, each of which is told in some lines of the log.
    void create_counters(int count) const {
        std::string lines;
        for (int i = 0; i < count; ++i) {
            lines += R"({"command":"CreateCounter","data":{"counter_id":"c-)" + std::to_string(i) + "\"}}\n";
        }
        ASSERT_EQ(sluice({"process", "-"}, lines).code, 0);
    }
};

TEST_F(server_and_its_environment, goes_on_and_stops_although_nobody_reads_its_log) {
    configure(usual + "[log]\nlevel = \"trace\"\n");
    constexpr int count = 20;  // more lines than the pipe holds
    create_counters(count);
    testing::program_settings with_a_small_pipe = settings();
    with_a_small_pipe.pipe_bytes = 4096;
    testing::running_program server{{"server"}, with_a_small_pipe};
    EXPECT_TRUE(eventually([&] { return partner_lane().at("published").as_int() == count; }));
    server.signal(SIGTERM);
    EXPECT_TRUE(server.ends_unread());
    const program_result result = server.finish();
    EXPECT_EQ(result.code, 0);
    EXPECT_THAT(result.err, Not(HasSubstr("server.stopping"))) << "the pipe was not full";
}

TEST_F(server_and_its_environment, says_what_is_wrong_although_nobody_reads_it) {
    configure("nonsense");
    testing::running_program server{{"server", "--json"}, settings()};
    EXPECT_TRUE(server.ends_unread());
    EXPECT_THAT(server.finish().err, HasSubstr("is not TOML"));
}

TEST_F(server_and_its_environment, ignores_a_hang_up_below_nohup) {
    testing::program_settings below_nohup = settings();
    below_nohup.ignore_hang_up = true;
    testing::running_program server{{"server"}, below_nohup};
    ASSERT_TRUE(server.wait_for_text("server.ready"));
    server.signal(SIGHUP);
    create_counter("c-1");
    EXPECT_TRUE(eventually([&] { return partner_lane().at("published").as_int() == 1; }));
    server.signal(SIGTERM);
    EXPECT_THAT(server.finish().err, HasSubstr("server.stopping signal=15"));
}

TEST_F(server_and_its_environment, can_be_the_first_process_of_a_container) {
    testing::program_settings in_a_container = settings();
    in_a_container.first_process = true;
    testing::running_program server{{"server"}, in_a_container};
    ASSERT_TRUE(server.wait_for_text("server.ready"));
    ASSERT_TRUE(server.wait_for_text("version="));
    if (!server.has_text("pid=2\n")) GTEST_SKIP() << "no namespace of processes";
    server.signal(SIGTERM);
    const program_result result = server.finish();
    EXPECT_EQ(result.code, 0);
    EXPECT_THAT(result.err, HasSubstr("engine.stopped"));
}

}  // namespace
}  // namespace sluice
