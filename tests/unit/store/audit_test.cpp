#include "store/audit.hpp"

#include <gmock/gmock.h>

#include <string>

namespace sluice::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> faults_of(const audit_sum& sum) {
    std::vector<std::string> shown;
    for (const auto& each : sum.faults) shown.push_back(to_string(each.what) + (' ' + std::to_string(each.seq)));
    return shown;
}

TEST(audit, closes_over_every_course_that_an_event_can_take) {
    audit_sum sum;
    sum.add({.end = 9,
             .mark = 6,
             .floor = 2,
             .chosen = {1, 2, 3, 4, 5, 6, 7, 8, 9},
             .listed = {2, 3, 5, 7},
             .rows = {{4, row_status::published}, {6, row_status::abandoned}, {8, row_status::failed}}});
    EXPECT_EQ(sum.committed, 9);
    EXPECT_EQ(sum.confirmed, 5);
    EXPECT_EQ(sum.purged, 1);
    EXPECT_EQ(sum.parked, 1);
    EXPECT_EQ(sum.waiting, 2);
    EXPECT_THAT(faults_of(sum), IsEmpty());
    EXPECT_TRUE(sum.closes());
    EXPECT_EQ(sum.committed, sum.confirmed + sum.waiting + sum.parked + sum.purged + sum.missing);
}

TEST(audit, misses_what_no_lane_looks_for_again) {
    audit_sum sum;
    sum.add({.mark = 4, .floor = 1, .chosen = {1, 2, 3, 4, 5}, .listed = {3}, .rows = {{4, row_status::failed}}});
    EXPECT_THAT(faults_of(sum), ElementsAre("missing 2", "missing 4")) << "a row that waits below the mark is one";
    EXPECT_EQ(sum.first_missing, 2);
    EXPECT_EQ(sum.waiting, 1);
    EXPECT_EQ(sum.committed, sum.confirmed + sum.waiting + sum.parked + sum.purged + sum.missing);
    EXPECT_FALSE(sum.closes());
}

TEST(audit, finds_what_is_listed_twice_or_has_a_row_besides) {
    audit_sum sum;
    sum.add({.mark = 3, .chosen = {1, 2, 3}, .listed = {1, 1, 2, 3}, .rows = {{2, row_status::published}}});
    EXPECT_THAT(faults_of(sum), ElementsAre("doubled 1", "doubled 2"));
    EXPECT_EQ(sum.confirmed, 3) << "each is counted once";
}

TEST(audit, finds_what_is_listed_and_was_never_committed_for_the_broker) {
    audit_sum sum;
    sum.add({.mark = 9, .chosen = {2, 5}, .listed = {1, 2, 3, 5, 7}});
    EXPECT_THAT(faults_of(sum), ElementsAre("stray 1", "stray 3", "stray 7"));
    EXPECT_EQ(sum.confirmed, 2);
}

TEST(audit, names_some_and_counts_all_from_run_to_run) {
    audit_sum sum;
    for (sequence seq = 1; seq <= 150; ++seq) sum.add({.mark = 150, .chosen = {seq}});
    EXPECT_EQ(sum.missing, 150);
    EXPECT_EQ(sum.faults.size(), audit_sum::most_named);
    EXPECT_EQ(sum.first_missing, 1);
}

}  // namespace
}  // namespace sluice::store
