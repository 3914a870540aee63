#include "commit/hot_keys.hpp"

#include <gtest/gtest.h>

#include <string>

namespace {

using namespace std::chrono_literals;
using sluice::commit::hot_keys;

constexpr hot_keys::time_point start{};

TEST(hot_keys, remember_for_a_while_what_was_lost) {
    hot_keys keys;
    EXPECT_FALSE(keys.any());
    keys.lost("state Account a-1", start);
    EXPECT_TRUE(keys.any());
    EXPECT_TRUE(keys.is_hot("state Account a-1", start + 9s));
    EXPECT_FALSE(keys.is_hot("state Account a-2", start + 9s));
    EXPECT_FALSE(keys.is_hot("state Account a-1", start + 10s));
    keys.lost("state Account a-1", start + 9s);
    EXPECT_TRUE(keys.is_hot("state Account a-1", start + 18s)) << "from the last loss on";
}

TEST(hot_keys, are_bounded_and_forgotten_when_they_are_cold) {
    hot_keys keys;
    for (int i = 0; i < 2000; ++i) keys.lost("k" + std::to_string(i), start);
    EXPECT_TRUE(keys.is_hot("k999", start));
    EXPECT_FALSE(keys.is_hot("k1000", start)) << "the memory is full";
    keys.lost("k1000", start + 11s);
    EXPECT_TRUE(keys.is_hot("k1000", start + 11s)) << "the cold ones made room";
}

TEST(hot_keys, what_has_no_name_is_not_remembered) {
    hot_keys keys;
    keys.lost("", start);
    EXPECT_FALSE(keys.any());
}

}  // namespace
