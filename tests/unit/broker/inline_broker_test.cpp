#include "broker/inline/inline_broker.hpp"
#include "support/consumer.hpp"

#include <gmock/gmock.h>

namespace sluice::broker {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class a_small_inline_broker : public ::testing::Test {
protected:
    verdict publish(const std::string& id) {
        const outgoing message{.stream = "s", .message_id = id, .key = "k", .body = id};
        return publisher_->publish(std::span{&message, 1}, {}, duration{0}).at(0);
    }
    std::unique_ptr<sluice::testing::consumer> join(const std::string& group) {
        return sluice::testing::open_consumer(*broker_, "s", {.group = group, .consumer = "c"});
    }
    static std::vector<std::string> bodies(const std::vector<delivery>& deliveries) {
        std::vector<std::string> found;
        for (const auto& d : deliveries) found.push_back(d.body);
        return found;
    }

    std::unique_ptr<broker> broker_ = make_inline_broker("small", 2);
    std::unique_ptr<publisher> publisher_ = broker_->open_publisher();
};

TEST_F(a_small_inline_broker, says_what_it_is) {
    EXPECT_EQ(broker_->describe(), "inline small");
    EXPECT_FALSE(broker_->can().cross_process);
}

TEST_F(a_small_inline_broker, keeps_the_newest_of_a_stream_that_nobody_reads) {
    for (const auto* id : {"a", "b", "c"}) EXPECT_TRUE(std::holds_alternative<delivered>(publish(id)));
    EXPECT_THAT(bodies(join("late")->read(9, {})), ElementsAre("b", "c"));
}

TEST_F(a_small_inline_broker, is_full_until_the_slowest_group_has_acknowledged) {
    const auto quick = join("quick");
    const auto slow = join("slow");
    static_cast<void>(slow->read(9, {}));
    for (const auto* id : {"a", "b"}) EXPECT_TRUE(std::holds_alternative<delivered>(publish(id)));
    for (const auto& d : quick->read(9, {})) quick->ack(std::vector{d.entry});
    const auto held = slow->read(9, {});

    EXPECT_THAT(std::get<unreachable>(publish("c")).reason, HasSubstr("stream s is full"));
    slow->ack(std::vector{held.at(1).entry});
    EXPECT_TRUE(std::holds_alternative<delivered>(publish("c")));
    EXPECT_THAT(bodies(join("slow")->read(9, {})), ElementsAre("a", "c")) << "what it holds was kept";
}

}  // namespace
}  // namespace sluice::broker
