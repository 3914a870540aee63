// A node that takes bytes and says nothing: nothing hangs, nothing is sent twice, nothing changes places.

#include <atomic>
#include <thread>

#include "integration/rabbitmq/rabbitmq_fixture.hpp"
#include "support/tcp_gate.hpp"

namespace sluice::broker::rabbitmq_test {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class frozen_node : public rabbitmq_test {
protected:
    ~frozen_node() override { node_.control("thaw"); }

    std::unique_ptr<publisher> to_ = broker_->open_publisher();
};

TEST_F(frozen_node, is_waited_for_and_sent_nothing_twice) {
    const std::vector<note> batch{{.id = "a1", .key = "a"}, {.id = "b1", .key = "b"}, {.id = "a2", .key = "a"}};
    ASSERT_THAT(told(publish(*to_, {{.id = "a0", .key = "a"}})), ElementsAre("delivered"));
    node_.control("freeze");
    for (int round = 0; round < 3; ++round) {
        std::vector<verdict> verdicts;
        const auto took = time_of([&] { verdicts = publish(*to_, batch, seconds{1}); });
        EXPECT_LT(took, seconds{15});
        EXPECT_THAT(told(verdicts), Each(StartsWith("unreachable")));
    }
    EXPECT_THAT(to_->probe(milliseconds{200}), HasSubstr("did not answer in time"));
    node_.control("thaw");
    EXPECT_THAT(told(publish(*to_, batch)), Each("delivered"));
    const auto log = everything(4);
    EXPECT_THAT(log, ::testing::UnorderedElementsAre("a0", "a1", "b1", "a2")) << "each once";
    EXPECT_LT(std::ranges::find(log, "a1"), std::ranges::find(log, "a2"));
}

TEST_F(frozen_node, keeps_nobody_who_is_in_a_hurry) {
    ASSERT_THAT(told(publish(*to_, {{.id = "a0"}})), ElementsAre("delivered"));
    node_.control("freeze");
    std::atomic<bool> began{false};
    std::vector<verdict> verdicts;
    duration took{0};
    std::thread hanging{[&] {
        took = time_of([&] {
            began = true;
            verdicts = publish(*to_, {{.id = "a1", .body = std::string(4'000'000, 'x')}, {.id = "b1", .key = "b"}},
                               seconds{60});
        });
    }};
    EXPECT_TRUE(sluice::testing::eventually([&] { return began.load(); }));
    to_->hurry(milliseconds{100});
    hanging.join();
    EXPECT_LT(took, seconds{30});
    EXPECT_THAT(told(verdicts), Each(StartsWith("unreachable")));
    EXPECT_LT(time_of([&] { to_.reset(); }), seconds{15});
}

TEST_F(frozen_node, that_never_greets_costs_no_more_than_the_time_to_connect) {
    node_.control("freeze");
    auto hasty = options();
    hasty.connect_timeout = milliseconds{500};
    const auto other = make_rabbitmq_broker(hasty);
    const auto to = other->open_publisher();
    std::vector<verdict> verdicts;
    const auto took = time_of([&] { verdicts = publish(*to, {{.id = "a"}}, seconds{60}); });
    EXPECT_LT(took, seconds{15});
    EXPECT_THAT(told(verdicts), ElementsAre(AllOf(StartsWith("unreachable"), HasSubstr("did not answer in time"))));
}

/// Both ends are alive, what is in between is not: only silence tells.
TEST_F(frozen_node, is_found_out_by_missed_heartbeats) {
    sluice::testing::tcp_gate gate{node_.port()};
    auto quick = options();
    quick.uri = node_.uri_through(gate.port());
    quick.heartbeat_seconds = 1;
    const auto other = make_rabbitmq_broker(quick);
    const auto to = other->open_publisher();
    ASSERT_THAT(told(publish(*to, {{.id = "a"}})), ElementsAre("delivered"));
    gate.stall(true);
    EXPECT_THAT(told(publish(*to, {{.id = "b"}}, seconds{60})), ElementsAre(HasSubstr("missed heartbeats")));
    gate.open();
    EXPECT_TRUE(sluice::testing::eventually(
        [&] { return told(publish(*to, {{.id = "b"}}, seconds{2}).at(0)) == "delivered"; }));
    const auto log = everything(2);
    EXPECT_EQ(log.at(0), "a");
    EXPECT_EQ(log.at(1), "b");
}

/// The node hangs up on clients that are silent for two heartbeats. Nobody calls the publisher meanwhile.
TEST_F(frozen_node, is_not_what_an_idle_publisher_is_taken_for) {
    auto quick = options();
    quick.heartbeat_seconds = 1;
    const auto other = make_rabbitmq_broker(quick);
    const auto to = other->open_publisher();
    ASSERT_THAT(told(publish(*to, {{.id = "a"}})), ElementsAre("delivered"));
    const auto publishers = [&] {
        const auto listed = node_.ctl({"list_connections", "pid", "timeout", "client_properties"});
        strings lines;
        for (std::size_t at = 0; at < listed.size();) {
            const auto end = std::min(listed.find('\n', at), listed.size());
            const auto line = listed.substr(at, end - at);
            if (line.find("\t1\t") != std::string::npos && line.find("sluice-publisher") != std::string::npos) {
                lines.push_back(line.substr(0, line.find('\t')));
            }
            at = end + 1;
        }
        return lines;
    };
    const auto before = publishers();
    ASSERT_EQ(before.size(), 1U);
    // The time itself is what is tried.
    std::this_thread::sleep_for(seconds{5});
    EXPECT_EQ(publishers(), before) << "it is the same connection";
    EXPECT_THAT(told(publish(*to, {{.id = "b"}})), ElementsAre("delivered"));
    EXPECT_THAT(everything(2), ElementsAre("a", "b"));
}

}  // namespace
}  // namespace sluice::broker::rabbitmq_test
