// A node that is short of memory blocks publishers: a lane pauses, and nobody pays for it.

#include "integration/rabbitmq/rabbitmq_fixture.hpp"

namespace sluice::broker::rabbitmq_test {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class rabbitmq_alarm : public rabbitmq_test {
protected:
    ~rabbitmq_alarm() override { end(); }
    void begin() {
        node_.ctl({"set_vm_memory_high_watermark", "0.00001"});
        await_block();
    }
    /// The node looks at its memory now and then. A message without a queue leaves nothing behind when it still gets
    /// in.
    void await_block() {
        const auto canary = broker_->open_publisher();
        EXPECT_TRUE(sluice::testing::eventually([&] {
            const auto said = publish(*canary, {{.id = "canary", .stream = "shop::nobody"}}, milliseconds{300});
            return told(said.at(0)).find("blocks publishers") != std::string::npos;
        }));
    }
    void end() const { node_.ctl({"set_vm_memory_high_watermark", "absolute", "1GB"}); }

    std::unique_ptr<publisher> to_ = broker_->open_publisher();
};

TEST_F(rabbitmq_alarm, costs_nothing_and_sends_nothing_twice) {
    ASSERT_THAT(told(publish(*to_, {{.id = "m0"}})), ElementsAre("delivered"));
    std::vector<note> batch;
    for (int i = 1; i <= 30; ++i) {
        batch.push_back({.id = fmt::format("m{}", i), .key = fmt::format("k{}", i), .body = {}});
    }
    begin();
    for (int round = 0; round < 3; ++round) {
        std::vector<verdict> verdicts;
        const auto took = time_of([&] { verdicts = publish(*to_, batch, seconds{2}); });
        EXPECT_LT(took, seconds{20});
        EXPECT_THAT(told(verdicts), Each(HasSubstr("the server blocks publishers")));
    }
    EXPECT_THAT(to_->probe(seconds{1}), HasSubstr("memory"));
    end();
    EXPECT_TRUE(sluice::testing::eventually([&] { return to_->probe(seconds{1}).empty(); }));
    EXPECT_THAT(told(publish(*to_, batch)), Each("delivered"));
    auto got = everything(31);
    EXPECT_EQ(got.size(), 31U);
    std::ranges::sort(got);
    EXPECT_TRUE(std::adjacent_find(got.begin(), got.end()) == got.end()) << "one came twice";
}

TEST_F(rabbitmq_alarm, hangs_nobody_with_bodies_that_fill_every_buffer) {
    begin();
    std::vector<note> batch;
    for (int i = 0; i < 10; ++i) {
        batch.push_back(
            {.id = fmt::format("m{}", i), .key = fmt::format("k{}", i), .body = std::string(1'000'000, 'x')});
    }
    for (int round = 0; round < 2; ++round) {
        EXPECT_LT(time_of([&] { static_cast<void>(publish(*to_, batch, seconds{2})); }), seconds{20});
    }
    end();
    EXPECT_TRUE(sluice::testing::eventually([&] {
        const auto said = told(publish(*to_, batch, seconds{5}));
        return std::ranges::all_of(said, [](const auto& each) { return each == "delivered"; });
    }));
    EXPECT_EQ(everything(10).size(), 10U);
}

/// The lane may be somebody else's by then.
TEST_F(rabbitmq_alarm, lets_nothing_be_sent_behind_the_lane_when_it_ends) {
    auto large = options();
    large.heartbeat_seconds = 1;
    large.max_message_bytes = 64'000'000;
    const auto other = make_rabbitmq_broker(large);
    const auto to = other->open_publisher();
    ASSERT_THAT(told(publish(*to, {{.id = "before"}})), ElementsAre("delivered"));
    begin();
    const std::vector<note> batch{{.id = "m", .key = "k", .body = std::string(30'000'000, 'x')}};
    ASSERT_THAT(told(publish(*to, batch, seconds{1})), Each(HasSubstr("unreachable")));
    end();
    // The time itself is what is tried.
    EXPECT_THAT(read_some(*audit_, 2, seconds{3}), ElementsAre("before"));
    EXPECT_TRUE(
        sluice::testing::eventually([&] { return told(publish(*to, batch, seconds{10}).at(0)) == "delivered"; }));
    EXPECT_EQ(everything(1).size(), 1U);
}

TEST_F(rabbitmq_alarm, of_a_disk_that_is_nearly_full_costs_nothing_either) {
    ASSERT_THAT(told(publish(*to_, {{.id = "m0"}})), ElementsAre("delivered"));
    const std::vector<note> batch{{.id = "m1", .key = "a"}, {.id = "m2", .key = "a"}, {.id = "m3", .key = "b"}};
    node_.ctl({"set_disk_free_limit", "900000GB"});
    await_block();
    EXPECT_THAT(told(publish(*to_, batch, seconds{1})), Each(HasSubstr("the server blocks publishers")));
    EXPECT_THAT(to_->probe(seconds{1}), HasSubstr("disk"));
    node_.ctl({"set_disk_free_limit", "1MB"});
    EXPECT_TRUE(sluice::testing::eventually([&] { return to_->probe(seconds{1}).empty(); }));
    EXPECT_THAT(told(publish(*to_, batch)), Each("delivered"));
    EXPECT_THAT(everything(4), ::testing::UnorderedElementsAre("m0", "m1", "m2", "m3"));
}

TEST_F(rabbitmq_alarm, does_not_stop_readers) {
    ASSERT_THAT(told(publish(*to_, {{.id = "m0"}})), ElementsAre("delivered"));
    begin();
    static_cast<void>(publish(*to_, {{.id = "m1"}}, milliseconds{500}));
    EXPECT_THAT(read_some(*audit_, 1), ElementsAre("m0"));
    end();
}

}  // namespace
}  // namespace sluice::broker::rabbitmq_test
