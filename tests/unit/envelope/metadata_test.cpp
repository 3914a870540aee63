#include <gtest/gtest.h>

#include <sluice/metadata.hpp>

namespace sluice {
namespace {

constexpr auto sampled_text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

TEST(trace_parent, reads_and_writes_the_w3c_form) {
    const auto parent = trace_parent::from_w3c(sampled_text);
    ASSERT_TRUE(parent);
    EXPECT_EQ(parent->trace_id, "0af7651916cd43dd8448eb211c80319c");
    EXPECT_EQ(parent->parent_id, "b7ad6b7169203331");
    EXPECT_TRUE(parent->sampled);
    EXPECT_EQ(parent->to_w3c(), sampled_text);
}

TEST(trace_parent, takes_only_the_lowest_flag_for_sampled) {
    EXPECT_FALSE(trace_parent::from_w3c("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00")->sampled);
    EXPECT_TRUE(trace_parent::from_w3c("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03")->sampled);
    EXPECT_FALSE(trace_parent::from_w3c("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0e")->sampled);
}

TEST(trace_parent, refuses_what_is_not_of_that_form) {
    for (const auto* text : {"", "00", "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                             "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
                             "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0g",
                             "00-00000000000000000000000000000000-b7ad6b7169203331-01",
                             "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
                             "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                             "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-011"}) {
        EXPECT_FALSE(trace_parent::from_w3c(text)) << text;
    }
}

}  // namespace
}  // namespace sluice
