#include "broker/nats/group_consumer.hpp"

#include <gmock/gmock.h>

namespace sluice::broker::nats {
namespace {

TEST(nats_delivery_mark, reads_the_subjects_of_older_and_newer_servers) {
    const std::string older = "$JS.ACK.ORDERS.g=40s.1.17.3.1780000000000000000.0";
    ASSERT_TRUE(delivery_mark::parse(older));
    EXPECT_EQ(delivery_mark::parse(older)->sequence, 17U);
    EXPECT_EQ(delivery_mark::parse(older)->consumer, "g=40s");
    const std::string newer = "$JS.ACK._.ACCOUNT.ORDERS.g=40s.1.18.3.1780000000000000000.0.token";
    ASSERT_TRUE(delivery_mark::parse(newer));
    EXPECT_EQ(delivery_mark::parse(newer)->sequence, 18U);
    EXPECT_EQ(delivery_mark::parse(newer)->consumer, "g=40s");
}

TEST(nats_delivery_mark, is_none_of_any_other_text) {
    for (const auto* text : {"", "$JS.ACK.", "$JS.ACK.S.C.1.x.3.4.5", "$JS.ACK.S.C.1.-1.3.4.5", "_INBOX.a.b",
                             "$JS.ACK.S.C.1.2.3", "$JS.ACK.S.C.1.99999999999999999999.3.4.5"}) {
        EXPECT_FALSE(delivery_mark::parse(text)) << text;
    }
}

}  // namespace
}  // namespace sluice::broker::nats
