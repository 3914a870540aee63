#include "outbox/batch_spans.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/recorded_spans.hpp"
#include "support/virtual_clock.hpp"

namespace sluice::outbox {
namespace {

using sluice::testing::text_of;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

store::due_row row(const std::string& id, const std::string& traceparent) {
    store::due_row made;
    made.event.message_id = id;
    made.event.stream = "shop::order-1";
    made.event.stream_category = "shop::order";
    made.event.type = "Shop.OrderShipped.v1";
    made.event.metadata =
        R"({"headers":{"id":")" + id + R"(","traceparent":)" + traceparent + R"(},"domain":{"correlation_id":"c-1"}})";
    return made;
}

std::string parent_of(const std::string& trace, bool sampled) {
    return R"({"trace_id":")" + trace + R"(","parent_id":"b7ad6b7169203331","sampled":)" +
           (sampled ? "true}" : "false}");
}

const std::string first_trace(32, '1');
const std::string second_trace(32, '2');

class batch_spans_test : public ::testing::Test {
protected:
    [[nodiscard]] traced_lane lane() const { return {name_, owner_, system_, rules_}; }

    std::string name_ = "default:partner";
    std::string owner_ = "me";
    std::string system_ = "kafka";
    dispatch_rules rules_;
    sluice::testing::virtual_clock clock_;
    base::seeded_random random_{3};
    observe::tracer tracer_{"shop", clock_};
    std::vector<store::due_row> rows_{row("m-1", parent_of(first_trace, true)), row("m-2", "null"),
                                      row("m-3", parent_of(second_trace, false))};
};

TEST_F(batch_spans_test, are_nothing_while_nobody_records) {
    batch_spans spans{tracer_, lane(), rows_};
    EXPECT_EQ(observe::span_here(), nullptr);
    spans.answered({});
}

TEST_F(batch_spans_test, a_message_is_part_of_its_own_trace_and_the_batch_is_linked_to_all) {
    const sluice::testing::recorded_spans recorded{tracer_, clock_, random_};
    {
        batch_spans spans{tracer_, lane(), rows_};
        EXPECT_NE(observe::span_here(), nullptr);
        clock_.advance(std::chrono::milliseconds{5});
        spans.answered(std::vector<broker::verdict>(3, broker::delivered{"17"}));
    }
    EXPECT_EQ(observe::span_here(), nullptr);
    const auto messages = recorded.named("publish shop::order");
    ASSERT_THAT(messages, SizeIs(1)) << "of m-2 nobody asked for a trace, and that of m-3 is not sampled";
    EXPECT_EQ(messages[0].context.trace_id, first_trace);
    EXPECT_EQ(messages[0].parent_id, "b7ad6b7169203331");
    EXPECT_EQ(messages[0].took, std::chrono::milliseconds{5});
    EXPECT_EQ(messages[0].kind, span_kind::client);
    EXPECT_EQ(text_of(messages[0], "messaging.message.id"), "m-1");
    EXPECT_EQ(text_of(messages[0], "messaging.message.conversation_id"), "c-1");
    EXPECT_EQ(text_of(messages[0], "messaging.system"), "kafka");
    EXPECT_EQ(text_of(messages[0], "sluice.receipt"), "17");
    const auto batches = recorded.named("publish batch default:partner");
    ASSERT_THAT(batches, SizeIs(1));
    EXPECT_FALSE(batches[0].failed);
    EXPECT_EQ(batches[0].parent_id, "");
    ASSERT_THAT(batches[0].links, SizeIs(2));
    EXPECT_EQ(batches[0].links[0].trace_id, first_trace);
    EXPECT_EQ(messages[0].links.back(), batches[0].context);
}

TEST_F(batch_spans_test, tell_what_the_broker_said) {
    const sluice::testing::recorded_spans recorded{tracer_, clock_, random_};
    {
        batch_spans spans{tracer_, lane(), rows_};
        spans.answered(std::vector<broker::verdict>{broker::refused{"too large", "MESSAGE_TOO_LARGE", true},
                                                    broker::delivered{}, broker::delivered{}});
    }
    const auto refused = recorded.named("publish shop::order").at(0);
    EXPECT_TRUE(refused.failed);
    EXPECT_EQ(refused.error, "too large");
    EXPECT_EQ(text_of(refused, "error.type"), "MESSAGE_TOO_LARGE");
    EXPECT_TRUE(recorded.named("publish batch default:partner").at(0).failed);
}

TEST_F(batch_spans_test, what_was_not_answered_has_failed) {
    const sluice::testing::recorded_spans recorded{tracer_, clock_, random_};
    { const batch_spans spans{tracer_, lane(), rows_}; }
    for (const finished_span& each : recorded.all()) EXPECT_EQ(text_of(each, "error.type"), "unreachable");
    EXPECT_THAT(recorded.all(), SizeIs(2));
}

TEST_F(batch_spans_test, metadata_that_cannot_be_read_harms_nobody) {
    rows_ = {row("m-1", "{")};
    const sluice::testing::recorded_spans recorded{tracer_, clock_, random_};
    {
        batch_spans spans{tracer_, lane(), rows_};
        spans.answered(std::vector<broker::verdict>{broker::delivered{}});
    }
    EXPECT_THAT(recorded.all(), SizeIs(1));
}

}  // namespace
}  // namespace sluice::outbox
