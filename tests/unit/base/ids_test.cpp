#include "base/ids.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace {

using namespace sluice::base;

class constant_random final : public random_source {
public:
    explicit constant_random(std::uint64_t bits) : bits_{bits} {}
    std::uint64_t next() override { return bits_; }

private:
    std::uint64_t bits_;
};

TEST(uuid4, carries_version_and_variant) {
    constant_random zeros{0};
    constant_random ones{~std::uint64_t{0}};
    EXPECT_EQ(uuid4(zeros), "00000000-0000-4000-8000-000000000000");
    EXPECT_EQ(uuid4(ones), "ffffffff-ffff-4fff-bfff-ffffffffffff");
    EXPECT_EQ(uuid4_hex(zeros), "00000000000040008000000000000000");
}

TEST(uuid4, has_the_same_digits_with_and_without_dashes) {
    seeded_random dashed{7};
    seeded_random plain{7};
    std::string text = uuid4(dashed);
    std::erase(text, '-');
    EXPECT_EQ(text, uuid4_hex(plain));
}

TEST(uuid4, does_not_repeat) {
    std::set<std::string> ids;
    for (int i = 0; i < 1000; ++i) ids.insert(uuid4(system_random()));
    EXPECT_EQ(ids.size(), 1000U);
    EXPECT_EQ(ids.begin()->size(), 36U);
}

}  // namespace
