#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>

#include "post_fixture.hpp"
#include "support/noted_exemplars.hpp"
#include "support/recorded_spans.hpp"

// What subscriptions record.
namespace {

using sluice::finished_span;
using sluice::testing::text_of;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* trace = "0af7651916cd43dd8448eb211c80319c";

class subscription_spans : public testing::Test {
protected:
    void publish(const std::string& id, const std::string& traceparent) {
        f.publish("abroad::parcel", id, "abroad::parcel-p-1",
                  R"({"data":{"parcel_id":"p-1"},"metadata":{"headers":{"id":")" + id +
                      R"(","type":"Abroad.ParcelArrived.v1","stream":"abroad::parcel-p-1","traceparent":)" +
                      traceparent + R"(},"domain":{"correlation_id":"c-1"}}})");
    }
    [[nodiscard]] static std::string parent(bool sampled) {
        return std::string{R"("00-)"} + trace + "-b7ad6b7169203331-0" + (sampled ? "1\"" : "0\"");
    }

    post::fixture f;
    sluice::testing::recorded_spans recorded{f.env->tracer(), f.clock, f.random};
};

TEST_F(subscription_spans, handling_continues_the_trace_of_the_message) {
    publish("m-1", parent(true));
    const auto s = f.subscribe();
    static_cast<void>(s->work());
    const auto handled = recorded.named("process abroad::parcel");
    ASSERT_THAT(handled, SizeIs(1));
    EXPECT_EQ(handled[0].kind, sluice::span_kind::consumer);
    EXPECT_EQ(handled[0].context.trace_id, trace);
    EXPECT_EQ(handled[0].parent_id, "b7ad6b7169203331");
    EXPECT_FALSE(handled[0].failed);
    EXPECT_EQ(text_of(handled[0], "messaging.consumer.group.name"), "post.parcel_counter");
    EXPECT_EQ(text_of(handled[0], "messaging.client.id"), "desk-0");
    EXPECT_EQ(text_of(handled[0], "messaging.message.conversation_id"), "c-1");
    ASSERT_THAT(recorded.named("command PostLetter"), SizeIs(1));
    EXPECT_EQ(recorded.named("command PostLetter")[0].parent_id, handled[0].context.parent_id);
    EXPECT_EQ(recorded.named("unit of work").at(0).parent_id, handled[0].context.parent_id);
    const auto received = recorded.named("receive abroad::parcel");
    ASSERT_THAT(received, SizeIs(1)) << "a look that finds nothing is none";
    EXPECT_NE(received[0].context.trace_id, trace);
    ASSERT_THAT(received[0].links, SizeIs(1));
    EXPECT_EQ(received[0].links[0].trace_id, trace);
}

TEST_F(subscription_spans, an_attempt_that_fails_says_why) {
    f.hook->on_handle([](const std::string&) { throw std::runtime_error{"the scales\nare broken"}; });
    publish("m-1", parent(true));
    const auto s = f.subscribe();
    static_cast<void>(s->work());
    const auto handled = recorded.named("process abroad::parcel");
    ASSERT_THAT(handled, SizeIs(1));
    EXPECT_TRUE(handled[0].failed);
    EXPECT_EQ(handled[0].error, "the scales are broken");
    EXPECT_EQ(text_of(handled[0], "error.type"), "handler_failed");
    const std::lock_guard lock{f.traces_mutex};
    for (const sluice::trace_event& each : f.traces) {
        if (each.event != "handler.failed") continue;
        ASSERT_TRUE(each.traceparent);
        EXPECT_EQ(*each.traceparent, handled[0].context) << "its line names the attempt";
    }
}

TEST_F(subscription_spans, a_message_without_a_trace_begins_one) {
    publish("m-1", "null");
    const auto s = f.subscribe();
    static_cast<void>(s->work());
    const auto handled = recorded.named("process abroad::parcel");
    ASSERT_THAT(handled, SizeIs(1));
    EXPECT_EQ(handled[0].parent_id, "");
    EXPECT_EQ(recorded.named("command PostLetter").at(0).context.trace_id, handled[0].context.trace_id);
}

TEST_F(subscription_spans, a_message_that_is_not_sampled_leaves_no_span_but_the_look) {
    publish("m-1", parent(false));
    const auto s = f.subscribe();
    static_cast<void>(s->work());
    EXPECT_EQ(f.stamps("p-1"), 0);
    EXPECT_THAT(recorded.named("process abroad::parcel"), IsEmpty());
    EXPECT_THAT(recorded.named("command PostLetter"), IsEmpty());
    EXPECT_THAT(recorded.named("receive abroad::parcel"), SizeIs(1));
}

TEST_F(subscription_spans, the_time_of_an_attempt_is_counted_with_its_span) {
    const auto counted = sluice::testing::noted_exemplars::of(f.env->tracer());
    int attempt = 0;
    f.hook->on_handle([&](const std::string&) {
        f.clock.advance(std::chrono::milliseconds{20});
        if (++attempt == 2) throw std::runtime_error{"the scales are broken"};
    });
    publish("m-1", parent(true));
    const auto s = f.subscribe();
    static_cast<void>(s->work());
    publish("m-2", parent(true));
    static_cast<void>(s->work());
    const auto attempts = recorded.named("process abroad::parcel");
    ASSERT_THAT(attempts, SizeIs(2));
    const auto found = counted->all();
    ASSERT_GE(found.size(), 2U);
    for (std::size_t i = 0; i < attempts.size(); ++i) {
        ASSERT_TRUE(found[i]) << "one that fails, too";
        EXPECT_EQ(found[i]->trace_id, trace);
        EXPECT_EQ(found[i]->span_id, attempts[i].context.parent_id);
        EXPECT_EQ(found[i]->value, std::chrono::milliseconds{20});
        EXPECT_EQ(found[i]->at, attempts[i].begin + attempts[i].took);
    }
    for (std::size_t i = 2; i < found.size(); ++i) EXPECT_FALSE(found[i]) << "putting off takes no time in a handler";
}

TEST_F(subscription_spans, an_attempt_that_is_not_sampled_is_counted_without_a_span) {
    const auto counted = sluice::testing::noted_exemplars::of(f.env->tracer());
    publish("m-1", parent(false));
    const auto s = f.subscribe();
    static_cast<void>(s->work());
    ASSERT_THAT(counted->all(), SizeIs(1));
    EXPECT_FALSE(counted->all().front());
}

TEST(subscription_counts, without_recorded_spans_name_no_trace_whatever_the_thread_works_for) {
    post::fixture f;
    const auto counted = sluice::testing::noted_exemplars::of(f.env->tracer());
    f.publish_parcel("m-1", "p-1");
    const auto s = f.subscribe();
    const sluice::trace_parent elsewhere{trace, "b7ad6b7169203331", true};
    const sluice::observe::span_scope here{&elsewhere};
    static_cast<void>(s->work());
    ASSERT_THAT(counted->all(), SizeIs(1));
    EXPECT_FALSE(counted->all().front());
}

}  // namespace
