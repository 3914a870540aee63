#include "broker/webhook/message_id.hpp"

#include <gmock/gmock.h>

#include <set>
#include <vector>

namespace sluice::broker::webhook {
namespace {

TEST(webhook_id, has_no_dot_and_stays_readable) {
    EXPECT_EQ(webhook_id("shop::order-o-1-0.1"), "shop::order-o-1-0_2E1");
    EXPECT_EQ(webhook_id("msg_1"), "msg_5F1");
    EXPECT_EQ(webhook_id(""), "");
}

TEST(webhook_id, is_one_line_of_visible_characters_whatever_the_id_holds) {
    EXPECT_EQ(webhook_id("a\r\nb \"\xC3\xA9"), "a_0D_0Ab_20_22_C3_A9");
}

TEST(webhook_id, keeps_apart_what_differs) {
    const std::vector<std::string> ids{"a.b", "a_b", "a_2Eb", "a_5F2Eb", "a-b", "a..b", "a._b", "a_.b", "a__b", "a2Eb"};
    std::set<std::string> mapped;
    for (const auto& each : ids) mapped.insert(webhook_id(each));
    EXPECT_EQ(mapped.size(), ids.size());
}

}  // namespace
}  // namespace sluice::broker::webhook
