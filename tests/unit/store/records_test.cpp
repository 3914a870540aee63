#include "store/records.hpp"

#include <gmock/gmock.h>

#include <sluice/error.hpp>

namespace sluice::store {
namespace {

constexpr row_status all_statuses[] = {row_status::pending, row_status::processing, row_status::published,
                                       row_status::failed, row_status::abandoned};

TEST(row_status, has_a_word_that_reads_back) {
    for (const auto status : all_statuses) EXPECT_EQ(row_status_from(to_string(status)), status);
    EXPECT_STREQ(to_string(row_status::abandoned), "abandoned");
}

TEST(row_status, refuses_an_unknown_word_and_names_the_known_ones) {
    try {
        static_cast<void>(row_status_from("Pending"));
        FAIL() << "accepted";
    } catch (const decode_error& e) {
        EXPECT_THAT(e.what(), testing::AllOf(testing::HasSubstr("'Pending'"), testing::HasSubstr("abandoned")));
    }
}

TEST(row_status, is_open_until_published_or_abandoned) {
    EXPECT_TRUE(is_open(row_status::pending));
    EXPECT_TRUE(is_open(row_status::processing));
    EXPECT_TRUE(is_open(row_status::failed));
    EXPECT_FALSE(is_open(row_status::published));
    EXPECT_FALSE(is_open(row_status::abandoned));
}

TEST(commit_batch, is_empty_without_anything_to_write) {
    EXPECT_TRUE(commit_batch{}.empty());
    EXPECT_TRUE(commit_batch{.fence = lease_fence{}}.empty());
    EXPECT_FALSE((commit_batch{.states = {{}}}.empty()));
    EXPECT_FALSE((commit_batch{.events = {{}}}.empty()));
    EXPECT_FALSE((commit_batch{.marks = {{"m-1", "handler"}}}.empty()));
    EXPECT_FALSE((commit_batch{.snapshots = {{}}}.empty()));
    EXPECT_FALSE((commit_batch{.outcomes = {{}}}.empty()));
    EXPECT_FALSE((commit_batch{.scheduled = {{}}}.empty()));
    EXPECT_FALSE((commit_batch{.cancelled = {{}}}.empty()));
}

}  // namespace
}  // namespace sluice::store
