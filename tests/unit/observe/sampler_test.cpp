#include "observe/sampler.hpp"

#include <gtest/gtest.h>

#include "base/hex.hpp"
#include "base/random.hpp"

namespace sluice::observe {
namespace {

using rule = sampler::rule;

const trace_parent sampled{"0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", true};
const trace_parent unsampled{"0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", false};

std::string id_of(std::uint64_t last) {
    std::string id = "0af7651916cd43dd";
    base::append_hex(id, last, 16);
    return id;
}

TEST(sampler, decides_of_roots_by_its_rule) {
    EXPECT_TRUE(sampler(rule::always_on, true).takes(nullptr, sampled.trace_id));
    EXPECT_FALSE(sampler(rule::always_off, true).takes(nullptr, sampled.trace_id));
}

TEST(sampler, heeds_what_was_decided_of_the_parent_when_it_is_told_to) {
    EXPECT_TRUE(sampler(rule::always_off, true).takes(&sampled, sampled.trace_id));
    EXPECT_FALSE(sampler(rule::always_on, true).takes(&unsampled, sampled.trace_id));
    EXPECT_TRUE(sampler(rule::always_on, false).takes(&unsampled, sampled.trace_id));
    EXPECT_FALSE(sampler(rule::always_off, false).takes(&sampled, sampled.trace_id));
}

/// The bound lies where other implementations have it: half of the ids have a last word below 2^63.
TEST(sampler, takes_a_ratio_of_the_traces_by_their_ids) {
    const sampler half{rule::ratio, false, 0.5};
    EXPECT_TRUE(half.takes(nullptr, id_of(0x7FFF'FFFF'FFFF'FFFF)));
    EXPECT_FALSE(half.takes(nullptr, id_of(0x8000'0000'0000'0000)));
    base::seeded_random random{5};
    int taken = 0;
    for (int i = 0; i < 10'000; ++i) taken += sampler(rule::ratio, false, 0.1).takes(nullptr, id_of(random.next()));
    EXPECT_NEAR(taken, 1000, 100);
}

TEST(sampler, takes_all_or_nothing_at_the_ends_of_the_ratio) {
    for (const std::uint64_t last : {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0}}) {
        EXPECT_TRUE(sampler(rule::ratio, false, 1).takes(nullptr, id_of(last)));
        EXPECT_FALSE(sampler(rule::ratio, false, 0).takes(nullptr, id_of(last)));
    }
}

}  // namespace
}  // namespace sluice::observe
