#include <thread>

#include "integration/kafka/kafka_fixture.hpp"

namespace sluice::broker::kafka {
namespace {

using ::testing::ElementsAreArray;
using ::testing::HasSubstr;

/// A server that may be frozen and killed.
class kafka_outage_test : public ::testing::Test {
protected:
    /// As a lane does: hands the rest in again until all is delivered, in order.
    bool deliver_all(publisher& to, const std::vector<letter>& all, duration each, std::chrono::seconds within,
                     const producer& from = {}) {
        std::size_t next = 0;
        return eventually(
            [&] {
                const std::vector<letter> rest{all.begin() + static_cast<std::ptrdiff_t>(next), all.end()};
                for (const auto& v : send(to, rest, each, from)) {
                    if (!std::holds_alternative<delivered>(v)) break;
                    ++next;
                }
                return next == all.size();
            },
            within);
    }

    sluice::testing::temporary_directory directory_;
    kafka_server server_ = kafka_server::own(directory_ / "kafka");
    kafka_options options_ = options_for(server_);
};

// Traps G1, K4 and K5: to give up is not to recall.
TEST_F(kafka_outage_test, keeps_the_order_over_a_server_that_freezes) {
    const auto broker = make_kafka_broker(options_);
    const auto to = broker->open_publisher();
    ASSERT_EQ(count_of<delivered>(send(*to, letters("a", 0, 1))), 1U);
    server_.freeze();
    const auto batch = letters("a", 1, 3);
    for (int i = 0; i < 3; ++i) {
        const auto begin = std::chrono::steady_clock::now();
        EXPECT_EQ(count_of<unreachable>(send(*to, batch, seconds{3})), 3U);
        EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds{30});
    }
    server_.thaw();
    EXPECT_TRUE(deliver_all(*to, letters("a", 1, 5), seconds{3}, seconds{60}));
    const auto found = log_of(server_, options_.prefix + "shop.order");
    EXPECT_FALSE(is_inverted(found)) << ::testing::PrintToString(found);
    EXPECT_THAT(first_ones(found), ElementsAreArray({"a0", "a1", "a2", "a3", "a4", "a5"}));
    RecordProperty("copies", static_cast<int>(found.size() - 6));
}

// What was aborted and what came twice is not visible.
TEST_F(kafka_outage_test, shows_each_message_once_and_in_order_over_a_server_that_freezes_in_a_transaction) {
    options_.transactional = true;
    const auto broker = make_kafka_broker(options_);
    const auto to = broker->open_publisher();
    const producer lane{.name = "shop-db/partner", .epoch = 1};
    ASSERT_EQ(count_of<delivered>(send(*to, letters("a", 0, 1), seconds{30}, lane)), 1U);
    server_.freeze();
    for (int i = 0; i < 2; ++i) EXPECT_EQ(count_of<unreachable>(send(*to, letters("a", 1, 3), seconds{3}, lane)), 3U);
    server_.thaw();
    EXPECT_TRUE(deliver_all(*to, letters("a", 1, 5), seconds{3}, seconds{60}, lane));
    EXPECT_THAT(log_of(server_, options_.prefix + "shop.order", "read_committed"),
                ElementsAreArray({"a0", "a1", "a2", "a3", "a4", "a5"}));
}

TEST_F(kafka_outage_test, keeps_what_was_confirmed_and_the_order_over_kills) {
    const auto broker = make_kafka_broker(options_);
    const auto to = broker->open_publisher();
    ASSERT_EQ(count_of<delivered>(send(*to, letters("a", 0, 1))), 1U);
    std::atomic<bool> done = false;
    std::jthread killer{[&] {
        for (int i = 0; i < 2 && !done; ++i) {
            std::this_thread::sleep_for(milliseconds{400});
            server_.kill_hard();
            server_.start_again();
        }
    }};
    const auto all = letters("a", 1, 400);
    EXPECT_TRUE(deliver_all(*to, all, seconds{3}, seconds{90}));
    done = true;
    killer.join();
    const auto found = log_of(server_, options_.prefix + "shop.order");
    EXPECT_FALSE(is_inverted(found)) << ::testing::PrintToString(found);
    EXPECT_EQ(first_ones(found).size(), 401U) << "nothing is lost";
    RecordProperty("copies", static_cast<int>(found.size() - 401));
}

// Trap K10: nobody waits for a server that is frozen.
TEST_F(kafka_outage_test, ends_in_time_while_the_server_is_frozen) {
    const auto broker = make_kafka_broker(options_);
    auto to = broker->open_publisher();
    ASSERT_EQ(count_of<delivered>(send(*to, letters("a", 0, 1))), 1U);
    auto from = broker->open_reader({"shop::order"}, {.group = "g", .consumer = "c"});
    ASSERT_EQ(read_all(*from, 1).size(), 1U);
    server_.freeze();
    std::jthread hurrier{[&] {
        std::this_thread::sleep_for(milliseconds{300});
        to->hurry(milliseconds{100});
    }};
    auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(count_of<unreachable>(send(*to, letters("a", 1, 3), seconds{120})), 3U);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds{60}) << "hurry";
    begin = std::chrono::steady_clock::now();
    to.reset();
    EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds{30}) << "publisher";
    begin = std::chrono::steady_clock::now();
    from.reset();
    EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds{60}) << "reader";
    server_.thaw();
}

TEST_F(kafka_outage_test, probes_and_comes_back_by_itself) {
    const auto broker = make_kafka_broker(options_);
    const auto to = broker->open_publisher();
    ASSERT_EQ(count_of<delivered>(send(*to, letters("a", 0, 1))), 1U);
    server_.stop();
    EXPECT_NE(to->probe(seconds{1}), "");
    EXPECT_EQ(count_of<unreachable>(send(*to, letters("a", 1, 1), seconds{1})), 1U);
    server_.start_again();
    EXPECT_TRUE(eventually([&] { return to->probe(seconds{1}).empty(); }));
    EXPECT_TRUE(deliver_all(*to, letters("a", 1, 1), seconds{3}, seconds{20}));
}

}  // namespace
}  // namespace sluice::broker::kafka
