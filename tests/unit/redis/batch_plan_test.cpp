#include "broker/redis/batch_plan.hpp"

#include <gmock/gmock.h>

namespace sluice::broker::redis {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::size_t no_limit = 1'000'000;
const verdict arrived = delivered{"1-0"};
const verdict rejected = refused{"no", "ERR", false};

template <class Verdict>
bool is(const verdict& v) {
    return std::holds_alternative<Verdict>(v);
}

TEST(batch_plan, sends_everything_at_once_when_one_transaction_takes_it) {
    const std::vector<outgoing> batch{{"s", "a", "k", "{}"}, {"s", "b", "k", "{}"}, {"s", "c", "", "{}"}};
    batch_plan plan{batch, 0};
    EXPECT_THAT(plan.next(sending::as_one, no_limit), ElementsAre(0, 1, 2));
    for (const std::size_t i : {0U, 1U, 2U}) plan.settle(i, arrived);
    EXPECT_THAT(plan.next(sending::as_one, no_limit), IsEmpty());
    for (const auto& v : std::move(plan).verdicts()) EXPECT_TRUE(is<delivered>(v));
}

TEST(batch_plan, waits_for_the_reply_before_a_key_goes_to_another_stream) {
    const std::vector<outgoing> batch{
        {"s", "a", "k", "{}"}, {"t", "b", "other", "{}"}, {"t", "c", "k", "{}"}, {"s", "d", "k", "{}"}};
    batch_plan plan{batch, 0};
    EXPECT_THAT(plan.next(sending::as_one, no_limit), ElementsAre(0, 1));
    plan.settle(0, arrived);
    plan.settle(1, arrived);
    EXPECT_THAT(plan.next(sending::as_one, no_limit), ElementsAre(2, 3)) << "by then both are known to be streams";
}

TEST(batch_plan, sends_a_key_to_several_streams_at_once_when_they_are_known_to_be_streams) {
    std::vector<outgoing> batch;
    for (int i = 0; i < 4; ++i) batch.push_back({i % 2 == 0 ? "s" : "t", "id", "k", "{}"});
    batch_plan plan{batch, 0};
    EXPECT_THAT(plan.next(sending::as_one, no_limit), ElementsAre(0));
    plan.settle(0, arrived);
    EXPECT_THAT(plan.next(sending::as_one, no_limit), ElementsAre(1)) << "nothing is known of t";
    plan.settle(1, arrived);
    EXPECT_THAT(plan.next(sending::as_one, no_limit), ElementsAre(2, 3)) << "both took a message";

    batch_plan known{batch, 0};
    known.vouch_for("s");
    known.vouch_for("t");
    EXPECT_THAT(known.next(sending::as_one, no_limit), ElementsAre(0, 1, 2, 3));
    EXPECT_THAT(known.next(sending::one_by_one, no_limit), ElementsAre(0)) << "there each may fail";
}

TEST(batch_plan, sends_one_message_of_a_key_at_a_time_where_each_may_fail) {
    const std::vector<outgoing> batch{
        {"s", "a", "k1", "{}"}, {"s", "b", "k2", "{}"}, {"s", "c", "k1", "{}"}, {"s", "d", "", "{}"}};
    batch_plan plan{batch, 0};
    EXPECT_THAT(plan.next(sending::one_by_one, no_limit), ElementsAre(0, 1));
    plan.settle(0, rejected);
    plan.settle(1, arrived);
    EXPECT_THAT(plan.next(sending::one_by_one, no_limit), ElementsAre(3)) << "k1 is held back";
    plan.settle(3, arrived);
    const auto verdicts = std::move(plan).verdicts();
    EXPECT_TRUE(is<refused>(verdicts[0]));
    EXPECT_TRUE(is<unreachable>(verdicts[2]));
}

TEST(batch_plan, charges_only_the_first_of_a_key_that_fails) {
    const std::vector<outgoing> batch{{"s", "a", "k", "{}"}, {"s", "b", "k", "{}"}};
    batch_plan plan{batch, 0};
    ASSERT_THAT(plan.next(sending::as_one, no_limit), ElementsAre(0, 1));
    plan.settle(0, rejected);
    plan.settle(1, rejected);
    const auto verdicts = std::move(plan).verdicts();
    EXPECT_TRUE(is<refused>(verdicts[0]));
    EXPECT_TRUE(is<unreachable>(verdicts[1]));
}

TEST(batch_plan, sends_again_what_an_aborted_transaction_left_without_verdict) {
    const std::vector<outgoing> batch{
        {"s", "a", "k1", "{}"}, {"bad", "b", "k2", "{}"}, {"s", "c", "k2", "{}"}, {"s", "d", "k1", "{}"}};
    batch_plan plan{batch, 0};
    ASSERT_THAT(plan.next(sending::as_one, no_limit), ElementsAre(0, 1));
    plan.settle(1, rejected);
    EXPECT_THAT(plan.open(), ElementsAre(0, 2, 3));
    EXPECT_THAT(plan.next(sending::as_one, no_limit), ElementsAre(0, 3));
}

TEST(batch_plan, bounds_the_bytes_of_a_wave_but_always_sends_one) {
    const std::string body(100, 'x');
    const std::vector<outgoing> batch{{"s", "a", "", body}, {"s", "b", "", "xx"}, {"s", "c", "", "xx"}};
    batch_plan plan{batch, 0};
    EXPECT_THAT(plan.next(sending::as_one, 4), ElementsAre(0));
    plan.settle(0, arrived);
    EXPECT_THAT(plan.next(sending::as_one, 4), ElementsAre(1, 2));
}

TEST(batch_plan, refuses_what_no_broker_keeps_and_gives_up_on_the_rest) {
    const std::vector<outgoing> batch{
        {"s", "a", "k", ""}, {"s", "b", "k", "{}"}, {"s", "c", "", "12345"}, {"s", "d", "", "{}"}};
    batch_plan plan{batch, 4};
    EXPECT_THAT(plan.next(sending::as_one, no_limit), ElementsAre(3));
    plan.give_up(unreachable{"gone"});
    const auto verdicts = std::move(plan).verdicts();
    EXPECT_TRUE(std::get<refused>(verdicts[0]).permanent);
    EXPECT_TRUE(is<unreachable>(verdicts[1]));
    EXPECT_EQ(std::get<refused>(verdicts[2]).code, "message_too_big");
    EXPECT_EQ(std::get<unreachable>(verdicts[3]).reason, "gone");
}

}  // namespace
}  // namespace sluice::broker::redis
