#include "base/database_file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "support/temporary_directory.hpp"

namespace sluice::base {
namespace {

class database_file : public ::testing::Test {
protected:
    ~database_file() override { ::umask(before_); }

    static mode_t mode_of(const std::filesystem::path& file) {
        struct stat status {};
        return ::stat(file.c_str(), &status) == 0 ? status.st_mode & 0777U : 0;
    }

    const mode_t before_ = ::umask(0);  // nothing would be kept from anybody
    testing::temporary_directory directory_;
};

TEST_F(database_file, is_made_for_its_owner_only) {
    const auto file = directory_ / "shop.db";
    make_private_file(file);
    EXPECT_EQ(mode_of(file), 0600u);
    EXPECT_EQ(std::filesystem::file_size(file), 0u);
}

TEST_F(database_file, that_exists_stays_as_it_is) {
    const auto file = directory_ / "shop.db";
    std::ofstream{file} << "kept";
    make_private_file(file);
    EXPECT_EQ(mode_of(file), 0666u);
    EXPECT_EQ(std::filesystem::file_size(file), 4u);
    make_private_file(directory_ / "nowhere" / "shop.db");  // not an error here
}

TEST_F(database_file, is_read_without_locks_while_nobody_has_a_log_beside_it) {
    EXPECT_EQ(read_only_uri("/a b/50%?#.db"), "file:/a b/50%25%3F%23.db?mode=ro&immutable=1");
    const auto file = directory_ / "shop.db";
    std::ofstream{write_ahead_log_of(file)} << "changes";
    EXPECT_EQ(read_only_uri(file), "file:" + file.string() + "?mode=ro");
}

}  // namespace
}  // namespace sluice::base
