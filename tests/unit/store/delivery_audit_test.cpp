#include "store/delivery_audit.hpp"

#include <gmock/gmock.h>

#include <string>

namespace sluice::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using place = delivery_audit::place;

std::vector<std::string> faults_of(const delivery_audit& audit) {
    std::vector<std::string> shown;
    for (const auto& each : audit.sum().faults)
        shown.push_back(to_string(each.what) + (' ' + std::to_string(each.seq)));
    return shown;
}

/// What the broker has, in its order: numbers of the log, by streams of ten events each.
void see_all(delivery_audit& audit, const std::vector<sequence>& entries) {
    for (const auto seq : entries) {
        EXPECT_EQ(audit.see(seq, "o-" + std::to_string(seq / 10)), place::told) << seq;
    }
}

/// Of which the ledger says that all are confirmed.
delivery_audit of_confirmed(sequence first, sequence last, std::size_t window = 100) {
    delivery_audit audit{first - 1, last, window};
    for (auto seq = first; seq <= last; ++seq) audit.expect(seq);
    return audit;
}

TEST(delivery_audit, is_content_when_every_confirmed_event_is_there_once_and_in_order) {
    auto audit = of_confirmed(1, 25);
    // Streams may stand in any order among each other.
    see_all(audit, {10, 1, 11, 20, 2, 3, 21, 4, 12, 13, 14, 15, 16, 17, 18, 19, 5, 6, 7, 8, 9, 22, 23, 24, 25});
    EXPECT_FALSE(audit.has_unseen());
    EXPECT_TRUE(audit.sum().closes());
    EXPECT_EQ(audit.sum().confirmed, 25);
    EXPECT_EQ(audit.sum().present, 25);
    EXPECT_THAT(faults_of(audit), IsEmpty());
}

TEST(delivery_audit, tells_what_is_gone_from_what_has_expired) {
    auto audit = of_confirmed(1, 5);
    see_all(audit, {3, 5});
    ASSERT_TRUE(audit.has_unseen());
    for (sequence seq = 1; seq <= 5; ++seq) {
        if (audit.is_unseen(seq)) audit.lose(seq, seq <= 2);
    }
    EXPECT_THAT(faults_of(audit), ElementsAre("missing 4"));
    EXPECT_EQ(audit.sum().present, 2);
    EXPECT_EQ(audit.sum().expired, 2);
    EXPECT_EQ(audit.sum().missing, 1);
    EXPECT_FALSE(audit.has_unseen());
    EXPECT_FALSE(audit.sum().closes());
}

TEST(delivery_audit, counts_each_further_entry_of_an_event_wherever_it_stands) {
    auto audit = of_confirmed(1, 3);
    see_all(audit, {1, 2, 1, 3, 1});
    EXPECT_THAT(faults_of(audit), ElementsAre("doubled 1", "doubled 1")) << "and a copy has no place in the order";
    EXPECT_EQ(audit.sum().present, 3);
}

TEST(delivery_audit, finds_the_earlier_event_behind_the_later_one_of_its_stream) {
    auto audit = of_confirmed(1, 13);
    see_all(audit, {10, 2, 11, 1, 3, 12});
    EXPECT_THAT(faults_of(audit), ElementsAre("out of order 1"));
    EXPECT_EQ(audit.sum().out_of_order, 1);
}

TEST(delivery_audit, compares_no_order_across_parts) {
    auto audit = of_confirmed(1, 5);
    audit.begin_part();
    see_all(audit, {2, 4});
    audit.begin_part();
    see_all(audit, {1, 3, 2});
    EXPECT_THAT(faults_of(audit), ElementsAre("doubled 2")) << "a copy in another part is one, too";
    EXPECT_FALSE(audit.is_in_part(4));
    EXPECT_TRUE(audit.is_in_part(3));
}

TEST(delivery_audit, sees_what_is_at_the_broker_and_not_confirmed_but_nothing_outside_of_its_part_of_the_log) {
    delivery_audit audit{10, 20};
    audit.expect(12);
    audit.expect(99);
    for (const sequence seq : {9, 12, 13, 13, 21, 21}) EXPECT_EQ(audit.see(seq, "o"), place::told);
    EXPECT_EQ(audit.sum().confirmed, 1);
    EXPECT_EQ(audit.sum().present, 1);
    EXPECT_THAT(faults_of(audit), ElementsAre("doubled 13")) << "its confirmation may be on the way";
    EXPECT_FALSE(audit.is_unseen(13));
}

TEST(delivery_audit, takes_each_version_of_an_event_once) {
    auto audit = of_confirmed(1, 2);
    for (const sequence seq : {1, 2}) {
        for (const int version : {0, 2, 1}) EXPECT_EQ(audit.see(seq, "o", version), place::told);
    }
    EXPECT_THAT(faults_of(audit), IsEmpty());
    EXPECT_EQ(audit.sum().present, 2);
    EXPECT_EQ(audit.see(1, "o", 1), place::told);
    EXPECT_THAT(faults_of(audit), ElementsAre("doubled 1"));
}

TEST(delivery_audit, an_older_version_is_not_the_event) {
    auto audit = of_confirmed(1, 1);
    EXPECT_EQ(audit.see(1, "o", 1), place::told);
    EXPECT_TRUE(audit.is_unseen(1));
}

TEST(delivery_audit, claims_of_many_versions_cost_no_more_memory) {
    auto audit = of_confirmed(1, 1);
    for (int version = 1; version <= 1000; ++version) EXPECT_EQ(audit.see(1, "o", version), place::told);
    EXPECT_EQ(audit.see(1, "o", 1000), place::told);
    EXPECT_THAT(faults_of(audit), IsEmpty()) << "nobody remembers that one";
    EXPECT_EQ(audit.see(1, "o", 3), place::told);
    EXPECT_THAT(faults_of(audit), ElementsAre("doubled 1"));
}

TEST(delivery_audit, asks_who_has_the_log_only_below_what_it_has_let_go) {
    constexpr std::size_t window = 4;
    delivery_audit audit{0, 1000, window};
    // Number 100 of the stream s-100, then of streams that push it out of the window.
    EXPECT_EQ(audit.see(100, "s-100"), place::told);
    for (sequence seq = 101; seq <= 120; ++seq) EXPECT_EQ(audit.see(seq, "s-" + std::to_string(seq)), place::told);
    EXPECT_EQ(audit.see(99, "s-100"), place::unknown) << "number 100 stands before it";
    EXPECT_TRUE(audit.is_in_part(100));
    audit.convict(99);
    EXPECT_THAT(faults_of(audit), ElementsAre("out of order 99"));
    EXPECT_EQ(audit.see(121, "s-100"), place::told) << "nothing that was let go is higher";
    EXPECT_EQ(audit.see(119, "s-119"), place::told);
    EXPECT_EQ(audit.sum().doubled, 1);
    audit.begin_part();
    EXPECT_EQ(audit.see(98, "s-100"), place::told) << "the new part has let go of nothing";
}

TEST(delivery_audit, remembers_the_streams_of_the_window_at_least) {
    constexpr std::size_t window = 50;
    delivery_audit audit{0, 10'000, window};
    sequence seq = 1000;
    EXPECT_EQ(audit.see(seq, "late"), place::told);
    for (std::size_t i = 0; i + 1 < window; ++i) {
        ++seq;
        EXPECT_EQ(audit.see(seq, "s-" + std::to_string(seq)), place::told);
    }
    EXPECT_EQ(audit.see(999, "late"), place::told);
    EXPECT_THAT(faults_of(audit), ElementsAre("out of order 999"));
}

TEST(delivery_audit, names_a_hundred_faults_and_counts_all) {
    auto audit = of_confirmed(1, 500);
    for (sequence seq = 1; seq <= 500; ++seq) audit.lose(seq, false);
    EXPECT_EQ(audit.sum().missing, 500);
    EXPECT_EQ(audit.sum().faults.size(), audit_sum::most_named);
}

}  // namespace
}  // namespace sluice::store
