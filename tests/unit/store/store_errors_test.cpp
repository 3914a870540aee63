#include <gtest/gtest.h>

#include "base/failure_cause.hpp"
#include "store/read_models.hpp"
#include "store/unit_session.hpp"

namespace {

namespace base = sluice::base;
namespace store = sluice::store;

template <class Error>
class store_errors : public ::testing::Test {};
using errors =
    ::testing::Types<store::duplicate_message, store::duplicate_outcome, store::lease_lost, store::rebuild_superseded>;
TYPED_TEST_SUITE(store_errors, errors);

TYPED_TEST(store_errors, are_below_the_one_root_and_come_again_when_the_call_is_repeated) {
    const TypeParam thrown{"somebody was faster"};
    const sluice::error& seen = thrown;
    EXPECT_EQ(seen.nature(), sluice::error_nature::permanent);
    EXPECT_EQ(base::cause_of(seen), base::failure_cause::message);
    EXPECT_STRNE(seen.code(), "error");
}

}  // namespace
