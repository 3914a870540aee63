#include "integration/redis/redis_fixture.hpp"
#include "support/tcp_gate.hpp"

namespace sluice::broker::redis_test {
namespace {

using sluice::testing::tcp_gate;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

class redis_publisher : public redis_test {
protected:
    /// Publishes `batch` so that the broker takes it and every confirmation is lost, then publishes it again.
    void lose_the_confirmation(broker& over_gate, tcp_gate& gate, const producer& from) {
        const auto to = over_gate.open_publisher();
        ASSERT_THAT(receipts(publish(*to, {{"m0"}, {"b0", "k", "shop::order:backfill"}}, from)), Each(HasSubstr("-0")));

        const std::vector<note> batch{{"m1", "k1"}, {"m2", "k2"}, {"m3", "k3"}, {"m4", "k4", "shop::order:backfill"}};
        gate.cut_after(4);
        EXPECT_THAT(receipts(publish(*to, batch, from)), Each(StartsWith("unreachable")));
        ASSERT_TRUE(eventually([&] { return ids_in().size() == 4; })) << "the server took it";

        const auto again = receipts(publish(*to, batch, from));
        EXPECT_THAT(ids_in(), ElementsAre("m0", "m1", "m2", "m3"));
        EXPECT_THAT(ids_in("shop::order:backfill"), ElementsAre("b0", "m4"));
        const auto entries = entries_in();
        EXPECT_THAT(again, ElementsAre(entries[1], entries[2], entries[3], entries_in("shop::order:backfill")[1]));
    }

    const producer lane_{"db/partner", 1};
    const producer successor_{"db/partner", 2};
};

TEST_F(redis_publisher, writes_the_one_field_of_the_wire_format) {
    const auto to = connect()->open_publisher();
    const auto got = receipts(publish(*to, {{"m1", "k", order_stream, R"({"data": {}})"}}, lane_));
    EXPECT_EQ(server_.cli({"xrange", order_stream, "-", "+"}), got[0] + "\ndata\n{\"data\": {}}");
}

TEST_F(redis_publisher, sends_nothing_twice_after_a_lost_confirmation) {
    tcp_gate gate{server_.port()};
    const auto broker = connect({.uri = fmt::format("redis://127.0.0.1:{}", gate.port())});
    lose_the_confirmation(*broker, gate, lane_);
    EXPECT_TRUE(broker->can().fences);
}

TEST_F(redis_publisher, sends_nothing_twice_without_a_fence) {
    tcp_gate gate{server_.port()};
    lose_the_confirmation(*connect({.uri = fmt::format("redis://127.0.0.1:{}", gate.port())}), gate, {});
}

TEST_F(redis_publisher, sends_nothing_twice_with_the_poorest_account) {
    server_.cli(
        {"acl", "setuser", "poor", "on", ">secret", "resetkeys", "~shop::*", "nocommands", "+xadd", "+xrevrange"});
    tcp_gate gate{server_.port()};
    const auto broker = connect({.uri = fmt::format("redis://poor:secret@127.0.0.1:{}", gate.port())});
    lose_the_confirmation(*broker, gate, lane_);
    EXPECT_FALSE(broker->can().fences);
}

// Also what the tail would not show: other producers wrote thousands of entries since, or a consumer removed ours.
TEST_F(redis_publisher, knows_what_its_predecessor_sent_however_long_the_stream_has_grown) {
    const auto broker = connect();
    ASSERT_TRUE(is<delivered>(publish(*broker->open_publisher(), {{"m1"}, {"m2"}}, lane_).at(0)));
    const auto other = broker->open_publisher();
    std::vector<note> noise;
    for (int i = 0; i < 1500; ++i) noise.push_back({fmt::format("noise{}", i)});
    ASSERT_TRUE(is<delivered>(publish(*other, noise, {"other/lane", 1}).at(0)));

    for (const auto& v : publish(*broker->open_publisher(), {{"m1"}, {"m2"}}, successor_))
        EXPECT_TRUE(is<delivered>(v));
    EXPECT_THAT(ids_in(), SizeIs(1502));
}

TEST_F(redis_publisher, remembers_every_batch_that_is_not_settled) {
    const auto broker = connect();
    const auto to = broker->open_publisher();
    std::vector<note> all;
    for (std::size_t i = 0; i < 40; ++i) {
        all.push_back({fmt::format("m{}", i)});
        static_cast<void>(publish(*to, {all.back()}, {.name = lane_.name, .epoch = 1, .unsettled_batches = i}));
    }
    const auto heir = broker->open_publisher();
    EXPECT_TRUE(is<delivered>(publish(*heir, all, successor_).at(39)));
    EXPECT_TRUE(is<delivered>(publish(*heir, {{"next"}}, successor_).at(0)));
    EXPECT_THAT(ids_in(), SizeIs(41));
    // And a third one still knows those of the first.
    EXPECT_TRUE(is<delivered>(publish(*broker->open_publisher(), {{"m39"}, {"next"}}, {"db/partner", 3}).at(0)));
    EXPECT_THAT(ids_in(), SizeIs(41));
}

TEST_F(redis_publisher, keeps_its_hash_small_when_the_lane_settles) {
    const auto to = connect()->open_publisher();
    for (int i = 0; i < 40; ++i) {
        static_cast<void>(publish(*to, {{fmt::format("m{}", i)}},
                                  {.name = lane_.name, .epoch = 1, .unsettled_batches = i == 0 ? 0U : 1U}));
    }
    EXPECT_EQ(server_.cli({"hlen", "sluice:lane:db/partner"}), "7")
        << "token, epoch, owner, place, timeline and two pages";
}

// A key whose messages go to two streams by turns, and strangers who fill both streams before the successor looks.
TEST_F(redis_publisher, knows_a_batch_over_alternating_streams_however_long_they_have_grown) {
    std::vector<note> batch;
    for (int i = 0; i < 40; ++i) {
        batch.push_back({fmt::format("m{}", i), "k", i % 2 == 0 ? order_stream : "shop::order:backfill"});
    }
    const auto broker = connect();
    const auto first = publish(*broker->open_publisher(), batch, lane_);
    for (const auto& v : first) ASSERT_TRUE(is<delivered>(v)) << told(v);

    std::vector<note> noise;
    for (int i = 0; i < 2200; ++i) {
        noise.push_back({fmt::format("noise{}", i), "k", i % 2 == 0 ? order_stream : "shop::order:backfill"});
    }
    ASSERT_TRUE(is<delivered>(publish(*broker->open_publisher(), noise, {"other/lane", 1}).at(2199)));

    const auto again = publish(*broker->open_publisher(), batch, successor_);
    EXPECT_EQ(receipts(again), receipts(first)) << "with their entries, which lie deep by now";
    EXPECT_EQ(server_.cli({"xlen", order_stream}), "1120");
    EXPECT_EQ(server_.cli({"xlen", "shop::order:backfill"}), "1120");
}

TEST_F(redis_publisher, sends_alternating_streams_in_few_transactions) {
    std::vector<note> batch;
    for (int i = 0; i < 40; ++i) batch.push_back({fmt::format("m{}", i), "k", i % 2 == 0 ? order_stream : "shop::b"});
    const auto to = connect()->open_publisher();
    const auto transactions = [&] {
        for (const auto& line : lines(server_.cli({"info", "commandstats"}))) {
            if (line.starts_with("cmdstat_exec:calls=")) return std::stoi(line.substr(line.find('=') + 1));
        }
        return 0;
    };
    const auto before = transactions();
    for (const auto& v : publish(*to, batch, lane_)) ASSERT_TRUE(is<delivered>(v)) << told(v);
    EXPECT_LE(transactions() - before, 4) << "the claim, one for each new stream, the rest";
}

TEST_F(redis_publisher, delivers_what_only_has_the_id_of_a_message_in_doubt) {
    const auto text = [](int n) {
        return fmt::format(R"({{"data":{{"n":{}}},"metadata":{{"headers":{{"id":"m1","type":"Shop.X.v1"}}}}}})", n);
    };
    const auto broker = connect();
    const note one{"m1", "k", order_stream, text(1)};
    const note other{"m1", "k", order_stream, text(2)};
    const auto first = publish(*broker->open_publisher(), {one}, lane_);
    const auto second = publish(*broker->open_publisher(), {other}, successor_);
    ASSERT_TRUE(is<delivered>(second.at(0)));
    EXPECT_NE(receipts(second), receipts(first));
    EXPECT_EQ(receipts(publish(*broker->open_publisher(), {other}, {"db/partner", 3})), receipts(second));
    EXPECT_THAT(ids_in(), ElementsAre("m1", "m1"));
}

TEST_F(redis_publisher, makes_progress_over_a_link_that_takes_one_message_in_the_time) {
    tcp_gate gate{server_.port()};
    const auto to = connect({.uri = fmt::format("redis://127.0.0.1:{}", gate.port())})->open_publisher();
    ASSERT_TRUE(is<delivered>(publish(*to, {{"m"}}, lane_).at(0)));
    gate.throttle(2'000'000);
    std::vector<note> batch;
    for (int i = 0; i < 30; ++i) {
        batch.push_back({fmt::format("m{}", i), fmt::format("k{}", i), order_stream, std::string(200'000, 'x')});
    }
    std::size_t turns = 0;
    while (!batch.empty() && ++turns < 60) {
        const auto verdicts = publish(*to, batch, lane_, seconds{1});
        std::vector<note> rest;
        for (std::size_t i = 0; i < batch.size(); ++i) {
            if (!is<delivered>(verdicts[i])) rest.push_back(batch[i]);
        }
        batch = std::move(rest);
    }
    EXPECT_THAT(batch, IsEmpty()) << "6 MB, of which a second takes a third";
    EXPECT_EQ(server_.cli({"xlen", order_stream}), "31");
}

TEST_F(redis_publisher, what_a_lost_connection_still_carries_never_arrives_late) {
    tcp_gate gate{server_.port()};
    const auto frozen = connect({.uri = fmt::format("redis://127.0.0.1:{}", gate.port())})->open_publisher();
    ASSERT_TRUE(is<delivered>(publish(*frozen, {{"m1"}}, lane_).at(0)));
    gate.stall(true);
    EXPECT_TRUE(is<unreachable>(publish(*frozen, {{"m2"}, {"m3"}}, lane_, milliseconds{100}).at(0)));

    const auto heir = connect()->open_publisher();
    EXPECT_TRUE(is<delivered>(publish(*heir, {{"m2"}, {"m3"}, {"m4"}}, successor_).at(2)));
    gate.stall(false);
    ASSERT_TRUE(eventually([&] { return lines(server_.cli({"client", "list"})).size() == 2; })) << "heir and redis-cli";
    EXPECT_THAT(ids_in(), ElementsAre("m1", "m2", "m3", "m4"));
    EXPECT_THAT(told(publish(*frozen, {{"m5"}}, lane_).at(0)), HasSubstr("fenced: a newer owner of lane db/partner"));
    EXPECT_THAT(frozen->probe(seconds{5}), HasSubstr("fenced"));
}

TEST_F(redis_publisher, the_same_owner_reconnecting_is_safe_too) {
    tcp_gate gate{server_.port()};
    const auto over_gate = connect({.uri = fmt::format("redis://127.0.0.1:{}", gate.port())});
    const auto stuck = over_gate->open_publisher();
    ASSERT_TRUE(is<delivered>(publish(*stuck, {{"m1"}}, lane_).at(0)));
    gate.stall(true);
    EXPECT_TRUE(is<unreachable>(publish(*stuck, {{"m2"}}, lane_, milliseconds{100}).at(0)));
    EXPECT_TRUE(is<delivered>(publish(*connect()->open_publisher(), {{"m2"}}, lane_).at(0)));
    gate.stall(false);
    ASSERT_TRUE(eventually([&] { return lines(server_.cli({"client", "list"})).size() <= 2; }));
    EXPECT_THAT(ids_in(), ElementsAre("m1", "m2"));
}

TEST_F(redis_publisher, refuses_what_goes_to_a_key_that_is_no_stream_until_somebody_renames_it) {
    server_.cli({"rpush", "shop::list", "x"});
    const auto to = connect()->open_publisher();
    const auto verdicts = publish(
        *to, {{"a", "k1", "shop::list"}, {"b", "k1", "shop::list"}, {"c", "k2"}, {"d", "k1"}, {"e", "k3"}}, lane_);
    ASSERT_TRUE(is<refused>(verdicts[0])) << told(verdicts[0]);
    EXPECT_EQ(std::get<refused>(verdicts[0]).code, "WRONGTYPE");
    EXPECT_FALSE(std::get<refused>(verdicts[0]).permanent);
    EXPECT_TRUE(is<unreachable>(verdicts[1])) << "held back, at no cost";
    EXPECT_TRUE(is<delivered>(verdicts[2]));
    EXPECT_TRUE(is<unreachable>(verdicts[3])) << "the same key on another stream";
    EXPECT_TRUE(is<delivered>(verdicts[4]));
    EXPECT_THAT(ids_in(), ElementsAre("c", "e"));

    // The journal does not claim what was refused.
    server_.cli({"del", "shop::list"});
    EXPECT_TRUE(is<delivered>(publish(*connect()->open_publisher(), {{"a", "k1", "shop::list"}}, successor_).at(0)));
    EXPECT_THAT(ids_in("shop::list"), ElementsAre("a"));
}

TEST_F(redis_publisher, a_full_server_is_an_outage) {
    const auto to = connect()->open_publisher();
    ASSERT_TRUE(is<delivered>(publish(*to, {{"m1"}}, lane_).at(0)));
    server_.cli({"config", "set", "maxmemory", "1"});
    EXPECT_THAT(receipts(publish(*to, {{"m2"}, {"m3", "k"}}, lane_)),
                Each(AllOf(StartsWith("unreachable"), HasSubstr("OOM"))));
    EXPECT_THAT(to->probe(seconds{5}), HasSubstr("OOM"));
    server_.cli({"config", "set", "maxmemory", "0"});
    EXPECT_EQ(to->probe(seconds{5}), "");
    EXPECT_TRUE(is<delivered>(publish(*to, {{"m2"}}, lane_).at(0)));
    EXPECT_THAT(ids_in(), ElementsAre("m1", "m2"));
}

TEST_F(redis_publisher, a_replica_is_an_outage) {
    const auto to = connect()->open_publisher();
    ASSERT_TRUE(is<delivered>(publish(*to, {{"m1"}}, lane_).at(0)));
    server_.cli({"replicaof", "127.0.0.1", "1"});
    EXPECT_THAT(receipts(publish(*to, {{"m2"}}, lane_)), Each(AllOf(StartsWith("unreachable"), HasSubstr("READONLY"))));
    EXPECT_THAT(receipts(publish(*to, {{"m2"}})), Each(StartsWith("unreachable"))) << "without a fence as well";
    server_.cli({"replicaof", "no", "one"});
    EXPECT_TRUE(is<delivered>(publish(*to, {{"m2"}}, lane_).at(0)));
}

TEST_F(redis_publisher, a_forbidden_stream_does_not_stop_the_others) {
    server_.cli({"acl", "setuser", "app", "on", ">pw", "resetkeys", "~sluice:*", "~shop::order", "+@all"});
    const auto to = connect({.uri = fmt::format("redis://app:pw@127.0.0.1:{}", server_.port())})->open_publisher();
    const auto verdicts = publish(*to, {{"a", "k1", "secret::stream"}, {"b", "k2"}, {"c", "k1"}, {"d", "k2"}}, lane_);
    ASSERT_TRUE(is<refused>(verdicts[0])) << told(verdicts[0]);
    EXPECT_EQ(std::get<refused>(verdicts[0]).code, "NOPERM");
    EXPECT_TRUE(std::get<refused>(verdicts[0]).stream_closed);
    EXPECT_TRUE(is<delivered>(verdicts[1]));
    EXPECT_TRUE(is<unreachable>(verdicts[2]));
    EXPECT_TRUE(is<delivered>(verdicts[3]));
    EXPECT_THAT(ids_in(), ElementsAre("b", "d"));
}

TEST_F(redis_publisher, an_account_that_may_not_fence_any_more_is_an_outage) {
    const strings rights{"resetkeys", "~sluice:*", "~shop::order"};
    const auto account = [&](const strings& change) {
        strings command{"acl", "setuser", "app"};
        command.insert(command.end(), change.begin(), change.end());
        server_.cli(command);
    };
    account({"on", ">pw", "+@all"});
    account(rights);
    const auto broker = connect({.uri = fmt::format("redis://app:pw@127.0.0.1:{}", server_.port())});
    ASSERT_TRUE(is<delivered>(publish(*broker->open_publisher(), {{"m1"}}, lane_).at(0)));
    account({"resetkeys", "~shop::order"});
    const auto heir = broker->open_publisher();
    EXPECT_THAT(receipts(publish(*heir, {{"m2"}}, successor_)),
                Each(AllOf(StartsWith("unreachable"), HasSubstr("NOPERM"))));
    EXPECT_THAT(heir->probe(seconds{5}), HasSubstr("NOPERM"));
    EXPECT_TRUE(broker->can().fences);
    account(rights);
    EXPECT_TRUE(is<delivered>(publish(*heir, {{"m2"}}, successor_).at(0)));
    EXPECT_THAT(ids_in(), ElementsAre("m1", "m2"));
}

TEST_F(redis_publisher, the_poorest_account_publishes_in_order_and_unfenced) {
    server_.cli({"acl", "setuser", "poor", "on", ">pw", "resetkeys", "~shop::*", "nocommands", "+xadd"});
    const auto broker = connect({.uri = fmt::format("redis://poor:pw@127.0.0.1:{}", server_.port())});
    const auto to = broker->open_publisher();
    const auto verdicts =
        publish(*to, {{"a", "k1"}, {"b", "k2"}, {"c", "k1"}, {"x", "k3", "secret"}, {"y", "k3"}}, lane_);
    EXPECT_TRUE(is<delivered>(verdicts[2])) << told(verdicts[2]);
    EXPECT_TRUE(is<refused>(verdicts[3])) << told(verdicts[3]);
    EXPECT_TRUE(is<unreachable>(verdicts[4]));
    EXPECT_THAT(ids_in(), ElementsAre("a", "b", "c"));
    EXPECT_FALSE(broker->can().fences);
    EXPECT_EQ(to->probe(seconds{5}), "");
}

TEST_F(redis_publisher, a_message_larger_than_the_server_takes_is_refused_alone) {
    server_.cli({"config", "set", "proto-max-bulk-len", "1mb"});
    const auto to = connect()->open_publisher();
    const std::string big(2 * 1024 * 1024, 'x');
    const auto verdicts = publish(*to, {{"a", "k1"}, {"b", "k2", order_stream, big}, {"c", "k2"}, {"d", "k1"}}, lane_);
    EXPECT_TRUE(is<delivered>(verdicts[0])) << told(verdicts[0]);
    ASSERT_TRUE(is<refused>(verdicts[1])) << told(verdicts[1]);
    EXPECT_EQ(std::get<refused>(verdicts[1]).code, "message_too_big");
    EXPECT_TRUE(std::get<refused>(verdicts[1]).permanent);
    EXPECT_TRUE(is<unreachable>(verdicts[2]));
    EXPECT_TRUE(is<delivered>(verdicts[3]));
    EXPECT_THAT(ids_in(), ElementsAre("a", "d"));
}

TEST_F(redis_publisher, cuts_streams_to_about_the_configured_length) {
    const auto to = connect({.maxlen = 100})->open_publisher();
    for (int batch = 0; batch < 10; ++batch) {
        std::vector<note> notes;
        for (int i = 0; i < 100; ++i) notes.push_back({fmt::format("{}/{}", batch, i)});
        ASSERT_TRUE(is<delivered>(publish(*to, notes, lane_).at(99)));
    }
    EXPECT_LE(std::stoi(server_.cli({"xlen", order_stream})), 300);
}

TEST_F(redis_publisher, does_not_notice_that_an_idle_connection_was_closed) {
    const auto to = connect()->open_publisher();
    for (const auto* id : {"m1", "m2", "m3"}) {
        EXPECT_TRUE(is<delivered>(publish(*to, {{id}}, lane_).at(0)));
        server_.cli({"client", "kill", "type", "normal", "skipme", "yes"});
    }
    EXPECT_THAT(ids_in(), ElementsAre("m1", "m2", "m3"));
}

TEST_F(redis_publisher, goes_on_after_everything_was_flushed_or_the_server_restarted) {
    const auto to = connect()->open_publisher();
    ASSERT_TRUE(is<delivered>(publish(*to, {{"m1"}}, lane_).at(0)));
    server_.cli({"flushall"});
    EXPECT_TRUE(is<delivered>(publish(*to, {{"m2"}}, lane_).at(0)));
    server_.stop();
    EXPECT_TRUE(is<unreachable>(publish(*to, {{"m3"}}, lane_).at(0)));
    EXPECT_NE(to->probe(seconds{1}), "");
    server_.start_again();
    EXPECT_EQ(to->probe(seconds{5}), "");
    EXPECT_TRUE(is<delivered>(publish(*to, {{"m3"}}, lane_).at(0)));
    EXPECT_THAT(ids_in(), ElementsAre("m3"));
}

}  // namespace
}  // namespace sluice::broker::redis_test
