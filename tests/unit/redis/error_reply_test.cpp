#include "broker/redis/error_reply.hpp"

#include <gtest/gtest.h>

namespace sluice::broker::redis {
namespace {

TEST(redis_error_reply, an_outage_is_no_rejection) {
    for (const char* error : {"OOM command not allowed when used memory > 'maxmemory'.",
                              "READONLY You can't write against a read only replica.",
                              "LOADING Redis is loading the dataset in memory",
                              "MASTERDOWN Link with MASTER is down",
                              "NOREPLICAS Not enough",
                              "MISCONF Redis is configured to save RDB snapshots",
                              "BUSY Redis is busy running a script",
                              "NOAUTH Authentication "
                              "required.",
                              "WRONGPASS invalid username-password pair",
                              "DENIED Redis is running in protected mode",
                              "NOPERM this user has no permissions to run the 'xadd' command",
                              "CLUSTERDOWN The cluster is down",
                              "MOVED 3999 127.0.0.1:6381",
                              "EXECABORT Transaction discarded because of previous errors.",
                              "EXECABORT Transaction discarded because of: OOM command not allowed",
                              "ERR max number of clients reached",
                              "ERR unknown command 'XADD'",
                              "ERR Protocol error: unauthenticated bulk length",
                              "ERR Connection timed out",
                              "ERR upstream failure",
                              "ERR operation not permitted",
                              "ERR wrong number of arguments for 'xadd' command",
                              "SOMETHINGNEW of a proxy"}) {
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
         {row{"ERR Protocol error: invalid bulk length", "message_too_big", true},
          row{"ERR The stream has exhausted the last possible ID", "ERR", false}}) {
        const auto v = verdict_on(error);
        ASSERT_TRUE(std::holds_alternative<refused>(v)) << error;
        EXPECT_EQ(std::get<refused>(v).code, code);
        EXPECT_EQ(std::get<refused>(v).permanent, permanent) << error;
        EXPECT_FALSE(std::get<refused>(v).stream_closed) << error;
    }
}

TEST(redis_error_reply, what_concerns_the_stream_blames_no_message) {
    for (const char* error : {"WRONGTYPE Operation against a key holding the wrong kind of value",
                              "NOPERM this user has no permissions to access one of the keys used as arguments",
                              "EXECABORT Transaction discarded because of: NOPERM No permissions to access a key"}) {
        const auto v = verdict_on(error);
        ASSERT_TRUE(std::holds_alternative<refused>(v)) << error;
        EXPECT_EQ(std::get<refused>(v).code, error_code(error));
        EXPECT_TRUE(std::get<refused>(v).stream_closed) << error;
        EXPECT_FALSE(std::get<refused>(v).permanent) << error;
    }
}

TEST(redis_error_reply, is_told_without_what_it_quotes) {
    EXPECT_EQ(first_clause("ERR unknown command 'XADD', with args beginning with: 'shop::order' '*' 'secret'"),
              "ERR unknown command 'XADD'");
    EXPECT_EQ(first_clause("WRONGTYPE Operation against a key. It holds \"secret\""),
              "WRONGTYPE Operation against a key");
    EXPECT_EQ(first_clause("EXECABORT Transaction discarded because of: OOM command not allowed"),
              "OOM command not allowed");
    EXPECT_EQ(first_clause("ERR Protocol error: invalid bulk length"), "ERR Protocol error: invalid bulk length");
    EXPECT_EQ(first_clause("ERR M\xfcll\nmore"), "ERR M\xef\xbf\xbdll");
    EXPECT_LT(first_clause("ERR " + std::string(1000, 'x')).size(), 210U);
    EXPECT_EQ(std::get<refused>(verdict_on("ERR no: 'secret'")).reason, "ERR no");
}

TEST(redis_error_reply, names_the_cause_of_an_aborted_transaction) {
    EXPECT_EQ(error_code("EXECABORT Transaction discarded because of: OOM command not allowed"), "OOM");
    EXPECT_EQ(error_code("NOGROUP No such key"), "NOGROUP");
    EXPECT_TRUE(is_forbidden("NOPERM this user"));
    EXPECT_FALSE(is_forbidden("OOM"));
}

}  // namespace
}  // namespace sluice::broker::redis
