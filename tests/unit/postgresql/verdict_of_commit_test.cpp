#include "store/postgresql/verdict_of_commit.hpp"

#include <gtest/gtest.h>

namespace sluice::store::postgresql {
namespace {

TEST(verdict_of_commit, takes_what_is_there_for_committed) {
    EXPECT_EQ(judge({.traces = true}), commit_verdict::committed);
    // Another server took over and knows the number for a transaction of its own.
    EXPECT_EQ(judge({.transaction_status = "aborted", .traces = true}), commit_verdict::committed);
}

TEST(verdict_of_commit, believes_in_absence_only_when_the_transaction_has_ended) {
    EXPECT_EQ(judge({.traces = false}), commit_verdict::in_progress);
    EXPECT_EQ(judge({.transaction_status = "in progress", .traces = false}), commit_verdict::in_progress);
    EXPECT_EQ(judge({.transaction_status = "aborted", .traces = false}), commit_verdict::absent);
    EXPECT_EQ(judge({.backend_gone = true, .traces = false}), commit_verdict::absent);
    EXPECT_EQ(judge({.transaction_status = "committed", .traces = false}), commit_verdict::unknown)
        << "one of the two is about another server";
}

TEST(verdict_of_commit, of_states_alone_trusts_the_transaction) {
    EXPECT_EQ(judge({.transaction_status = "committed", .behind = false}), commit_verdict::committed);
    EXPECT_EQ(judge({.transaction_status = "aborted", .behind = false}), commit_verdict::absent);
    EXPECT_EQ(judge({.backend_gone = true, .behind = true}), commit_verdict::absent);
    EXPECT_EQ(judge({.backend_gone = true, .behind = false}), commit_verdict::unknown)
        << "it, or somebody else who wrote the same version";
    EXPECT_EQ(judge({.behind = true}), commit_verdict::in_progress);
    EXPECT_EQ(judge({.transaction_status = "committed", .behind = true}), commit_verdict::unknown)
        << "the number is a stranger's: had it been ours, the state would have changed";
}

TEST(verdict_of_commit, counts_only_what_the_server_says_that_was_to_commit_it) {
    const std::string other = "timeline was 1 and is 2";
    EXPECT_EQ(judge({.transaction_status = "committed", .behind = false, .other_server = other}),
              commit_verdict::unknown);
    EXPECT_EQ(judge({.transaction_status = "aborted", .traces = false, .other_server = other}),
              commit_verdict::unknown);
    EXPECT_EQ(judge({.backend_gone = true, .traces = false, .other_server = other}), commit_verdict::unknown);
    EXPECT_EQ(judge({.traces = true, .other_server = other}), commit_verdict::committed)
        << "what the batch has left behind is there";
}

TEST(verdict_of_commit, waits_while_only_a_standby_answers) {
    EXPECT_EQ(judge({.backend_gone = true, .traces = false, .standby = true}), commit_verdict::in_progress);
    EXPECT_EQ(judge({.traces = true, .standby = true}), commit_verdict::in_progress) << "its primary may lose it";
}

TEST(verdict_of_commit, of_a_message_scheduled_and_gone_trusts_the_transaction) {
    EXPECT_EQ(judge({.transaction_status = "committed"}), commit_verdict::committed);
    EXPECT_EQ(judge({.transaction_status = "aborted"}), commit_verdict::absent);
    EXPECT_EQ(judge({.backend_gone = true}), commit_verdict::unknown) << "it never was, or was released already";
    EXPECT_EQ(judge({}), commit_verdict::in_progress);
}

}  // namespace
}  // namespace sluice::store::postgresql
