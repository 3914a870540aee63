#include "console/sessions.hpp"

#include <gtest/gtest.h>

#include "support/virtual_clock.hpp"

namespace sluice::console {
namespace {

using namespace std::chrono_literals;

class console_sessions : public ::testing::Test {
protected:
    testing::virtual_clock clock_;
    base::seeded_random random_{7};
    session_store sessions_{clock_, random_, {.lifetime = 10h, .idle = 1h, .most = 3}};
};

TEST_F(console_sessions, belongs_to_a_user_until_it_is_closed) {
    const std::string id = sessions_.open("anna");
    EXPECT_EQ(sessions_.user_of(id), "anna");
    EXPECT_FALSE(sessions_.user_of(id + "0").has_value());
    EXPECT_FALSE(sessions_.user_of("").has_value());
    sessions_.close(id);
    EXPECT_FALSE(sessions_.user_of(id).has_value());
}

TEST_F(console_sessions, ends_when_nobody_is_there) {
    const std::string id = sessions_.open("anna");
    clock_.advance(59min);
    EXPECT_TRUE(sessions_.user_of(id).has_value());
    clock_.advance(59min);
    EXPECT_TRUE(sessions_.user_of(id, false).has_value()) << "a page that asks by itself";
    clock_.advance(1min);
    EXPECT_FALSE(sessions_.user_of(id).has_value());
}

TEST_F(console_sessions, ends_after_its_lifetime_whoever_is_there) {
    const std::string id = sessions_.open("anna");
    for (int i = 0; i < 19; ++i) {
        clock_.advance(30min);
        ASSERT_TRUE(sessions_.user_of(id).has_value()) << i;
    }
    clock_.advance(30min);
    EXPECT_FALSE(sessions_.user_of(id).has_value());
}

TEST_F(console_sessions, the_longest_idle_makes_room) {
    const std::string first = sessions_.open("a");
    clock_.advance(1min);
    const std::string second = sessions_.open("b");
    clock_.advance(1min);
    const std::string third = sessions_.open("c");
    EXPECT_TRUE(sessions_.user_of(first).has_value());
    clock_.advance(1min);
    static_cast<void>(sessions_.open("d"));
    EXPECT_EQ(sessions_.size(), 3U);
    EXPECT_FALSE(sessions_.user_of(second).has_value());
    EXPECT_TRUE(sessions_.user_of(first).has_value());
    EXPECT_TRUE(sessions_.user_of(third).has_value());
}

}  // namespace
}  // namespace sluice::console
