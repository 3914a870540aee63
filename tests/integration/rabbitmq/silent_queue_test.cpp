// A queue that takes nothing while the node answers: what it was sent is sent again, and does not wait for ever.

#include <algorithm>

#include "integration/rabbitmq/rabbitmq_fixture.hpp"
#include "support/captured_log.hpp"

namespace sluice::broker::rabbitmq_test {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::StartsWith;

class silent_queue : public rabbitmq_test {
protected:
    ~silent_queue() override { all_queues("resume"); }

    /// @param action  of Erlang's `sys`: suspend or resume
    void all_queues(const std::string& action) {
        node_.ctl({"eval", fmt::format("[sys:{}(amqqueue:get_pid(Q)) || Q <- rabbit_amqqueue:list(), "
                                       "amqqueue:get_type(Q) =:= rabbit_quorum_queue].",
                                       action)});
    }
    [[nodiscard]] std::unique_ptr<broker> broker_with(duration patience) const {
        auto impatient = options();
        impatient.confirm_patience = patience;
        return make_rabbitmq_broker(impatient);
    }

    const std::vector<note> batch_{{.id = "a1", .key = "a"}, {.id = "b1", .key = "b"}};
};

TEST_F(silent_queue, is_sent_again_what_it_does_not_confirm) {
    const auto broker = broker_with(milliseconds{500});
    const auto to = broker->open_publisher();
    ASSERT_THAT(told(publish(*to, {{.id = "a0", .key = "a"}})), ElementsAre("delivered"));
    all_queues("suspend");
    sluice::testing::captured_log said;
    const auto over = std::chrono::steady_clock::now() + seconds{2};
    while (std::chrono::steady_clock::now() < over) {
        EXPECT_THAT(told(publish(*to, batch_, milliseconds{300})), Each(StartsWith("unreachable")));
    }
    EXPECT_THAT(said.text(), HasSubstr("the server answers, and confirms nothing of 2 messages"));
    all_queues("resume");
    EXPECT_TRUE(sluice::testing::eventually([&] {
        const auto verdicts = told(publish(*to, batch_, seconds{1}));
        return std::ranges::all_of(verdicts, [](const std::string& each) { return each == "delivered"; });
    }));
    EXPECT_EQ(to->probe(seconds{20}), "");
    const auto log = everything(3);
    EXPECT_EQ(log.front(), "a0");
    EXPECT_THAT(log, IsSupersetOf({"a1", "b1"}));
}

TEST_F(silent_queue, is_waited_for_as_long_as_there_is_patience) {
    const auto broker = broker_with(seconds{60});
    const auto to = broker->open_publisher();
    ASSERT_THAT(told(publish(*to, {{.id = "a0", .key = "a"}})), ElementsAre("delivered"));
    all_queues("suspend");
    for (int round = 0; round < 3; ++round) {
        EXPECT_THAT(told(publish(*to, batch_, milliseconds{300})), Each(StartsWith("unreachable")));
        EXPECT_EQ(to->probe(seconds{20}), "") << "the node itself answers";
    }
    all_queues("resume");
    EXPECT_THAT(told(publish(*to, batch_)), Each("delivered"));
    EXPECT_THAT(everything(3), ::testing::UnorderedElementsAre("a0", "a1", "b1")) << "each once";
}

}  // namespace
}  // namespace sluice::broker::rabbitmq_test
