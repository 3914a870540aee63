#include "sqlite/settling.hpp"

#include <gtest/gtest.h>

namespace sluice::sqlite {
namespace {

using namespace std::chrono_literals;

TEST(settling, looks_again_at_once_after_a_write) { EXPECT_EQ(look_again_after(0us), duration{100us}); }

TEST(settling, looks_ever_more_rarely) {
    EXPECT_EQ(look_again_after(1ms), duration{500us});
    EXPECT_EQ(look_again_after(1s), duration{500ms});
}

TEST(settling, ends_when_a_commit_cannot_be_on_its_way_any_more) {
    EXPECT_EQ(look_again_after(2s), std::nullopt);
    EXPECT_EQ(look_again_after(1h), std::nullopt);
}

TEST(settling, costs_few_looks_for_each_write) {
    int looks = 0;
    duration passed{0};
    while (const auto nap = look_again_after(passed)) {
        passed += *nap;
        ++looks;
    }
    EXPECT_LT(looks, 40);
}

}  // namespace
}  // namespace sluice::sqlite
