#include "broker/membership.hpp"

#include <gtest/gtest.h>

namespace sluice::broker {
namespace {

const membership us{.group = "g", .consumer = "shop-0", .process = {.id = "2", .place = "here"}};

TEST(membership, has_a_seat_for_each_incarnation) {
    EXPECT_EQ(us.seat(), "shop-0/2");
    EXPECT_EQ((membership{.group = "g", .consumer = "c"}.seat()), "c");
}

TEST(kinship, is_told_by_name_incarnation_and_place) {
    EXPECT_EQ(kinship_of(us, "shop-0", {.id = "2", .place = "here"}), kinship::self);
    EXPECT_EQ(kinship_of(us, "shop-0", {.id = "1", .place = "here"}), kinship::predecessor);
    EXPECT_EQ(kinship_of(us, "shop-0", {.id = "1", .place = "there"}), kinship::namesake);
    EXPECT_EQ(kinship_of(us, "shop-1", {.id = "2", .place = "here"}), kinship::other);
}

TEST(kinship, does_not_take_an_unknown_place_for_ours) {
    auto nowhere = us;
    nowhere.process.place.clear();
    EXPECT_EQ(kinship_of(nowhere, "shop-0", {.id = "1", .place = ""}), kinship::namesake);
    EXPECT_EQ(kinship_of(us, "shop-0", {}), kinship::namesake) << "of a build that had no incarnations";
}

}  // namespace
}  // namespace sluice::broker
