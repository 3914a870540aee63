#include "broker/nats/mailbox.hpp"

#include <gmock/gmock.h>
#include <poll.h>

namespace sluice::broker::nats {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

bool is_readable(const mailbox& which) {
    pollfd source{.fd = which.fd(), .events = POLLIN, .revents = 0};
    return ::poll(&source, 1, 0) == 1;
}

TEST(nats_mailbox, keeps_the_order_and_wakes_once_for_all) {
    mailbox box;
    EXPECT_FALSE(is_readable(box));
    box.put({.token = "1"});
    box.put({.token = "2"});
    EXPECT_TRUE(is_readable(box));
    const auto got = box.take();
    ASSERT_THAT(got, SizeIs(2));
    EXPECT_EQ(got[0].token, "1");
    EXPECT_FALSE(is_readable(box));
    EXPECT_THAT(box.take(), IsEmpty());
}

TEST(nats_mailbox, wakes_for_several_when_it_is_told_so) {
    mailbox box;
    box.wake_at(2);
    box.put({.token = "1"});
    EXPECT_FALSE(is_readable(box));
    box.put({.token = "2"});
    EXPECT_TRUE(is_readable(box));
    EXPECT_THAT(box.take(), SizeIs(2));
    box.put({.token = "3"});
    EXPECT_TRUE(is_readable(box)) << "that was for one time";
    box.wake_at(2);
    EXPECT_FALSE(is_readable(box));
    box.wake_at(1);
    EXPECT_TRUE(is_readable(box)) << "it is there";
    box.wake_at(5);
    box.close("over");
    EXPECT_TRUE(is_readable(box));
}

TEST(nats_mailbox, stays_readable_once_it_is_closed_and_gives_what_came_before) {
    mailbox box;
    box.put({.token = "1"});
    EXPECT_FALSE(box.closed());
    box.close("the first reason");
    box.close("another");
    EXPECT_EQ(box.closed(), "the first reason");
    EXPECT_THAT(box.take(), SizeIs(1));
    EXPECT_TRUE(is_readable(box));
    EXPECT_THAT(box.take(), IsEmpty());
}

}  // namespace
}  // namespace sluice::broker::nats
