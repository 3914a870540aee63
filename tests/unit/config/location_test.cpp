#include "config/location.hpp"

#include <gtest/gtest.h>

namespace sluice::config {
namespace {

TEST(locate_file, relative_locations_start_at_the_configuration_file) {
    EXPECT_EQ(locate_file("sqlite:///shop.db", "/srv/shop").path, "/srv/shop/shop.db");
    EXPECT_EQ(locate_file("sqlite:///../data/shop.db", "/srv/shop").path, "/srv/data/shop.db");
    EXPECT_EQ(locate_file("data/shop.db", "/srv/shop").path, "/srv/shop/data/shop.db");
}

TEST(locate_file, absolute_locations_stand) {
    EXPECT_EQ(locate_file("sqlite:////var/lib/shop.db", "/srv/shop").path, "/var/lib/shop.db");
    EXPECT_EQ(locate_file("/var/lib/shop.db", "/srv/shop").path, "/var/lib/shop.db");
}

TEST(locate_file, refuses_what_is_no_file) {
    for (const char* text : {"sqlite://shop.db", "sqlite:///", "sqlite:shop.db", "file:shop.db", "redis://host/0",
                             "data/", "joe:pw@h/shop", "password=x", "sqlite:///redis://h/0",
                             ":memory:", "sqlite:///:memory:", "sqlite:///shop.db?mode=ro", ""}) {
        const file_location found = locate_file(text, "/srv/shop");
        EXPECT_TRUE(found.path.empty()) << text;
        EXPECT_FALSE(found.problem.empty()) << text;
    }
}

}  // namespace
}  // namespace sluice::config
