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
    constexpr int count = 300;  // more lines than a pipe holds
    create_counters(count);
    testing::running_program server{{"server"}, settings()};
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

}  // namespace
}  // namespace sluice
