#include "http/bucket_exemplars.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace sluice::http {
namespace {

using namespace std::chrono_literals;

observe::exemplar seen(duration value, std::string_view trace_id = "t") {
    return {.trace_id = trace_id, .span_id = "s", .value = value, .at = date_time::from_micros(7)};
}

/// The traces of the buckets; `-` where there is none.
std::string traces_in(const bucket_exemplars& of) {
    std::string all;
    for (const auto& each : of.latest()) all += (each ? each->trace_id : "-") + " ";
    return all;
}

TEST(bucket_exemplars, an_observation_belongs_to_the_lowest_bucket_that_counts_it) {
    bucket_exemplars of{{0.1, 1}};
    EXPECT_EQ(traces_in(of), "- - - ");
    of.keep(seen(0ms, "a"));
    EXPECT_EQ(traces_in(of), "a - - ");
    of.keep(seen(100ms, "b"));
    EXPECT_EQ(traces_in(of), "b - - ") << "a bound is part of its bucket";
    of.keep(seen(100ms + 1us, "c"));
    EXPECT_EQ(traces_in(of), "b c - ");
    of.keep(seen(1h, "d"));
    EXPECT_EQ(traces_in(of), "b c d ");
}

TEST(bucket_exemplars, the_latest_takes_the_place_of_the_one_before) {
    bucket_exemplars of{{0.1, 1}};
    of.keep(seen(900ms, "slow"));
    of.keep({.trace_id = "latest", .span_id = "span", .value = 200ms, .at = date_time::from_micros(8)});
    const auto kept = of.latest().at(1);
    ASSERT_TRUE(kept);
    EXPECT_EQ(kept->trace_id, "latest");
    EXPECT_EQ(kept->span_id, "span");
    EXPECT_EQ(kept->value, 0.2);
    EXPECT_EQ(kept->at, date_time::from_micros(8));
}

TEST(bucket_exemplars, are_kept_and_read_by_several_threads) {
    bucket_exemplars of{{1}};
    {
        const std::jthread one{[&] {
            for (int i = 0; i < 1000; ++i) of.keep(seen(1ms, "0af7651916cd43dd8448eb211c80319c"));
        }};
        const std::jthread other{[&] {
            for (int i = 0; i < 1000; ++i) of.keep(seen(1ms, "4bf92f3577b34da6a3ce929d0e0e4736"));
        }};
        for (int i = 0; i < 1000; ++i) {
            const auto kept = of.latest().front();
            EXPECT_TRUE(!kept || kept->trace_id.size() == 32);
        }
    }
    EXPECT_TRUE(of.latest().front());
}

}  // namespace
}  // namespace sluice::http
