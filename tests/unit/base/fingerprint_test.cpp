#include "base/fingerprint.hpp"

#include <gtest/gtest.h>

namespace sluice::base {
namespace {

// It is stored: another build must find the same numbers. From the reference implementation of XXH3.
TEST(fingerprint, is_the_same_in_every_build) {
    EXPECT_EQ(fingerprint(""), 0x2D06800538D394C2U);
    EXPECT_EQ(fingerprint("a"), 0xE6C632B61E964E1FU);
}

TEST(fingerprint, tells_texts_apart_by_their_length_too) {
    using namespace std::string_view_literals;
    EXPECT_NE(fingerprint("a"), fingerprint("a\0"sv));
    EXPECT_NE(fingerprint("ab"), fingerprint("ba"));
}

}  // namespace
}  // namespace sluice::base
