#include "telemetry/recording.hpp"

#include <gtest/gtest.h>

#include "observe/span_source.hpp"
#include "support/virtual_clock.hpp"

namespace sluice::telemetry {
namespace {

constexpr std::string_view id = "0af7651916cd43dd8448eb211c80319c";

observe::sampler made(const std::string& sampler, double ratio) {
    config::telemetry_settings with;
    with.sampler = sampler;
    with.sampling_ratio = ratio;
    return sampler_of(with);
}
bool takes_root(const std::string& sampler, double ratio = 1) { return made(sampler, ratio).takes(nullptr, id); }
bool takes_child(const std::string& sampler, bool parent_is_sampled) {
    const trace_parent parent{std::string{id}, "b7ad6b7169203331", parent_is_sampled};
    return made(sampler, 0).takes(&parent, id);
}

TEST(recording, knows_the_samplers_by_their_names) {
    EXPECT_TRUE(takes_root("always_on"));
    EXPECT_TRUE(takes_root("parentbased_always_on"));
    EXPECT_FALSE(takes_root("always_off"));
    EXPECT_FALSE(takes_root("parentbased_always_off"));
    EXPECT_FALSE(takes_root("traceidratio", 0));
    EXPECT_TRUE(takes_root("parentbased_traceidratio", 1));
    for (const char* heeding : {"parentbased_always_on", "parentbased_always_off", "parentbased_traceidratio"}) {
        EXPECT_TRUE(takes_child(heeding, true)) << heeding;
        EXPECT_FALSE(takes_child(heeding, false)) << heeding;
    }
    EXPECT_TRUE(takes_child("always_on", false));
    EXPECT_FALSE(takes_child("traceidratio", true));
}

class recording_test : public ::testing::Test {
protected:
    testing::virtual_clock clock_;
    base::seeded_random random_{1};
    observe::tracer tracer_{"shop", clock_};
    config::telemetry_settings with_;
    std::string domain_ = "shop";
};

TEST_F(recording_test, nobody_records_when_nobody_wants_spans) {
    EXPECT_EQ(begin_recording(tracer_, {.with = with_, .domain = domain_, .time = clock_, .random = random_}), nullptr);
    EXPECT_EQ(tracer_.spans(), nullptr);
    EXPECT_EQ(tracer_.spans_counted(), nullptr);
}

TEST_F(recording_test, an_application_gets_spans_though_nothing_is_exported) {
    int ended = 0;
    EXPECT_EQ(begin_recording(tracer_, {.with = with_,
                                        .domain = domain_,
                                        .time = clock_,
                                        .random = random_,
                                        .sinks = {[&](const finished_span&) { ++ended; }}}),
              nullptr);
    ASSERT_NE(tracer_.spans(), nullptr);
    tracer_.spans()->begin("a", span_kind::internal, nullptr).end();
    EXPECT_EQ(ended, 1);
    EXPECT_EQ(tracer_.spans_counted(), nullptr);
}

TEST_F(recording_test, metrics_alone_cost_no_spans) {
    with_.enabled = true;
    with_.traces = false;
    with_.shutdown_seconds = 0;
    EXPECT_NE(begin_recording(tracer_, {.with = with_, .domain = domain_, .time = clock_, .random = random_}), nullptr);
    EXPECT_EQ(tracer_.spans(), nullptr);
}

}  // namespace
}  // namespace sluice::telemetry
