#include "store/kept_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/utf8.hpp"

namespace sluice::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(kept_text, leaves_texts_as_they_are) {
    EXPECT_EQ(to_kept_text("shop::order-o-1 ü"), "shop::order-o-1 ü");
    EXPECT_EQ(from_kept_text("shop::order-o-1 ü"), "shop::order-o-1 ü");
}

TEST(kept_text, keeps_any_bytes_in_a_text_that_every_store_takes) {
    for (const std::string& bytes :
         {std::string{"\xff\x00 k", 4}, std::string{"\0", 1}, std::string{"\\x41"}, std::string{}}) {
        const std::string text = to_kept_text(bytes);
        EXPECT_TRUE(base::is_storable(text)) << text;
        EXPECT_EQ(from_kept_text(text), bytes) << text;
    }
    EXPECT_NE(to_kept_text("\xff"), to_kept_text("\\xff")) << "two keys stay two";
}

TEST(kept_text, keeps_headers_in_their_order) {
    const envelope::header_list head{{"traceparent", "00-1"}, {"", ""}, {"x", "a:1,\xfe"}, {"x", "again"}};
    EXPECT_EQ(headers_from_kept_text(to_kept_text(head)), head);
    EXPECT_EQ(to_kept_text(envelope::header_list{{"a", "bc"}}), "1:a,2:bc,");
}

TEST(kept_text, leaves_out_what_is_damaged) {
    const envelope::header_list first{{"a", "b"}};
    for (const char* text :
         {"1:a,1:b,9:c,", "1:a,1:b,1:c", "1:a,1:b,1:c,", "1:a,1:b,x", "1:a,1:b,99999999999999999999:"}) {
        EXPECT_EQ(headers_from_kept_text(text), first) << text;
    }
    EXPECT_THAT(headers_from_kept_text(""), IsEmpty());
}

}  // namespace
}  // namespace sluice::store
