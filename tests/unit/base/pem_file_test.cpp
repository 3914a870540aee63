#include "base/pem_file.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "support/certificate.hpp"
#include "support/temporary_directory.hpp"

namespace sluice::base {
namespace {

class pem_file : public ::testing::Test {
protected:
    [[nodiscard]] std::optional<pem_contents> read(const std::string& text) const {
        std::ofstream{directory_ / "file.pem"} << text;
        return read_pem_file(directory_ / "file.pem");
    }

    const date_time from_ = date_time::parse("2026-01-02T03:04:05Z");
    const date_time to_ = date_time::parse("2046-11-23T12:00:00Z");
    testing::temporary_directory directory_;
};

TEST_F(pem_file, tells_the_times_and_the_kind_of_each_certificate) {
    const auto contents = read(
        testing::make_certificate(
            {.name = "shop", .valid_from = from_, .valid_to = to_ - std::chrono::hours{1}, .is_authority = false}) +
        "what stands between blocks is for people\n" +
        testing::make_certificate({.name = "authority", .valid_from = from_, .valid_to = to_, .is_authority = true}));
    ASSERT_TRUE(contents);
    ASSERT_EQ(contents->certificates.size(), 2U);
    EXPECT_EQ(contents->certificates[0].subject, "CN = shop");
    EXPECT_EQ(contents->certificates[0].valid_from, from_);
    EXPECT_FALSE(contents->certificates[0].is_authority);
    EXPECT_EQ(contents->certificates[1].valid_to, to_);
    EXPECT_TRUE(contents->certificates[1].is_authority);
    EXPECT_FALSE(contents->holds_private_key);
}

TEST_F(pem_file, knows_a_key_beside_a_certificate) {
    const auto contents =
        read(testing::make_certificate({.name = "shop", .valid_from = from_, .valid_to = to_, .is_authority = false}) +
             testing::key_like_text);
    ASSERT_TRUE(contents);
    EXPECT_EQ(contents->certificates.size(), 1U);
    EXPECT_TRUE(contents->holds_private_key);
}

TEST_F(pem_file, another_file_holds_neither_and_a_missing_one_is_nothing) {
    const auto contents = read("password\n");
    ASSERT_TRUE(contents);
    EXPECT_TRUE(contents->certificates.empty());
    EXPECT_FALSE(contents->holds_private_key);
    EXPECT_FALSE(read_pem_file(directory_ / "nowhere.pem"));
}

TEST_F(pem_file, leaves_out_what_is_no_certificate) {
    const auto contents = read("-----BEGIN CERTIFICATE-----\nbm90IG9uZQ==\n-----END CERTIFICATE-----\n");
    ASSERT_TRUE(contents);
    EXPECT_TRUE(contents->certificates.empty());
}

}  // namespace
}  // namespace sluice::base
