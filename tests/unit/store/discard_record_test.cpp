#include "store/discard_record.hpp"

#include <gtest/gtest.h>

namespace sluice::store {
namespace {

TEST(discard_record, says_why_and_when) {
    EXPECT_EQ(discard_record("broker \"old\" retired", date_time::parse("2026-11-23T07:56:25.613701Z")),
              R"({"reason":"discarded","message":"broker \"old\" retired","at":"2026-11-23T07:56:25.613701+00:00"})");
}

}  // namespace
}  // namespace sluice::store
