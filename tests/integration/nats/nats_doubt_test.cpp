// What was sent and not confirmed: it is neither lost nor sent behind newer messages.

#include <thread>

#include "integration/nats/nats_fixture.hpp"

namespace sluice::broker::nats_test {
namespace {

using namespace std::chrono_literals;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

class nats_doubt : public nats_test {};

TEST_F(nats_doubt, sends_nothing_by_itself_that_it_gave_up_while_the_server_was_away) {
    make_orders();
    const auto broker = connect();
    const auto to = broker->open_publisher();
    ASSERT_TRUE(delivers(*to, {{"first"}}));
    server_.crash();
    EXPECT_THAT(told(publish(*to, many("given-up-", 3), 1s)), Each(StartsWith("unreachable")));
    server_.start_again();
    ASSERT_TRUE(delivers(*to, {{"later", "shop::order-9"}}));
    EXPECT_THAT(ids(), ElementsAre("first", "later"));
}

TEST_F(nats_doubt, waits_for_what_it_gave_up_instead_of_sending_it_again) {
    make_orders();
    const auto broker = connect();
    const auto to = broker->open_publisher();
    ASSERT_TRUE(delivers(*to, {{"first", "shop::order-9"}}));
    server_.listen_to("shop.order");
    server_.freeze();
    const std::vector<note> batch{{"a1", "shop::order-a"}, {"a2", "shop::order-a"}, {"b1", "shop::order-b"}};
    for (int again = 0; again < 3; ++again) {
        EXPECT_THAT(told(publish(*to, batch, 300ms)), Each(StartsWith("unreachable")));
    }
    server_.thaw();
    ASSERT_TRUE(delivers(*to, batch));
    EXPECT_THAT(ids(), ElementsAre("first", "a1", "b1", "a2"));
    EXPECT_EQ(server_.heard(), 3U) << "each was sent once";
}

TEST_F(nats_doubt, keeps_the_order_over_a_frozen_server_and_a_lost_connection) {
    make_orders();
    sluice::testing::tcp_gate gate{server_.port()};
    const auto broker = connect({.uri = fmt::format("nats://127.0.0.1:{}", gate.port())});
    const auto to = broker->open_publisher();
    ASSERT_TRUE(delivers(*to, {{"first", "shop::order-9"}}));
    server_.freeze();
    const std::vector<note> batch{{"a1", "shop::order-a"}, {"a2", "shop::order-a"}, {"a3", "shop::order-a"}};
    EXPECT_THAT(told(publish(*to, batch, 300ms)), Each(StartsWith("unreachable")));
    gate.half_close();  // the connection breaks while a1 lies in the server's buffer
    EXPECT_THAT(told(publish(*to, batch, 300ms)), Each(StartsWith("unreachable")));
    server_.thaw();
    gate.open();
    ASSERT_TRUE(delivers(*to, batch));
    EXPECT_THAT(ids(), ElementsAre("first", "a1", "a2", "a3"));
}

TEST_F(nats_doubt, recognises_what_was_stored_when_only_the_answer_is_lost) {
    make_orders();
    sluice::testing::tcp_gate gate{server_.port()};
    const auto broker = connect({.uri = fmt::format("nats://127.0.0.1:{}", gate.port())});
    const auto to = broker->open_publisher();
    ASSERT_TRUE(delivers(*to, {{"first", "shop::order-9"}}));
    gate.cut_after(0);  // the next answer is not passed on
    EXPECT_THAT(told(publish(*to, {{"a1"}}, 2s)).at(0), StartsWith("unreachable"));
    gate.open();
    ASSERT_TRUE(delivers(*to, {{"a1"}, {"a2"}}));
    EXPECT_THAT(ids(), ElementsAre("first", "a1", "a2"));
}

TEST_F(nats_doubt, reads_confirmations_that_come_after_the_deadline) {
    make_orders();
    sluice::testing::tcp_gate gate{server_.port()};
    const auto broker = connect({.uri = fmt::format("nats://127.0.0.1:{}", gate.port())});
    const auto to = broker->open_publisher();
    ASSERT_TRUE(delivers(*to, {{"first", "shop::order-9"}}));
    server_.listen_to("shop.order");
    gate.delay(700ms);
    EXPECT_THAT(told(publish(*to, {{"a1"}}, 200ms)).at(0), StartsWith("unreachable"));
    EXPECT_EQ(told(publish(*to, {{"a1"}}, 30s)).at(0), "delivered");
    EXPECT_EQ(server_.heard(), 1U);
}

TEST_F(nats_doubt, loses_nothing_that_was_acknowledged_when_the_server_is_killed) {
    make_orders();
    const auto broker = connect();
    strings confirmed;
    std::atomic<std::size_t> count = 0;
    std::atomic<bool> killed{false};
    {
        const auto to = broker->open_publisher();
        ASSERT_TRUE(delivers(*to, {{"first", "shop::order-9"}}));
        const std::jthread killer{[&] {
            EXPECT_TRUE(sluice::testing::eventually([&] { return count > 500; }));
            server_.crash();
            killed = true;
        }};
        for (int round = 0; !killed; ++round) {
            const auto batch = many(fmt::format("{}-", round), 50);
            const auto verdicts = publish(*to, batch, 500ms);
            for (std::size_t i = 0; i < batch.size(); ++i) {
                if (is<delivered>(verdicts[i])) confirmed.push_back(batch[i].id);
            }
            count = confirmed.size();
        }
    }
    server_.start_again();
    const auto there = ids();
    const std::set<std::string> found{there.begin(), there.end()};
    EXPECT_THAT(confirmed, SizeIs(::testing::Gt(500U)));
    for (const auto& each : confirmed) EXPECT_TRUE(found.contains(each)) << each;
    EXPECT_EQ(found.size(), there.size()) << "and nothing twice";
}

// Two owners of one lane: the first one freezes with a message on its way, and comes to life behind its successor.
TEST_F(nats_doubt, recognises_what_a_frozen_former_owner_still_sends) {
    make_orders();
    sluice::testing::tcp_gate gate{server_.port()};
    const auto of_former = connect({.uri = fmt::format("nats://127.0.0.1:{}", gate.port())});
    const auto former = of_former->open_publisher();
    ASSERT_TRUE(delivers(*former, {{"a0"}}));
    gate.stall(true);
    EXPECT_THAT(told(publish(*former, {{"a1"}, {"a2"}}, 300ms)), Each(StartsWith("unreachable")));

    const auto broker = connect();
    const auto successor = broker->open_publisher();
    ASSERT_TRUE(delivers(*successor, {{"a1"}, {"a2"}, {"a3"}}));
    server_.listen_to("shop.order");
    gate.open();
    ASSERT_TRUE(sluice::testing::eventually([&] { return server_.heard() > 0; })) << "a1 of the former owner";
    EXPECT_THAT(ids(), ElementsAre("a0", "a1", "a2", "a3"));
}

TEST_F(nats_doubt, comes_back_after_any_time) {
    make_orders();
    const auto broker = connect();
    const auto to = broker->open_publisher();
    server_.stop();
    for (int i = 0; i < 5; ++i) EXPECT_THAT(told(publish(*to, {{"a"}}, 300ms)).at(0), StartsWith("unreachable"));
    EXPECT_NE(to->probe(300ms), "");
    server_.start_again();
    EXPECT_TRUE(delivers(*to, {{"a"}}));
    EXPECT_EQ(to->probe(20s), "");
}

TEST_F(nats_doubt, takes_a_server_that_is_silent_for_long_for_lost) {
    make_orders();
    const auto broker = connect();
    const auto to = broker->open_publisher();
    ASSERT_TRUE(delivers(*to, {{"first", "shop::order-9"}}));
    server_.freeze();
    EXPECT_TRUE(sluice::testing::eventually([&] {
        return told(publish(*to, {{"a1"}, {"a2"}}, 500ms)).at(0).find("said nothing for too long") != std::string::npos;
    }));
    server_.thaw();
    ASSERT_TRUE(delivers(*to, {{"a1"}, {"a2"}}));
    EXPECT_THAT(ids(), ElementsAre("first", "a1", "a2"));
}

TEST_F(nats_doubt, ends_a_hanging_call_when_it_is_told_to_hurry) {
    make_orders();
    const auto broker = connect();
    const auto to = broker->open_publisher();
    ASSERT_TRUE(delivers(*to, {{"first", "shop::order-9"}}));
    server_.freeze();
    const auto begin = std::chrono::steady_clock::now();
    const std::jthread hasty{[&] {
        std::this_thread::sleep_for(100ms);
        to->hurry(100ms);
    }};
    EXPECT_THAT(told(publish(*to, {{"a"}}, 30s)).at(0), StartsWith("unreachable"));
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 20s);
    server_.thaw();
}

// A frozen server and more than all buffers between hold: nothing may wait for the network longer than it was told.
TEST_F(nats_doubt, keeps_its_deadline_when_the_network_takes_no_more_bytes) {
    make_orders();
    const auto broker = connect();
    const auto to = broker->open_publisher();
    ASSERT_TRUE(delivers(*to, {{"first", "shop::order-9"}}));
    server_.freeze();
    auto batch = many("big-", 60);
    for (auto& each : batch) each.body = std::string(500'000, 'x');
    for (int again = 0; again < 3; ++again) {
        const auto begin = std::chrono::steady_clock::now();
        EXPECT_THAT(told(publish(*to, batch, 500ms)), Each(StartsWith("unreachable")));
        EXPECT_LT(std::chrono::steady_clock::now() - begin, 20s);
    }
    server_.thaw();
    EXPECT_TRUE(delivers(*to, batch));
    EXPECT_THAT(server_.messages("ORDERS"), SizeIs(61));
}

TEST_F(nats_doubt, can_be_destroyed_while_many_answers_are_on_their_way) {
    make_orders();
    const auto broker = connect({.window = 1000});
    for (int round = 0; round < 50; ++round) {
        const auto to = broker->open_publisher();
        ASSERT_TRUE(delivers(*to, {{fmt::format("first-{}", round), "shop::order-9"}}));
        static_cast<void>(publish(*to, many(fmt::format("{}-", round), 1000), milliseconds{round % 10}));
    }
}

}  // namespace
}  // namespace sluice::broker::nats_test
