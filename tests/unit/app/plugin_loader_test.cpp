#include "app/plugin_loader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "support/temporary_directory.hpp"

namespace sluice::app {
namespace {

using std::filesystem::perms;
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

TEST(is_ours_alone, does_not_trust_what_others_may_write) {
    const testing::temporary_directory directory;
    const auto file = directory / "libshop.so";
    std::ofstream{file} << "x";
    std::filesystem::permissions(file, perms::owner_all);
    std::filesystem::permissions(directory.path(), perms::owner_all);
    EXPECT_TRUE(is_ours_alone(file));
    std::filesystem::permissions(file, perms::owner_all | perms::others_write);
    EXPECT_FALSE(is_ours_alone(file));
    std::filesystem::permissions(file, perms::owner_all | perms::others_read);
    std::filesystem::permissions(directory.path(), perms::owner_all | perms::others_write);
    EXPECT_FALSE(is_ours_alone(file));
    std::filesystem::permissions(directory.path(), perms::owner_all);
    EXPECT_FALSE(is_ours_alone(directory / "absent.so"));
}

}  // namespace
}  // namespace sluice::app
