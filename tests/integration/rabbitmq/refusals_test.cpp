// What the node says of single messages, of all of them, and of the account.

#include <array>

#include "integration/rabbitmq/rabbitmq_fixture.hpp"
#include "support/tcp_gate.hpp"

namespace sluice::broker::rabbitmq_test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

class rabbitmq_refusals : public rabbitmq_test {
protected:
    std::unique_ptr<publisher> to_ = broker_->open_publisher();
};

TEST_F(rabbitmq_refusals, are_of_each_message_that_no_queue_takes_although_the_node_confirms_it) {
    std::vector<note> notes;
    for (int i = 0; i < 40; ++i) {
        notes.push_back({.id = fmt::format("m{}", i),
                         .key = fmt::format("k{}", i),
                         .stream = i % 4 == 3 ? "shop::unbound" : "shop::order"});
    }
    const auto verdicts = publish(*to_, notes);
    for (std::size_t i = 0; i < verdicts.size(); ++i) {
        if (i % 4 != 3) {
            EXPECT_EQ(told(verdicts[i]), "delivered") << i;
            continue;
        }
        const auto& no = std::get<refused>(verdicts[i]);
        EXPECT_EQ(no.code, "NO_ROUTE");
        EXPECT_TRUE(no.stream_closed) << "others are open";
        EXPECT_FALSE(no.permanent);
    }
    EXPECT_EQ(everything(30).size(), 30U);
}

TEST_F(rabbitmq_refusals, stop_what_follows_of_the_key) {
    const auto verdicts = publish(*to_, {{.id = "a", .key = "k", .stream = "shop::unbound"}, {.id = "b", .key = "k"}});
    EXPECT_THAT(told(verdicts), ElementsAre(StartsWith("refused: NO_ROUTE"), StartsWith("unreachable: held back")));
    EXPECT_THAT(told(publish(*to_, {{.id = "b", .key = "k"}})), ElementsAre("delivered"));
    EXPECT_THAT(everything(1), ElementsAre("b"));
}

TEST_F(rabbitmq_refusals, find_the_one_message_that_closes_the_channel_of_all) {
    node_.ctl({"eval", "application:set_env(rabbit, max_message_size, 1000)."});
    std::vector<note> notes;
    for (int i = 0; i < 20; ++i) notes.push_back({.id = fmt::format("m{}", i), .key = fmt::format("k{}", i)});
    notes[7].body = std::string(5'000, 'x');
    const auto verdicts = publish(*broker_->open_publisher(), notes);
    node_.ctl({"eval", "application:set_env(rabbit, max_message_size, 134217728)."});
    for (std::size_t i = 0; i < verdicts.size(); ++i) {
        if (i != 7) {
            EXPECT_EQ(told(verdicts[i]), "delivered") << i;
        } else {
            EXPECT_EQ(std::get<refused>(verdicts[i]).code, "message_too_big") << told(verdicts[i]);
        }
    }
    auto got = everything(19);
    std::ranges::sort(got);
    got.erase(std::unique(got.begin(), got.end()), got.end());
    EXPECT_EQ(got.size(), 19U) << "none is lost; those in doubt may be there twice";
}

TEST_F(rabbitmq_refusals, are_none_when_the_exchange_vanishes) {
    EXPECT_THAT(told(publish(*to_, {{.id = "a"}})), ElementsAre("delivered"));
    delete_exchange();
    std::vector<note> notes;
    for (int i = 0; i < 10; ++i) notes.push_back({.id = fmt::format("m{}", i), .key = fmt::format("k{}", i)});
    for (const auto& each : publish(*to_, notes)) {
        EXPECT_THAT(told(each), AllOf(StartsWith("unreachable"), HasSubstr("NOT_FOUND - no exchange")));
    }
    // It is made again, and bound by whoever reads.
    audit_->release();
    static_cast<void>(audit_->read(0, 0, {}));
    for (const auto& each : publish(*to_, notes)) EXPECT_EQ(told(each), "delivered");
}

TEST_F(rabbitmq_refusals, name_an_exchange_that_is_not_there) {
    auto missing = options();
    missing.exchange = "nowhere";
    missing.declare = false;
    const auto to = make_rabbitmq_broker(missing)->open_publisher();
    EXPECT_THAT(told(publish(*to, {{.id = "a"}})),
                ElementsAre(AllOf(StartsWith("unreachable"), HasSubstr("nowhere"), HasSubstr("set declare = true"))));
    EXPECT_THAT(to->probe(seconds{5}), HasSubstr("nowhere"));
}

TEST_F(rabbitmq_refusals, of_headers_that_are_too_large_touch_no_other_message) {
    const auto verdicts = publish(*to_, {{.id = "a", .key = "k1"},
                                         {.id = "b", .key = "k2", .head = {{"large", std::string(150'000, 'h')}}},
                                         {.id = "c", .key = "k3"},
                                         {.id = std::string(256, 'd'), .key = "k4"},
                                         {.id = "e", .key = "k5", .stream = "shop::*"}});
    EXPECT_THAT(told(verdicts),
                ElementsAre("delivered", StartsWith("refused: headers_too_big"), "delivered",
                            StartsWith("refused: message_id_too_long"), StartsWith("refused: bad_stream")));
    for (const auto i : {1U, 3U, 4U}) EXPECT_TRUE(std::get<refused>(verdicts[i]).permanent);
    EXPECT_THAT(everything(2), UnorderedElementsAre("a", "c"));
}

TEST_F(rabbitmq_refusals, become_an_outage_where_a_queue_is_full) {
    const auto queue = exchange_ + "-full";
    std::array arguments{amqp_table_entry_t{.key = rabbitmq::bytes_of("x-max-length"),
                                            .value = {.kind = AMQP_FIELD_KIND_I32, .value = {.i32 = 2}}},
                         amqp_table_entry_t{.key = rabbitmq::bytes_of("x-overflow"),
                                            .value = {.kind = AMQP_FIELD_KIND_UTF8,
                                                      .value = {.bytes = rabbitmq::bytes_of("reject-publish")}}}};
    make_queue(queue, "shop.full", {.num_entries = arguments.size(), .entries = arguments.data()});
    strings got;
    for (int i = 0; i < 6; ++i) {
        got.push_back(told(publish(*to_, {{.id = fmt::format("m{}", i), .key = "k", .stream = "shop::full"}}).at(0)));
    }
    delete_queue(queue);
    EXPECT_EQ(got.front(), "delivered");
    EXPECT_THAT(got.back(), AllOf(StartsWith("unreachable"), HasSubstr("nack")));
    EXPECT_THAT(told(publish(*to_, {{.id = "other", .key = "k2"}})), ElementsAre("delivered"));
}

TEST_F(rabbitmq_refusals, of_the_login_are_outages_that_show_no_password) {
    auto wrong = options();
    wrong.uri.replace(wrong.uri.find("guest:guest"), 11, "guest:sesame");
    const auto to = make_rabbitmq_broker(wrong)->open_publisher();
    const auto said = told(publish(*to, {{.id = "a"}}).at(0));
    EXPECT_THAT(said, AllOf(StartsWith("unreachable"), HasSubstr("ACCESS_REFUSED"), Not(HasSubstr("sesame"))));

    auto nowhere = options();
    nowhere.uri.replace(nowhere.uri.find("%2f"), 3, "nowhere");
    EXPECT_THAT(told(publish(*make_rabbitmq_broker(nowhere)->open_publisher(), {{.id = "a"}})),
                ElementsAre(AllOf(StartsWith("unreachable"), HasSubstr("vhost"))));
}

TEST_F(rabbitmq_refusals, of_a_password_that_was_changed_are_an_outage_until_it_is_the_old_one) {
    const auto user = exchange_ + "-shop";
    node_.ctl({"add_user", user, "sesame"});
    node_.ctl({"set_permissions", user, ".*", ".*", ".*"});
    sluice::testing::tcp_gate gate{node_.port()};
    auto as_user = options();
    as_user.uri = fmt::format("amqp://{}:sesame@127.0.0.1:{}/%2f", user, gate.port());
    const auto of_user = make_rabbitmq_broker(as_user);
    const auto to = of_user->open_publisher();
    ASSERT_THAT(told(publish(*to, {{.id = "a"}})), ElementsAre("delivered"));
    node_.ctl({"change_password", user, "other"});
    gate.refuse(true);  // a connection that is open stays so
    EXPECT_TRUE(sluice::testing::eventually([&] { return !to->probe(seconds{1}).empty(); }));
    gate.refuse(false);
    for (int again = 0; again < 2; ++again) {
        EXPECT_THAT(told(publish(*to, {{.id = "b"}}).at(0)),
                    AllOf(StartsWith("unreachable"), HasSubstr("ACCESS_REFUSED"), Not(HasSubstr("sesame"))));
    }
    node_.ctl({"change_password", user, "sesame"});
    EXPECT_THAT(told(publish(*to, {{.id = "b"}})), ElementsAre("delivered")) << "without a restart";
    EXPECT_THAT(everything(2), UnorderedElementsAre("a", "b"));
    node_.ctl({"delete_user", user});
}

TEST_F(rabbitmq_refusals, tell_at_the_check_of_an_exchange_of_another_kind) {
    auto other = options();
    other.exchange = "amq.direct";
    other.declare = false;
    const auto found = make_rabbitmq_broker(other)->hazards();
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].code, "RABBITMQ_EXCHANGE_DIFFERS");
    EXPECT_THAT(found[0].message, AllOf(HasSubstr("'topic'"), HasSubstr("'direct'")));
    EXPECT_TRUE(broker_->hazards().empty());
}

}  // namespace
}  // namespace sluice::broker::rabbitmq_test
