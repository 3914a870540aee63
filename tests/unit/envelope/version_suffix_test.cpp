#include "envelope/version_suffix.hpp"

#include <gtest/gtest.h>

namespace sluice::envelope {
namespace {

TEST(version_suffix, is_taken_off_again) {
    const std::string id = "shop::order-o-1-9.1" + version_suffix("12");
    EXPECT_EQ(id, "shop::order-o-1-9.1~v12");
    EXPECT_EQ(origin_of(id).event_id, "shop::order-o-1-9.1");
    EXPECT_EQ(origin_of(id).version, 12);
}

TEST(version_suffix, is_no_part_of_an_id_that_only_looks_like_it) {
    for (const char* id : {"", "shop::order-o-1-9.1", "shop::order-o~v1-9.1", "a~v", "a~v0", "a~v-1", "a~vx", "a~v1x",
                           "a~v99999999999"}) {
        EXPECT_EQ(origin_of(id).event_id, id);
        EXPECT_EQ(origin_of(id).version, 0) << id;
    }
    EXPECT_EQ(origin_of("a~v2~v1").event_id, "a~v2");
}

}  // namespace
}  // namespace sluice::envelope
