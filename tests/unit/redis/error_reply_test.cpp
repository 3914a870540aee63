#include "broker/redis/error_reply.hpp"

#include <gtest/gtest.h>

namespace sluice::broker::redis {
namespace {

TEST(redis_error_reply, an_outage_is_no_rejection) {
    for (const char* error :
         {"OOM command not allowed when used memory > 'maxmemory'.",
          "READONLY You can't write against a read only replica.", "LOADING Redis is loading the dataset in memory",
          "MASTERDOWN Link with MASTER is down", "NOREPLICAS Not enough",
          "MISCONF Redis is configured to save RDB snapshots", "BUSY Redis is busy running a script",
          "NOAUTH Authentication "
          "required.",
          "WRONGPASS invalid username-password pair", "DENIED Redis is running in protected mode",
          "NOPERM this user has no permissions to run the 'xadd' command", "CLUSTERDOWN The cluster is down",
          "MOVED 3999 127.0.0.1:6381", "EXECABORT Transaction discarded because of previous errors.",
          "EXECABORT Transaction discarded because of: OOM command not allowed", "ERR max number of clients reached",
          "ERR unknown command 'XADD'", "SOMETHINGNEW of a proxy"}) {
        EXPECT_TRUE(std::holds_alternative<unreachable>(verdict_on(error))) << error;
    }
}

TEST(redis_error_reply, what_concerns_the_message_is_a_refusal) {
    struct row {
        const char* error;
        const char* code;
        bool permanent;
    };
    for (const auto& [error, code, permanent] :
         {row{"WRONGTYPE Operation against a key holding the wrong kind of value", "WRONGTYPE", true},
          row{"ERR Protocol error: invalid bulk length", "message_too_big", true},
          row{"NOPERM this user has no permissions to access one of the keys used as arguments", "NOPERM", false},
          row{"ERR The stream has exhausted the last possible ID", "ERR", false}}) {
        const auto v = verdict_on(error);
        ASSERT_TRUE(std::holds_alternative<refused>(v)) << error;
        EXPECT_EQ(std::get<refused>(v).code, code);
        EXPECT_EQ(std::get<refused>(v).permanent, permanent) << error;
    }
}

TEST(redis_error_reply, names_the_cause_of_an_aborted_transaction) {
    EXPECT_EQ(error_code("EXECABORT Transaction discarded because of: OOM command not allowed"), "OOM");
    EXPECT_EQ(error_code("NOGROUP No such key"), "NOGROUP");
    EXPECT_TRUE(is_forbidden("NOPERM this user"));
    EXPECT_FALSE(is_forbidden("OOM"));
}

}  // namespace
}  // namespace sluice::broker::redis
