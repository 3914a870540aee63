#include "telemetry/span_queue.hpp"

#include <gtest/gtest.h>

namespace sluice::telemetry {
namespace {

finished_span named(const std::string& name) {
    finished_span span;
    span.name = name;
    return span;
}

class span_queue_test : public ::testing::Test {
protected:
    [[nodiscard]] bool is_notified(span_queue& of) {
        return base::wait_any(of.signal(), nullptr, duration{0}) == base::wake_reason::signalled;
    }

    std::shared_ptr<observe::span_counts> counts_ = std::make_shared<observe::span_counts>();
    const instant now_{std::chrono::hours{1}};
};

TEST_F(span_queue_test, drops_the_newest_when_it_is_full_and_counts_them) {
    span_queue queue{{.spans = 2}, counts_};
    for (const char* each : {"a", "b", "c"}) queue.push(named(each), now_);
    EXPECT_EQ(counts_->queue_full, 1U);
    const auto taken = queue.take(10);
    ASSERT_EQ(taken.size(), 2U);
    EXPECT_EQ(taken[0].name, "a");
    queue.push(named("d"), now_);
    EXPECT_EQ(queue.size(), 1U);
}

TEST_F(span_queue_test, is_bounded_in_bytes_as_well) {
    const finished_span large = named(std::string(1000, 'x'));
    span_queue queue{{.spans = 100, .bytes = 2 * size_of(large)}, counts_};
    for (int i = 0; i < 3; ++i) queue.push(large, now_);
    EXPECT_EQ(queue.size(), 2U);
    EXPECT_EQ(counts_->queue_full, 1U);
    EXPECT_EQ(queue.take(1).size(), 1U);
    queue.push(large, now_);
    EXPECT_EQ(queue.size(), 2U) << "what is taken gives its room back";
}

TEST_F(span_queue_test, wakes_the_exporter_for_the_first_span_and_for_a_batch) {
    span_queue queue{{.batch = 3}, counts_};
    queue.push(named("a"), now_);
    EXPECT_TRUE(is_notified(queue));
    queue.push(named("b"), now_);
    EXPECT_FALSE(is_notified(queue));
    queue.push(named("c"), now_);
    EXPECT_TRUE(is_notified(queue));
}

TEST_F(span_queue_test, knows_since_when_the_oldest_one_waits) {
    span_queue queue{{}, counts_};
    EXPECT_FALSE(queue.waits_since());
    queue.push(named("a"), now_);
    queue.push(named("b"), now_ + std::chrono::seconds{1});
    EXPECT_EQ(queue.waits_since(), now_);
    EXPECT_EQ(queue.take(1).size(), 1U);
    EXPECT_EQ(queue.waits_since(), now_ + std::chrono::seconds{1});
}

TEST_F(span_queue_test, counts_the_texts_and_links_of_a_span) {
    finished_span span = named("a");
    const std::size_t bare = size_of(span);
    span.attributes.push_back({"key", std::string(100, 'x')});
    EXPECT_GE(size_of(span), bare + 103);
    const std::size_t before = size_of(span);
    span.links.emplace_back();
    EXPECT_GT(size_of(span), before);
}

}  // namespace
}  // namespace sluice::telemetry
