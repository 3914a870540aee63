#include "sqlite/library_version.hpp"

#include <gtest/gtest.h>

namespace sluice::sqlite {
namespace {

TEST(library_version, has_the_wal_reset_fault_or_the_fix) {
    for (const int faulty : {3'007'000, 3'040'001, 3'044'005, 3'046'001, 3'050'006, 3'051'000, 3'051'002}) {
        EXPECT_TRUE(has_wal_reset_fault(faulty)) << faulty;
    }
    for (const int sound : {3'006'000, 3'044'006, 3'050'007, 3'051'003, 3'052'000, 3'053'001}) {
        EXPECT_FALSE(has_wal_reset_fault(sound)) << sound;
    }
}

}  // namespace
}  // namespace sluice::sqlite
