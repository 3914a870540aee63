#include "store/history.hpp"

#include <gmock/gmock.h>

#include <sluice/error.hpp>

namespace sluice::store {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(history_stamp, is_written_and_read) {
    const history_stamp stamp{{"timeline", "2"}, {"incarnation", "0"}, {"system", "7421"}};
    EXPECT_EQ(to_text(stamp), "incarnation=0 system=7421 timeline=2");
    EXPECT_EQ(stamp_from(to_text(stamp)), stamp);
    EXPECT_EQ(stamp_from(""), history_stamp{});
    EXPECT_EQ(stamp_from("of another kind"), history_stamp{});
}

TEST(history_stamp, differs_where_both_know_a_sign_and_it_is_another) {
    const history_stamp then{{"incarnation", "0"}, {"system", "7421"}, {"timeline", "1"}};
    EXPECT_EQ(difference_between(then, then), "");
    EXPECT_EQ(difference_between(then, {{"incarnation", "0"}, {"system", "7421"}, {"timeline", "2"}}),
              "timeline was 1 and is 2");
    EXPECT_EQ(difference_between(then, {{"incarnation", "9"}, {"system", "7422"}, {"timeline", "1"}}),
              "incarnation was 0 and is 9, system was 7421 and is 7422");
    EXPECT_EQ(difference_between(then, {{"timeline", "1"}}), "") << "what may not be asked is no difference";
    EXPECT_EQ(difference_between({}, then), "") << "nobody has owned the lane before";
}

TEST(domain_of_a_database, is_one) {
    EXPECT_NO_THROW(require_domain({.domain = ""}, "sqlite shop.db", "shop"));
    EXPECT_NO_THROW(require_domain({.domain = "shop"}, "sqlite shop.db", "shop"));
    try {
        require_domain({.domain = "shop"}, "sqlite shop.db", "fulfillment");
        FAIL() << "two domains share a database";
    } catch (const store_error& e) {
        EXPECT_THAT(e.what(), AllOf(HasSubstr("sqlite shop.db belongs to domain shop"), HasSubstr("domain fulfillment"),
                                    HasSubstr("schema = \"fulfillment\"")));
    }
}

}  // namespace
}  // namespace sluice::store
