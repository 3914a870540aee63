// Reading: queues that vanish, differ or belong to somebody else, connections that break, and what comes again.

#include <ctime>

#include <sluice/error.hpp>

#include "integration/rabbitmq/rabbitmq_fixture.hpp"

#include "support/tcp_gate.hpp"

namespace sluice::broker::rabbitmq_test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class rabbitmq_queues : public rabbitmq_test {
protected:
    void send(const strings& ids) {
        std::vector<note> notes;
        for (const auto& each : ids) notes.push_back({.id = each});
        for (const auto& each : publish(*broker_->open_publisher(), notes)) ASSERT_EQ(told(each), "delivered");
    }
    /// What the next read fails with.
    static std::string trouble_of(reader& with) {
        try {
            static_cast<void>(with.read(0, 1, {}));
            return {};
        } catch (const broker_error& trouble) {
            EXPECT_TRUE(trouble.retryable());
            return trouble.what();
        }
    }
};

TEST_F(rabbitmq_queues, that_are_deleted_end_a_reader_with_a_word_and_are_made_again) {
    const auto mine = group("mine");
    const auto reader = broker_->open_reader({"shop::order"}, {.group = mine, .consumer = {}});
    ASSERT_EQ(trouble_of(*reader), "");
    delete_queue(mine + ".shop.order");
    base::wake_signal nobody;
    EXPECT_TRUE(sluice::testing::eventually([&] {
        static_cast<void>(reader->wait(nobody, milliseconds{20}));
        static_cast<void>(trouble_of(*reader));
        return node_.ctl({"list_queues", "name"}).find(mine + ".shop.order") != std::string::npos;
    })) << "it would wait for ever";
    send({"after"});
    EXPECT_THAT(read_some(*reader, 1), ElementsAre("after"));
}

TEST_F(rabbitmq_queues, of_another_kind_are_told_with_both_values) {
    const auto mine = group("classic");
    make_queue(mine + ".shop.order", "shop.order");
    const auto reader = broker_->open_reader({"shop::order"}, {.group = mine, .consumer = {}});
    EXPECT_THAT(trouble_of(*reader),
                AllOf(HasSubstr("inequivalent arg"), HasSubstr("but current is"), HasSubstr("declare = false")));
    auto as_it_is = options();
    as_it_is.declare = false;
    const auto other = make_rabbitmq_broker(as_it_is);
    EXPECT_EQ(trouble_of(*other->open_reader({"shop::order"}, {.group = mine, .consumer = {}})), "");
}

TEST_F(rabbitmq_queues, that_are_missing_are_named_with_what_they_must_be) {
    auto given = options();
    given.declare = false;
    const auto other = make_rabbitmq_broker(given);
    EXPECT_THAT(trouble_of(*other->open_reader({"shop::order"}, {.group = "nobody", .consumer = {}})),
                AllOf(HasSubstr("nobody.shop.order"), HasSubstr("x-single-active-consumer"), HasSubstr("shop.order")));
}

TEST_F(rabbitmq_queues, of_a_former_name_of_the_group_are_not_left_behind) {
    const auto old = group("old");
    static_cast<void>(broker_->open_reader({"shop::order"}, {.group = old, .consumer = {}})->read(0, 0, {}));
    send({"m1"});
    const auto renamed =
        broker_->open_reader({"shop::order"}, {.group = group("new"), .consumer = {}, .former_group = old});
    EXPECT_THAT(trouble_of(*renamed), AllOf(HasSubstr(old), HasSubstr("shovel")));
    delete_queue(old + ".shop.order");
    EXPECT_EQ(trouble_of(*renamed), "");
}

TEST_F(rabbitmq_queues, give_again_in_order_what_was_read_over_a_connection_that_broke) {
    sluice::testing::tcp_gate gate{node_.port()};
    auto through = options();
    through.uri = node_.uri_through(gate.port());
    const auto other = make_rabbitmq_broker(through);
    const auto reader = other->open_reader({"shop::order"}, {.group = group("cut"), .consumer = {}});
    ASSERT_EQ(trouble_of(*reader), "");
    send({"m0", "m1", "m2", "m3", "m4"});
    base::wake_signal nobody;
    std::vector<delivery> held;
    ASSERT_TRUE(sluice::testing::eventually([&] {
        static_cast<void>(reader->wait(nobody, milliseconds{20}));
        for (auto& each : reader->read(0, 3, {})) held.push_back(std::move(each));
        return held.size() >= 3;
    }));
    gate.refuse(true);
    ASSERT_TRUE(sluice::testing::eventually([&] { return !trouble_of(*reader).empty(); }));
    gate.open();
    // What is said of the old copies passes, and closes no channel of the new connection.
    strings entries;
    for (const auto& each : held) entries.push_back(each.entry);
    reader->ack(0, entries);
    ASSERT_TRUE(sluice::testing::eventually([&] { return trouble_of(*reader).empty(); }));
    reader->ack(0, entries);
    reader->release();
    EXPECT_THAT(read_some(*reader, 5), ElementsAre("m0", "m1", "m2", "m3", "m4"));
    EXPECT_THAT(read_some(*reader, 1, milliseconds{300}), ElementsAre()) << "nothing is left";
}

TEST_F(rabbitmq_queues, tell_how_many_wait_in_those_that_this_process_reads) {
    const auto mine = group("depth");
    const auto reader = broker_->open_reader({"shop::order"}, {.group = mine, .consumer = {}, .domain = "shop"});
    ASSERT_EQ(trouble_of(*reader), "");
    reader->release();
    send({"m0", "m1", "m2"});
    const auto operations = broker_->open_operations();
    const auto lag = [&] {
        for (const auto& each : operations->groups()) {
            if (each.group == mine) return each.lag;
        }
        return std::int64_t{-1};
    };
    EXPECT_TRUE(sluice::testing::eventually([&] { return lag() == 3; })) << lag();
    EXPECT_EQ(operations->retire_group("shop::order", mine), 1U);
    EXPECT_EQ(lag(), -1);
    EXPECT_EQ(operations->retire_group("shop::order", mine), 0U);
}

TEST_F(rabbitmq_queues, are_waited_for_without_a_busy_thread_where_no_heartbeat_is_wanted) {
    auto silent = options();
    silent.heartbeat_seconds = 0;
    const auto other = make_rabbitmq_broker(silent);
    const auto reader = other->open_reader({"shop::order"}, {.group = group("silent"), .consumer = {}});
    ASSERT_EQ(trouble_of(*reader), "");
    base::wake_signal nobody;
    const auto before = std::clock();
    EXPECT_EQ(reader->wait(nobody, milliseconds{500}), base::wake_reason::timed_out);
    EXPECT_LT(std::clock() - before, CLOCKS_PER_SEC / 5);
    send({"m0"});
    EXPECT_EQ(reader->wait(nobody, sluice::testing::long_enough), base::wake_reason::file_changed);
}

TEST_F(rabbitmq_queues, keep_no_more_in_a_reader_than_its_prefetch) {
    auto few = options();
    few.prefetch = 10;
    const auto other = make_rabbitmq_broker(few);
    const auto mine = group("few");
    const auto reader = other->open_reader({"shop::order"}, {.group = mine, .consumer = {}});
    ASSERT_EQ(trouble_of(*reader), "");
    strings ids;
    for (int i = 0; i < 100; ++i) ids.push_back(fmt::format("m{}", i));
    send(ids);
    EXPECT_EQ(read_some(*reader, 100, milliseconds{500}, false).size(), 10U);
}

}  // namespace
}  // namespace sluice::broker::rabbitmq_test
