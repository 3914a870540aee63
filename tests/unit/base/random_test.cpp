#include "base/random.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <set>
#include <thread>
#include <vector>

namespace {

using namespace sluice::base;

class constant_random final : public random_source {
public:
    explicit constant_random(std::uint64_t bits) : bits_{bits} {}
    std::uint64_t next() override { return bits_; }

private:
    std::uint64_t bits_;
};

TEST(random_source, uniform_lies_in_zero_to_one_without_one) {
    EXPECT_EQ(constant_random{0}.uniform(), 0.0);
    EXPECT_EQ(constant_random{std::uint64_t{1} << 63}.uniform(), 0.5);
    const double highest = constant_random{std::numeric_limits<std::uint64_t>::max()}.uniform();
    EXPECT_LT(highest, 1.0);
    EXPECT_GT(highest, 0.9999999999999997);
}

TEST(seeded_random, repeats_itself_on_every_platform) {
    constexpr std::uint64_t ten_thousandth_of_the_standard = 9981545732273789042ULL;
    seeded_random random{5489};
    std::uint64_t last = 0;
    for (int i = 0; i < 10'000; ++i) last = random.next();
    EXPECT_EQ(last, ten_thousandth_of_the_standard);
    EXPECT_NE(seeded_random{1}.next(), seeded_random{2}.next());
}

TEST(system_random, gives_every_thread_numbers_of_its_own) {
    constexpr std::size_t threads = 4;
    constexpr std::size_t each = 250;
    std::vector<std::vector<std::uint64_t>> drawn(threads);
    {
        std::vector<std::jthread> running;
        running.reserve(threads);
        for (auto& numbers : drawn) {
            running.emplace_back([&numbers] {
                for (std::size_t i = 0; i < each; ++i) numbers.push_back(system_random().next());
            });
        }
    }
    std::set<std::uint64_t> distinct;
    for (const auto& numbers : drawn) distinct.insert(numbers.begin(), numbers.end());
    EXPECT_EQ(distinct.size(), threads * each);
}

}  // namespace
