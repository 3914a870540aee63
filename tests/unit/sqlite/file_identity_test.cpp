#include "sqlite/file_identity.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "support/temporary_directory.hpp"

namespace sluice::sqlite {
namespace {

TEST(file_identity, outlives_a_name_and_not_a_file) {
    const testing::temporary_directory directory;
    const auto file = directory / "a";
    EXPECT_EQ(file_identity::at(file), std::nullopt);
    std::ofstream{file}.close();
    const auto first = file_identity::at(file);
    ASSERT_TRUE(first);

    std::filesystem::rename(file, directory / "b");
    EXPECT_EQ(file_identity::at(directory / "b"), first);
    std::ofstream{file}.close();
    EXPECT_NE(file_identity::at(file), first);
}

TEST(file_identity, is_written_with_its_device) { EXPECT_EQ(to_string({.device = 7, .number = 42}), "7:42"); }

}  // namespace
}  // namespace sluice::sqlite
