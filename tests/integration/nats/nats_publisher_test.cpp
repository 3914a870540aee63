// What JetStream refuses, calls a duplicate, or does not answer.

#include <limits>
#include <thread>

#include <sluice/error.hpp>

#include "integration/nats/nats_fixture.hpp"

namespace sluice::broker::nats_test {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

class nats_publisher_traps : public nats_test {};

const refused& refusal(const verdict& v) { return std::get<refused>(v); }

TEST_F(nats_publisher_traps, refuses_names_that_nats_cannot_carry_and_delivers_their_neighbours) {
    server_.make_stream({.name = "ORDERS", .subjects = {"shop.>"}});
    const auto broker = connect();
    const auto to = broker->open_publisher();
    const auto verdicts = publish(*to, {{"1", "k1", "shop::order"},
                                        {"2", "k2", "shop::or der"},
                                        {"3", "k3", "shop::order\r\nPUB x 0"},
                                        {"4", "k4", "shop::*"},
                                        {"5", "k5", "shop::>"},
                                        {"6", "k6", "shop..order"},
                                        {"7", "k7", "$JS.API.INFO"},
                                        {"8", "k8", "shop::"},
                                        {"9", "k9\r\nNats-Msg-Id: 1", "shop::order"},
                                        {"10", "k10 with spaces, dots. and *", "shop::order"},
                                        {"11\r\n", "k11", "shop::order"},
                                        {"12", "k12", "shop::order"}});
    for (const std::size_t good : {0U, 9U, 11U}) EXPECT_EQ(told(verdicts[good]), "delivered") << good;
    for (const std::size_t bad : {1U, 2U, 3U, 4U, 5U, 6U, 7U}) {
        EXPECT_EQ(refusal(verdicts[bad]).code, "bad_subject") << told(verdicts[bad]);
        EXPECT_TRUE(refusal(verdicts[bad]).permanent);
    }
    for (const std::size_t bad : {8U, 10U}) EXPECT_EQ(refusal(verdicts[bad]).code, "bad_header") << told(verdicts[bad]);
    EXPECT_THAT(ids(), ElementsAre("1", "10", "12"));
    EXPECT_EQ(server_.messages("ORDERS")[1].head.at("sluice-key"), "k10 with spaces, dots. and *");
}

// A stream is listed a moment before it takes messages.
TEST_F(nats_publisher_traps, delivers_to_a_stream_that_many_are_making_at_once) {
    const auto broker = connect({.create_stream = true});
    std::vector<std::jthread> publishers;
    for (int p = 0; p < 8; ++p) {
        publishers.emplace_back([&, p] {
            const auto to = broker->open_publisher();
            for (int s = 0; s < 20; ++s) {
                const auto stream = fmt::format("race::{}", s);
                EXPECT_THAT(told(publish(*to, {{fmt::format("{}-{}", p, s), "k", stream},
                                               {fmt::format("{}-{}b", p, s), "k2", stream}})),
                            Each("delivered"));
            }
        });
    }
}

TEST_F(nats_publisher_traps, tells_a_subject_without_a_stream_from_an_outage) {
    const auto broker = connect();
    const auto to = broker->open_publisher();
    const auto verdicts = publish(*to, {{"1"}, {"2"}, {"3", "other"}});
    EXPECT_EQ(refusal(verdicts[0]).code, "no_stream");
    EXPECT_THAT(refusal(verdicts[0]).reason, HasSubstr("shop.order"));
    EXPECT_TRUE(refusal(verdicts[0]).stream_closed) << "it costs no attempt";
    EXPECT_FALSE(refusal(verdicts[0]).permanent);
    EXPECT_THAT(told(verdicts[1]), StartsWith("unreachable"));

    make_orders();
    EXPECT_TRUE(delivers(*to, {{"1"}, {"2"}, {"3", "other"}}));
    server_.delete_stream("ORDERS");
    EXPECT_EQ(refusal(publish(*to, {{"4"}}).at(0)).code, "no_stream");

    server_.crash();
    server_.start_again_without_jetstream();
    ASSERT_TRUE(sluice::testing::eventually(
        [&] { return told(publish(*to, {{"4"}}, 1s)).at(0).find("JetStream") != std::string::npos; }));
    EXPECT_THAT(told(publish(*to, {{"4"}}, 1s)).at(0), StartsWith("unreachable"));
    EXPECT_THAT(to->probe(1s), HasSubstr("JetStream"));
}

TEST_F(nats_publisher_traps, makes_a_stream_when_it_is_told_to) {
    const auto broker = connect({.create_stream = true});
    const auto to = broker->open_publisher();
    EXPECT_THAT(told(publish(*to, many("m", 20))), Each("delivered"));
    EXPECT_THAT(server_.streams(), ElementsAre("shop_order"));
    EXPECT_THAT(broker->hazards(), IsEmpty()) << "what it makes loses nothing";
}

// The server tells that nobody takes a message only when nobody at all listens to its subject.
TEST_F(nats_publisher_traps, notices_that_no_stream_takes_a_subject_to_which_somebody_listens) {
    server_.listen_to("shop.order");
    const auto broker = connect();
    const auto to = broker->open_publisher();
    EXPECT_EQ(refusal(publish(*to, {{"1"}, {"x", "other"}}, 30s).at(0)).code, "no_stream");
    const auto maker = connect({.create_stream = true});
    EXPECT_THAT(told(publish(*maker->open_publisher(), {{"1"}, {"2"}, {"x", "other"}}, 30s)), Each("delivered"));
    EXPECT_THAT(server_.message_ids("shop_order"), SizeIs(3));
}

TEST_F(nats_publisher_traps, waits_for_room_in_a_full_stream) {
    make_orders({.max_msgs = 2, .discard_new = true});
    const auto broker = connect();
    const auto to = broker->open_publisher();
    const auto verdicts = publish(*to, {{"1"}, {"2"}, {"3"}, {"4"}});
    EXPECT_THAT(told(verdicts),
                ElementsAre("delivered", "delivered", AllOf(StartsWith("unreachable"), HasSubstr("10077")),
                            StartsWith("unreachable")));
    server_.purge_stream("ORDERS");
    EXPECT_TRUE(delivers(*to, {{"3"}, {"4"}}));
    EXPECT_THAT(ids(), ElementsAre("3", "4"));
}

TEST_F(nats_publisher_traps, lets_nothing_of_a_key_pass_a_message_that_the_server_refuses) {
    make_orders({.max_msg_size = 1000});
    const auto broker = connect();
    const auto to = broker->open_publisher();
    const auto verdicts = publish(*to, {{.id = "big", .key = "a", .body = std::string(2000, 'x')},
                                        {.id = "a2", .key = "a", .body = "{}"},
                                        {.id = "b1", .key = "b", .body = "{}"},
                                        {.id = "a3", .key = "a", .body = "{}"}});
    EXPECT_EQ(refusal(verdicts[0]).code, "message_too_big");
    EXPECT_TRUE(refusal(verdicts[0]).permanent);
    EXPECT_THAT(told(verdicts[1]), StartsWith("unreachable"));
    EXPECT_EQ(told(verdicts[2]), "delivered");
    EXPECT_THAT(told(verdicts[3]), StartsWith("unreachable"));
    EXPECT_THAT(ids(), ElementsAre("b1"));
}

TEST_F(nats_publisher_traps, counts_headers_towards_the_servers_limit) {
    make_orders();
    constexpr std::size_t server_limit = 1024 * 1024;
    const auto broker = connect({.max_message_bytes = 2 * server_limit});
    const auto to = broker->open_publisher();
    // NATS/1.0, Nats-Msg-Id: 1 and sluice-key: k, each with its line end, and an empty line
    const std::size_t head = std::string{"NATS/1.0\r\nNats-Msg-Id: 1\r\nsluice-key: k\r\n\r\n"}.size();
    const auto send = [&](std::size_t body) {
        return publish(*to, {{.id = "1", .key = "k", .body = std::string(body, 'x')}}).at(0);
    };
    EXPECT_EQ(refusal(send(server_limit - head + 1)).code, "message_too_big");
    EXPECT_EQ(told(send(server_limit - head)), "delivered");
}

TEST_F(nats_publisher_traps, refuses_another_stream_than_the_one_that_is_expected) {
    make_orders();
    const auto wrong = connect({.expect_stream = "INVOICES"});
    const auto verdict = publish(*wrong->open_publisher(), {{"1"}}).at(0);
    EXPECT_EQ(refusal(verdict).code, "nats_10060");
    EXPECT_TRUE(refusal(verdict).stream_closed);
    const auto right = connect({.expect_stream = "ORDERS"});
    EXPECT_TRUE(delivers(*right->open_publisher(), {{"1"}}));
    EXPECT_THAT(ids(), ElementsAre("1"));
}

// The server remembers ids of messages that are gone.
TEST_F(nats_publisher_traps, sends_again_what_the_server_calls_a_duplicate_and_does_not_have) {
    make_orders();
    const auto broker = connect();
    const auto to = broker->open_publisher();
    ASSERT_TRUE(delivers(*to, {{"1"}}));
    for (int again = 0; again < 3; ++again) {
        server_.purge_stream("ORDERS");
        ASSERT_TRUE(delivers(*to, {{"1"}, {"2"}}));
        const auto there = ids();
        ASSERT_THAT(there, SizeIs(2)) << "in round " << again;
        EXPECT_THAT(there[0], StartsWith("1"));
    }
    EXPECT_THAT(told(publish(*to, {{"1"}})), ElementsAre("delivered"));
    EXPECT_THAT(ids(), SizeIs(2)) << "a copy of the one that is there now";
}

TEST_F(nats_publisher_traps, publishes_into_a_stream_that_was_made_anew) {
    make_orders();
    const auto broker = connect();
    const auto to = broker->open_publisher();
    ASSERT_TRUE(delivers(*to, {{"1"}}));
    server_.delete_stream("ORDERS");
    make_orders();
    ASSERT_TRUE(delivers(*to, {{"1"}, {"2"}}));
    EXPECT_THAT(ids(), ElementsAre("1", "2"));
}

// What the server promises, and the documentation says: after the window a copy is another message.
TEST_F(nats_publisher_traps, has_a_copy_twice_that_comes_after_the_duplicate_window) {
    make_orders({.duplicate_window_ms = 200});
    const auto broker = connect();
    const auto to = broker->open_publisher();
    ASSERT_TRUE(delivers(*to, {{"1"}}));
    EXPECT_TRUE(sluice::testing::eventually([&] {
        EXPECT_TRUE(delivers(*to, {{"1"}}));
        return ids().size() == 2;
    }));
    EXPECT_THAT(broker->hazards(), Contains(::testing::Field(&hazard::code, "NATS_SHORT_DUPLICATE_WINDOW")));
}

TEST_F(nats_publisher_traps, knows_one_id_on_two_subjects_of_one_stream_as_two_messages) {
    server_.make_stream({.name = "ORDERS", .subjects = {"shop.>"}});
    const auto broker = connect();
    const auto to = broker->open_publisher();
    ASSERT_TRUE(
        delivers(*to, {{.id = "1", .stream = "shop::order"}, {.id = "1", .key = "x", .stream = "shop::parcel"}}));
    ASSERT_TRUE(
        delivers(*to, {{.id = "1", .stream = "shop::order"}, {.id = "1", .key = "x", .stream = "shop::parcel"}}));
    EXPECT_THAT(server_.messages("ORDERS"), SizeIs(2));
}

TEST_F(nats_publisher_traps, warns_of_what_can_lose_confirmed_messages) {
    const auto codes = [&] {
        strings found;
        for (const auto& each : connect()->hazards()) found.push_back(each.code);
        std::ranges::sort(found);
        return found;
    };
    server_.make_stream({.name = "A", .subjects = {"a"}, .max_msgs = 2});
    EXPECT_THAT(codes(), ElementsAre("NATS_DISCARDS_OLD"));
    server_.make_stream({.name = "B", .subjects = {"b"}, .by_interest = true});
    server_.make_stream({.name = "C", .subjects = {"c"}, .max_age_s = 3600, .in_memory = true});
    server_.make_stream({.name = "D", .subjects = {"d"}, .max_msgs = 5, .discard_new = true});
    EXPECT_THAT(codes(), ElementsAre("NATS_DISCARDS_OLD", "NATS_IN_MEMORY", "NATS_KEEPS_BY_INTEREST", "NATS_MAX_AGE"));
    EXPECT_THAT(connect({.expect_stream = "D"})->hazards(), IsEmpty());
    server_.stop();
    EXPECT_THROW(static_cast<void>(connect({.answer_timeout = 500ms})->hazards()), broker_error);
}

TEST_F(nats_publisher_traps, writes_what_belongs_to_a_message_into_headers) {
    make_orders();
    const std::vector<envelope::header> head{{.name = "traceparent", .value = "00-1-2-01"},
                                             {.name = "type", .value = "Shop.X.v1"}};
    const outgoing message{.stream = "shop::order",
                           .message_id = "1",
                           .key = "shop::order-7",
                           .body = "{}",
                           .head = head,
                           .content_type = "application/json"};
    const auto broker = connect();
    ASSERT_EQ(told(broker->open_publisher()->publish({&message, 1}, {}, 30s)).at(0), "delivered");
    const auto stored = server_.messages("ORDERS").at(0);
    EXPECT_EQ(stored.subject, "shop.order");
    EXPECT_THAT(stored.head, ElementsAre(std::pair{"Nats-Msg-Id", "1"}, std::pair{"content-type", "application/json"},
                                         std::pair{"sluice-key", "shop::order-7"},
                                         std::pair{"traceparent", "00-1-2-01"}, std::pair{"type", "Shop.X.v1"}));

    const auto reader = broker->open_reader({"shop::order"}, {.group = "g", .consumer = "c"});
    const auto got = reader->read(0, 10, {});
    ASSERT_THAT(got, SizeIs(1));
    EXPECT_EQ(got[0].key, "shop::order-7");
    EXPECT_EQ(got[0].content_type, "application/json");
    EXPECT_THAT(got[0].head, ::testing::UnorderedElementsAreArray(head));
}

}  // namespace
}  // namespace sluice::broker::nats_test
