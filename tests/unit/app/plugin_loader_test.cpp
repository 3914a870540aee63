#include "app/plugin_loader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::app {
namespace {

using ::testing::ElementsAre;

const search_places places{.working_directory = "/home/joe/shop",
                           .program_directory = "/opt/sluice/bin",
                           .library_path = {"/usr/local/lib", "/opt/lib"}};

TEST(candidates, a_name_is_looked_for_where_builds_and_installations_put_libraries) {
    EXPECT_THAT(candidates("shop", places),
                ElementsAre("/home/joe/shop/libshop.so", "/home/joe/shop/build/lib/libshop.so",
                            "/home/joe/shop/build/libshop.so", "/opt/sluice/lib/libshop.so",
                            "/usr/local/lib/libshop.so", "/opt/lib/libshop.so"));
}

TEST(candidates, a_file_name_stays_as_it_is) {
    EXPECT_EQ(candidates("libshop.so.1", places).front(), "/home/joe/shop/libshop.so.1");
}

TEST(candidates, a_path_means_itself) {
    EXPECT_THAT(candidates("./lib/shop.so", places), ElementsAre("/home/joe/shop/./lib/shop.so"));
    EXPECT_THAT(candidates("/srv/libshop.so", places), ElementsAre("/srv/libshop.so"));
}

}  // namespace
}  // namespace sluice::app
