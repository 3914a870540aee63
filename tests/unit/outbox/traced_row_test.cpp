#include "outbox/traced_row.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "support/virtual_clock.hpp"

namespace sluice::outbox {
namespace {

using namespace std::chrono_literals;

class traced_row_test : public ::testing::Test {
protected:
    enum class made_in { no_trace, unsampled_trace, sampled_trace };

    /// A row that was published now.
    [[nodiscard]] row_outcome row(duration latency, made_in where, const std::string& trace_id = std::string(32, '1'),
                                  const std::string& extensions = "{}") const {
        row_outcome made;
        made.event.created_at = clock_.now() - latency;
        made.settlement.published_at = clock_.now();
        const std::string flag = where == made_in::sampled_trace ? "true" : "false";
        const std::string trace =
            where == made_in::no_trace
                ? "null"
                : R"({"trace_id":")" + trace_id + R"(","parent_id":"b7ad6b7169203331","sampled":)" + flag + "}";
        made.event.metadata = R"({"headers":{"id":"m","traceparent":)" + trace +
                              R"(},"domain":{"correlation_id":"c-1"},"extensions":)" + extensions + "}";
        return made;
    }
    [[nodiscard]] std::optional<traced_row> slowest(const std::vector<row_outcome>& rows,
                                                    observe::sampler which = {observe::sampler::rule::always_on,
                                                                              true}) const {
        return slowest_traced(rows, observe::span_source{which, clock_, random_, {}});
    }

    sluice::testing::virtual_clock clock_;
    mutable base::seeded_random random_{1};
};

TEST_F(traced_row_test, is_the_one_that_took_longest) {
    const auto found = slowest({row(3ms, made_in::sampled_trace, std::string(32, 'a')),
                                row(7ms, made_in::sampled_trace, std::string(32, 'b')),
                                row(5ms, made_in::sampled_trace, std::string(32, 'c'))});
    ASSERT_TRUE(found);
    EXPECT_EQ(found->trace.trace_id, std::string(32, 'b'));
    EXPECT_EQ(found->trace.parent_id, "b7ad6b7169203331");
    EXPECT_EQ(found->latency, 7ms);
    EXPECT_EQ(found->at, clock_.now());
}

TEST_F(traced_row_test, a_trace_that_nobody_records_is_none) {
    EXPECT_FALSE(slowest({}));
    EXPECT_FALSE(slowest({row(1ms, made_in::no_trace), row(2ms, made_in::unsampled_trace)}));
    const auto found =
        slowest({row(9ms, made_in::no_trace), row(8ms, made_in::unsampled_trace), row(1ms, made_in::sampled_trace)});
    ASSERT_TRUE(found);
    EXPECT_EQ(found->latency, 1ms);
}

TEST_F(traced_row_test, a_trace_that_is_not_recorded_here_is_none) {
    EXPECT_FALSE(
        slowest({row(1ms, made_in::sampled_trace)}, observe::sampler{observe::sampler::rule::always_off, false}));
    EXPECT_FALSE(
        slowest({row(1ms, made_in::unsampled_trace)}, observe::sampler{observe::sampler::rule::always_on, false}))
        << "the span that it names was not recorded";
}

TEST_F(traced_row_test, what_extensions_say_decides_nothing) {
    EXPECT_FALSE(slowest({row(1ms, made_in::unsampled_trace, std::string(32, '1'), R"({"sampled":true})"),
                          row(1ms, made_in::no_trace, std::string(32, '1'), R"({"sampled":true})")}));
}

TEST_F(traced_row_test, a_row_that_was_not_published_has_no_latency) {
    row_outcome refused = row(1ms, made_in::sampled_trace);
    refused.settlement.published_at = std::nullopt;
    EXPECT_FALSE(refused.latency());
    EXPECT_FALSE(slowest({refused}));
}

TEST_F(traced_row_test, metadata_that_cannot_be_read_harms_nobody) {
    row_outcome broken = row(9ms, made_in::sampled_trace);
    broken.event.metadata = R"({"sampled":true)";
    const auto found = slowest({broken, row(1ms, made_in::sampled_trace)});
    ASSERT_TRUE(found);
    EXPECT_EQ(found->latency, 1ms);
}

TEST_F(traced_row_test, a_clock_that_was_set_back_makes_no_negative_latency) {
    EXPECT_EQ(row(-5ms, made_in::no_trace).latency(), 0ms);
}

}  // namespace
}  // namespace sluice::outbox
