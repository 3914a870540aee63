#include "cli/workers/worker_roster.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

namespace sluice::cli {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class worker_roster_test : public testing::Test {
protected:
    void start_all() {
        for (const int index : roster_.due(now_)) roster_.started(index, 100 + index, now_);
    }
    /// Lets worker 1 die and start again as often as asked, and returns the last pause.
    duration crash(int times) {
        duration pause{};
        for (int i = 0; i < times; ++i) {
            pause = roster_.ended(101, {.signal = SIGKILL}, now_).again_in.value_or(duration{-1});
            now_ += pause;
            start_all();
        }
        return pause;
    }

    worker_roster::instant now_{1h};
    worker_roster roster_{2};
};

TEST_F(worker_roster_test, all_workers_start_at_once) {
    EXPECT_THAT(roster_.due(now_), ElementsAre(1, 2));
    start_all();
    EXPECT_THAT(roster_.due(now_), IsEmpty());
    EXPECT_FALSE(roster_.next_start());
    EXPECT_THAT(roster_.living(), ElementsAre(101, 102));
}

TEST_F(worker_roster_test, one_that_dies_starts_again_after_a_second_and_then_ever_later) {
    start_all();
    const auto end = roster_.ended(101, {.signal = SIGKILL}, now_);
    EXPECT_EQ(end.index, 1);
    EXPECT_EQ(end.again_in, duration{1s});
    EXPECT_THAT(roster_.due(now_), IsEmpty());
    EXPECT_EQ(roster_.next_start(), now_ + 1s);
    EXPECT_THAT(roster_.due(now_ + 1s), ElementsAre(1));
    now_ += 1s;
    start_all();
    EXPECT_EQ(crash(1), duration{2s});
    EXPECT_EQ(crash(1), duration{4s});
    EXPECT_EQ(crash(10), duration{30s});
    EXPECT_EQ(roster_.health()[0].restarts, 13);
    EXPECT_EQ(roster_.health()[1].restarts, 0);
}

TEST_F(worker_roster_test, one_that_lived_for_a_minute_is_patiently_started_again) {
    start_all();
    crash(5);
    now_ += 1min;
    EXPECT_EQ(crash(1), duration{1s});
}

TEST_F(worker_roster_test, an_end_in_order_that_nobody_asked_for_is_a_death_too) {
    start_all();
    EXPECT_EQ(roster_.ended(102, {.code = 0}, now_).again_in, duration{1s});
}

TEST_F(worker_roster_test, a_process_that_cannot_be_made_is_tried_again) {
    roster_.could_not_start(1, now_);
    EXPECT_THAT(roster_.due(now_), ElementsAre(2));
    EXPECT_THAT(roster_.due(now_ + 1s), ElementsAre(1, 2));
}

TEST_F(worker_roster_test, a_wrong_configuration_at_the_first_start_ends_everything) {
    start_all();
    EXPECT_FALSE(roster_.ended(101, {.code = 3}, now_).again_in);
    EXPECT_EQ(roster_.refusal(), 3);
    EXPECT_FALSE(roster_.next_start());
    roster_.stop(SIGTERM);
    static_cast<void>(roster_.ended(102, {.signal = SIGTERM}, now_));
    EXPECT_EQ(roster_.exit_code(), 3);
}

TEST_F(worker_roster_test, a_wrong_configuration_later_does_not) {
    start_all();
    roster_.ready(101);
    EXPECT_EQ(roster_.ended(101, {.code = 3}, now_).again_in, duration{1s}) << "it had served";
    now_ += 1s;
    start_all();
    EXPECT_EQ(roster_.ended(101, {.code = 3}, now_).again_in, duration{2s}) << "the others serve";
    EXPECT_FALSE(roster_.refusal());
}

TEST_F(worker_roster_test, a_database_that_is_away_at_the_first_start_is_waited_for) {
    start_all();
    EXPECT_EQ(roster_.ended(101, {.code = 4}, now_).again_in, duration{1s});
    EXPECT_FALSE(roster_.refusal());
}

TEST_F(worker_roster_test, nobody_starts_after_the_stop) {
    start_all();
    static_cast<void>(roster_.ended(101, {.signal = SIGSEGV}, now_));
    roster_.stop(SIGTERM);
    EXPECT_TRUE(roster_.stopping());
    EXPECT_THAT(roster_.due(now_ + 1h), IsEmpty());
    EXPECT_FALSE(roster_.ended(102, {.code = 0}, now_).again_in);
    EXPECT_THAT(roster_.living(), IsEmpty());
    EXPECT_EQ(roster_.exit_code(), 0);
}

TEST_F(worker_roster_test, the_exit_code_tells_of_workers_that_did_not_leave_in_order) {
    for (const auto& [how, expected] : std::vector<std::pair<process_end, int>>{
             {{.code = 0}, 0}, {{.signal = SIGINT}, 0}, {{.code = 1}, 1}, {{.signal = SIGKILL}, 1}}) {
        worker_roster roster{1};
        roster.started(1, 7, now_);
        roster.stop(SIGINT);
        static_cast<void>(roster.ended(7, how, now_));
        EXPECT_EQ(roster.exit_code(), expected) << how.code << " " << how.signal;
    }
}

TEST_F(worker_roster_test, a_worker_is_ready_from_its_word_to_its_end) {
    start_all();
    EXPECT_FALSE(roster_.health()[0].ready);
    roster_.ready(101);
    EXPECT_TRUE(roster_.health()[0].ready);
    EXPECT_EQ(roster_.health()[0].pid, 101);
    EXPECT_FALSE(roster_.health()[1].ready);
    static_cast<void>(roster_.ended(101, {.signal = SIGKILL}, now_));
    EXPECT_FALSE(roster_.health()[0].ready);
    EXPECT_EQ(roster_.health()[0].pid, 0);
}

}  // namespace
}  // namespace sluice::cli
