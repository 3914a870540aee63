// Members of a group: one reads, and another takes over when its process dies, or is frozen for two heartbeats.

#include <csignal>

#include <sys/wait.h>
#include <unistd.h>

#include "integration/rabbitmq/rabbitmq_fixture.hpp"
#include "support/freeze.hpp"

namespace sluice::broker::rabbitmq_test {
namespace {

using ::testing::ElementsAre;

class rabbitmq_standby : public rabbitmq_test {
protected:
    ~rabbitmq_standby() override {
        if (child_ <= 0) return;
        ::kill(child_, SIGKILL);
        ::waitpid(child_, nullptr, 0);
    }
    /// A process that reads two messages, and holds them.
    void start_reader(const std::string& group) {
        std::array<int, 2> ends{};
        ASSERT_EQ(::pipe(ends.data()), 0);
        auto quick = options();
        quick.heartbeat_seconds = 1;
        quick.prefetch = 2;  // the others are there for whoever may have them
        child_ = ::fork();
        if (child_ == 0) {
            const auto other = make_rabbitmq_broker(quick);
            const auto reader = other->open_reader({"shop::order"}, {.group = group, .consumer = {}});
            const auto got = read_some(*reader, 2, seconds{20}, false);
            if (got.size() == 2) static_cast<void>(!::write(ends[1], "r", 1));
            ::pause();
            ::_exit(0);
        }
        ::close(ends[1]);
        char heard = 0;
        ASSERT_EQ(::read(ends[0], &heard, 1), 1);
        ::close(ends[0]);
    }
    /// How long a consumer may hold a message, and how often the node looks; in milliseconds.
    void patience_of_node(int consumer_timeout, int interval) const {
        node_.ctl({"eval", fmt::format("application:set_env(rabbit, consumer_timeout, {}), application:set_env(rabbit, "
                                       "channel_tick_interval, {}).",
                                       consumer_timeout, interval)});
    }
    void send(int count) {
        std::vector<note> notes;
        for (int i = 0; i < count; ++i) notes.push_back({.id = fmt::format("m{}", i)});
        for (const auto& each : publish(*broker_->open_publisher(), notes)) ASSERT_EQ(told(each), "delivered");
    }
    pid_t child_ = -1;
};

TEST_F(rabbitmq_standby, takes_over_from_a_killed_reader_with_what_it_held_in_order) {
    const auto mine = group("standby");
    static_cast<void>(broker_->open_reader({"shop::order"}, {.group = mine, .consumer = {}})->read(0, 0, {}));
    send(5);
    start_reader(mine);
    const auto standby = broker_->open_reader({"shop::order"}, {.group = mine, .consumer = {}});
    EXPECT_THAT(read_some(*standby, 1, milliseconds{500}), ElementsAre()) << "the first one reads";
    ::kill(child_, SIGKILL);
    EXPECT_THAT(read_some(*standby, 5), ElementsAre("m0", "m1", "m2", "m3", "m4"));
}

TEST_F(rabbitmq_standby, takes_over_from_a_frozen_reader_after_two_heartbeats) {
    const auto mine = group("standby");
    static_cast<void>(broker_->open_reader({"shop::order"}, {.group = mine, .consumer = {}})->read(0, 0, {}));
    send(5);
    start_reader(mine);
    const auto standby = broker_->open_reader({"shop::order"}, {.group = mine, .consumer = {}});
    // It beats by itself for as long as its process runs, whatever it does with the messages.
    EXPECT_THAT(read_some(*standby, 1, seconds{4}), ElementsAre());
    sluice::testing::freeze_process(child_);
    EXPECT_THAT(read_some(*standby, 5, seconds{20}), ElementsAre("m0", "m1", "m2", "m3", "m4"));
}

TEST_F(rabbitmq_standby, comes_again_to_a_reader_whose_time_for_a_message_is_over) {
    patience_of_node(1'000, 500);
    const auto mine = group("slow");
    const auto slow = broker_->open_reader({"shop::order"}, {.group = mine, .consumer = {}});
    static_cast<void>(slow->read(0, 0, {}));
    send(2);
    ASSERT_THAT(read_some(*slow, 2, seconds{10}, false), ElementsAre("m0", "m1"));
    std::string said;
    EXPECT_TRUE(sluice::testing::eventually([&] {
        try {
            static_cast<void>(slow->read(0, 0, {}));
            return false;
        } catch (const broker_error& trouble) {
            said = trouble.what();
            return true;
        }
    }));
    patience_of_node(1'800'000, 60'000);
    EXPECT_THAT(said, ::testing::HasSubstr("PRECONDITION_FAILED"));
    EXPECT_THAT(read_some(*slow, 2), ElementsAre("m0", "m1"));
}

}  // namespace
}  // namespace sluice::broker::rabbitmq_test
