#include "broker/kafka/entry_name.hpp"

#include <gtest/gtest.h>

namespace sluice::broker::kafka {
namespace {

TEST(entry_name, is_partition_and_offset) {
    const auto name = entry_name::parse("3:1042");
    ASSERT_TRUE(name);
    EXPECT_EQ(name->partition, 3);
    EXPECT_EQ(name->offset, 1042);
    EXPECT_EQ(name->text(), "3:1042");
    for (const char* text : {"", ":", "3", "3:", ":1", "3:x", "3:1 ", "1 0", "-1:2", "1:-2", "99999999999:1"}) {
        EXPECT_FALSE(entry_name::parse(text)) << text;
    }
}

}  // namespace
}  // namespace sluice::broker::kafka
