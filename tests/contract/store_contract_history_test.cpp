#include "contract/store_contract.hpp"

namespace sluice::store::contract {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class store_history : public store_contract {};
SLUICE_FOR_EVERY_STORE(store_history);

TEST_P(store_history, a_new_incarnation_ends_every_lease_and_its_epochs_go_on_above_it) {
    commit_events(2);
    const auto lost = take_lane();
    const auto before = store_->history();
    const auto done = store_->adopt({});
    EXPECT_EQ(done.refusal, "");
    EXPECT_GT(done.incarnation, before.incarnation);
    EXPECT_EQ(done.lanes, 1U);
    EXPECT_EQ(done.reopened, 0U);
    EXPECT_EQ(store_->history().incarnation, done.incarnation);
    EXPECT_EQ(store_->history().identity, before.identity);

    EXPECT_FALSE(lane_.rows->due(lost, "partner", 0, 10).owned);
    EXPECT_EQ(lane_.rows->settle(lost, "partner", std::vector{published(1)}, 1), settle_outcome::fenced);
    const auto grant = store_->open_lease()->acquire("default:partner", "you", at(500'000'000), ttl);
    ASSERT_TRUE(grant);
    EXPECT_GT(grant->epoch, done.incarnation);
    const auto first = store_->open_lease()->acquire("default:default", "you", at(1), ttl);
    ASSERT_TRUE(first);
    EXPECT_GT(first->epoch, done.incarnation) << "a lane that had no owner before";
}

TEST_P(store_history, a_new_incarnation_is_above_whatever_it_is_told) {
    const std::uint64_t seen = 9'000'000'000'000'000;
    EXPECT_GT(store_->adopt({.above = seen}).incarnation, seen);
    const auto second = store_->adopt({});
    EXPECT_GT(second.incarnation, seen) << "an incarnation never goes back";
}

TEST_P(store_history, a_copy_gets_an_identity_of_its_own) {
    const auto before = store_->history();
    const auto done = store_->adopt({.copy = true});
    EXPECT_NE(done.identity, before.identity);
    EXPECT_EQ(store_->identity(), done.identity);
}

TEST_P(store_history, is_not_begun_anew_by_itself_again_and_again) {
    if (store_->history().place.empty()) GTEST_SKIP() << "nothing ever begins by itself here";
    EXPECT_EQ(store_->adopt({.by_itself = true}).refusal, "");
    const auto incarnation = store_->history().incarnation;
    EXPECT_THAT(store_->adopt({.by_itself = true}).refusal, HasSubstr("within the last hour"));
    EXPECT_EQ(store_->history().incarnation, incarnation);
    EXPECT_EQ(store_->adopt({}).refusal, "") << "a person may";
}

TEST_P(store_history, rows_that_are_open_below_the_mark_are_found_and_sent) {
    commit_events(3);
    const auto grant = take_lane();
    ASSERT_EQ(lane_.rows->settle(grant, "partner", std::vector{published(1), failed(2, 1), published(3)}, 3),
              settle_outcome::settled);
    auto kept = grant;
    ASSERT_TRUE(lane_.lease->renew(kept, report(), at(1), ttl));  // writes a mark that waits to be written
    EXPECT_THAT(store_->faults(0), IsEmpty());
    const auto faults = store_->faults(100);
    ASSERT_EQ(faults.size(), 1U);
    EXPECT_EQ(faults.front().code, "OPEN_BELOW_MARK");
    EXPECT_THAT(faults.front().message, AllOf(HasSubstr("1 row is"), HasSubstr("default:partner"), HasSubstr("is 2")));
    EXPECT_FALSE(faults.front().fatal);

    EXPECT_EQ(store_->adopt({}).reopened, 1U);
    const auto next = take_lane("partner", "you");
    EXPECT_EQ(next.mark, 1);
    EXPECT_THAT(seqs(lane_.rows->due(next, "partner", next.mark, 10)), ElementsAre(2));
    EXPECT_THAT(store_->faults(100), IsEmpty());
}

TEST_P(store_history, a_database_belongs_to_the_domain_that_claimed_it) {
    EXPECT_EQ(store_->history().domain, "");
    store_->claim("shop");
    EXPECT_NO_THROW(store_->claim("shop"));
    EXPECT_EQ(store_->history().domain, "shop");
    EXPECT_THROW(store_->claim("fulfillment"), store_error);
    EXPECT_EQ(store_->history().domain, "shop");
    static_cast<void>(store_->adopt({.domain = "store"}));
    EXPECT_NO_THROW(store_->claim("store")) << "the domain has got a new name";
}

}  // namespace
}  // namespace sluice::store::contract
