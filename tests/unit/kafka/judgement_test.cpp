#include "broker/kafka/judgement.hpp"

#include <gtest/gtest.h>

namespace sluice::broker::kafka {
namespace {

TEST(judgement, takes_what_covers_a_batch_for_nobodys_fault) {
    EXPECT_EQ(judge(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE), judgement::batch_refused);
    EXPECT_EQ(judge(RD_KAFKA_RESP_ERR_INVALID_RECORD), judgement::batch_refused);
}

TEST(judgement, asks_before_it_believes_that_a_topic_is_gone) {
    EXPECT_EQ(judge(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART), judgement::topic_gone);
    EXPECT_EQ(judge(RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION), judgement::topic_gone);
}

TEST(judgement, takes_outages_for_outages) {
    for (const auto code :
         {RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, RD_KAFKA_RESP_ERR__PURGE_INFLIGHT, RD_KAFKA_RESP_ERR__FATAL,
          RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED,
          RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR}) {
        EXPECT_EQ(judge(code), judgement::in_doubt) << rd_kafka_err2name(code);
    }
}

// The library concludes from a later message that an earlier one is there, and is wrong where the broker did not know
// the producer yet.
TEST(judgement, believes_only_a_confirmation_that_says_where_the_message_is) {
    EXPECT_EQ(std::get<delivered>(confirmation(3, 42)).receipt, "3:42");
    EXPECT_EQ(std::get<delivered>(confirmation(0, 0)).receipt, "0:0");
    EXPECT_TRUE(std::holds_alternative<unreachable>(confirmation(3, RD_KAFKA_OFFSET_INVALID)));
    EXPECT_TRUE(std::holds_alternative<unreachable>(confirmation(3, -1)));
}

TEST(judgement, refuses_for_good_only_what_is_too_big) {
    const auto big = refusal_alone(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, "too large");
    EXPECT_EQ(big.code, "message_too_big");
    EXPECT_TRUE(big.permanent);
    const auto closed = refusal_alone(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, "no");
    EXPECT_EQ(closed.code, "TOPIC_AUTHORIZATION_FAILED");
    EXPECT_FALSE(closed.permanent);
    EXPECT_TRUE(closed.stream_closed) << "a right may be given back";
}

}  // namespace
}  // namespace sluice::broker::kafka
