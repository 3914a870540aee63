// Reading through restarts, lost connections, slow handlers, and with others who change the consumer.

#include <thread>

#include <sluice/error.hpp>

#include "integration/nats/nats_fixture.hpp"

namespace sluice::broker::nats_test {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr auto durable = "g=40shop=3A=3Aorder";

strings bodies(const std::vector<delivery>& all) {
    strings found;
    for (const auto& each : all) found.push_back(each.body);
    return found;
}

class nats_reader_traps : public nats_test {
protected:
    nats_reader_traps() { make_orders(); }

    [[nodiscard]] static membership member(duration claim = 30s, const std::string& name = "c") {
        return {.group = "g", .consumer = name, .claim = claim, .process = {.id = name, .place = ""}};
    }
    [[nodiscard]] std::unique_ptr<reader> join(const membership& as = member()) {
        return broker_->open_reader({"shop::order"}, as);
    }
    void send(const strings& all, const std::string& key = "k") {
        for (const auto& each : all) server_.publish("shop.order", each, {{"sluice-key", key}});
    }
    /// What comes within the time, until there are as many.
    static std::vector<delivery> read_some(reader& from, std::size_t count,
                                           duration within = sluice::testing::long_enough) {
        std::vector<delivery> found;
        base::wake_signal nobody;
        static_cast<void>(sluice::testing::eventually(
            [&] {
                try {
                    for (auto& each : from.read(0, count - found.size(), {})) found.push_back(std::move(each));
                } catch (const broker_error&) {
                }
                if (found.size() < count) static_cast<void>(from.wait(nobody, milliseconds{50}));
                return found.size() >= count;
            },
            within));
        return found;
    }
    static void ack(reader& at, const std::vector<delivery>& all) {
        strings entries;
        for (const auto& each : all) entries.push_back(each.entry);
        at.ack(0, entries);
    }

    std::unique_ptr<broker> broker_ = connect();
};

TEST_F(nats_reader_traps, keeps_what_is_in_hand_over_a_restart_of_the_server) {
    const auto reader = join();
    send({"m1", "m2"});
    const auto held = read_some(*reader, 2);
    ASSERT_THAT(bodies(held), ElementsAre("m1", "m2"));
    server_.crash();
    server_.start_again();
    send({"m3"});
    EXPECT_THAT(bodies(read_some(*reader, 1)), ElementsAre("m3")) << "m1 and m2 are still in hand";
    ack(*reader, held);
    EXPECT_THAT(reader->read(0, 10, {}), IsEmpty());
}

// Redelivery alone would bring m1 and m2 behind m3 and m4, which are of the same key.
TEST_F(nats_reader_traps, gives_the_next_reader_in_order_what_a_silent_one_left) {
    send({"m1", "m2"});
    auto silent = join(member(1s, "silent"));
    ASSERT_THAT(read_some(*silent, 2), SizeIs(2));
    send({"m3", "m4"});
    const auto heir = join(member(1s, "heir"));
    EXPECT_THAT(heir->read(0, 10, {}), IsEmpty()) << "the silent one may live";
    const auto got = read_some(*heir, 4);
    ASSERT_THAT(bodies(got), ElementsAre("m1", "m2", "m3", "m4"));
    ack(*silent, {got[0]});
    ack(*heir, got);
    EXPECT_THAT(heir->read(0, 10, {}), IsEmpty());
}

TEST_F(nats_reader_traps, gives_nothing_twice_while_a_handler_takes_longer_than_the_claim) {
    const auto reader = join(member(1s));
    send({"m1"});
    const auto held = read_some(*reader, 1);
    ASSERT_THAT(held, SizeIs(1));
    base::wake_signal nobody;
    for (int i = 0; i < 12; ++i) {  // for three claims
        static_cast<void>(reader->wait(nobody, 250ms));
        reader->heartbeat({});
        EXPECT_THAT(reader->read(0, 10, {}), IsEmpty());
    }
    ack(*reader, held);
}

TEST_F(nats_reader_traps, gives_again_what_was_acknowledged_over_a_broken_connection) {
    sluice::testing::tcp_gate gate{server_.port()};
    const auto through_gate =
        connect({.uri = fmt::format("nats://127.0.0.1:{}", gate.port()), .answer_timeout = milliseconds{500}});
    auto reader = through_gate->open_reader({"shop::order"}, member());
    send({"m1", "m2"});
    const auto held = read_some(*reader, 2);
    ASSERT_THAT(held, SizeIs(2));
    gate.stall(true);
    EXPECT_THROW(ack(*reader, held), broker_error) << "it is not confirmed";
    gate.refuse(true);
    EXPECT_TRUE(sluice::testing::eventually([&] {
        try {
            static_cast<void>(reader->read(0, 10, {}));
        } catch (const broker_error&) {
            return true;
        }
        return false;
    }));
    reader.reset();
    gate.open();
    const auto again = join(member());  // the same process, with its name
    EXPECT_THAT(bodies(read_some(*again, 2)), ElementsAre("m1", "m2"));
}

TEST_F(nats_reader_traps, notices_a_message_after_the_server_was_away_during_a_wait) {
    const auto reader = join();
    ASSERT_THAT(reader->read(0, 10, {}), IsEmpty());
    std::jthread meanwhile{[&] {
        std::this_thread::sleep_for(200ms);
        server_.crash();
        server_.start_again();
        send({"m1"});
    }};
    EXPECT_THAT(bodies(read_some(*reader, 1)), ElementsAre("m1"));
}

TEST_F(nats_reader_traps, makes_a_consumer_anew_that_somebody_deletes_during_a_wait) {
    const auto reader = join();
    send({"m1", "m2", "m3"});
    const auto got = read_some(*reader, 3);
    ASSERT_THAT(got, SizeIs(3));
    ack(*reader, {got[0], got[2]});
    base::wake_signal nobody;
    static_cast<void>(reader->wait(nobody, 50ms));  // a pull is under way
    server_.delete_consumers("ORDERS");
    send({"m4"});
    const auto later = read_some(*reader, 1);
    ASSERT_FALSE(later.empty());
    EXPECT_THAT(bodies(later), Contains(::testing::AnyOf("m3", "m4")));
    EXPECT_THAT(server_.consumers("ORDERS"), ElementsAre(durable));
}

// Who has as much in hand as he may have does not pull, and finds out when he acknowledges.
TEST_F(nats_reader_traps, makes_a_consumer_anew_that_takes_no_acknowledgement) {
    broker_ = connect({.max_ack_pending = 2});
    const auto reader = join();
    send({"m1", "m2", "m3"});
    const auto got = read_some(*reader, 2);
    ASSERT_THAT(got, SizeIs(2));
    server_.delete_consumers("ORDERS");
    EXPECT_THROW(ack(*reader, got), broker_error);
    static_cast<void>(reader->read(0, 10, {}));
    ack(*reader, got);
    std::vector<delivery> more;
    EXPECT_TRUE(sluice::testing::eventually([&] {
        more = read_some(*reader, 1);
        ack(*reader, more);
        return !more.empty() && more.back().body == "m3";
    }));
}

// It counts from one again: who goes on at the number that he knows passes over what is there.
TEST_F(nats_reader_traps, reads_from_its_beginning_a_stream_that_was_made_anew) {
    auto from_now = member();
    from_now.from = start::now;
    const auto reader = join(from_now);
    ASSERT_THAT(reader->read(0, 10, {}), IsEmpty());
    send({"m1", "m2", "m3"});
    const auto got = read_some(*reader, 3);
    ASSERT_THAT(bodies(got), ElementsAre("m1", "m2", "m3"));
    ack(*reader, {got[0]});
    server_.delete_stream("ORDERS");
    make_orders();
    send({"n1", "n2"});
    const auto anew = read_some(*reader, 2);
    ASSERT_THAT(bodies(anew), ElementsAre("n1", "n2"));
    ack(*reader, {got[1]});
    EXPECT_EQ(server_.unacknowledged("ORDERS", durable), 2) << "m2 is not n2, although both are the second";
    ack(*reader, anew);
    EXPECT_EQ(server_.unacknowledged("ORDERS", durable), 0);
    EXPECT_THAT(reader->read(0, 10, {}), IsEmpty());
}

TEST_F(nats_reader_traps, notices_a_stream_that_is_made_anew_during_a_wait) {
    const auto reader = join();
    send({"m1", "m2"});
    ack(*reader, read_some(*reader, 2));
    base::wake_signal nobody;
    static_cast<void>(reader->wait(nobody, 50ms));  // a pull is under way
    server_.delete_stream("ORDERS");
    EXPECT_THAT(read_some(*reader, 1, 500ms), IsEmpty());
    make_orders();
    send({"n1"});
    EXPECT_THAT(bodies(read_some(*reader, 1)), ElementsAre("n1"));
}

TEST_F(nats_reader_traps, sets_right_what_somebody_else_set_in_its_consumer) {
    server_.make_consumer("ORDERS", durable, "shop.order", 1'000, 2);
    static_cast<void>(broker_->open_reader({"shop::order"}, {.group = "other", .consumer = "c"})->read(0, 1, {}));
    const auto reader = join(member(10s));
    send({"m1"});
    ASSERT_THAT(read_some(*reader, 1), SizeIs(1));
    EXPECT_EQ(server_.ack_wait_ms("ORDERS", durable), 10'000);
    EXPECT_THAT(broker_->hazards(), IsEmpty());
    server_.delete_consumers("ORDERS");
    server_.make_consumer("ORDERS", durable, "shop.order", 1'000, 2);
    EXPECT_THAT(broker_->hazards(), Contains(::testing::Field(&hazard::code, "NATS_MAX_DELIVER")));
}

TEST_F(nats_reader_traps, refuses_a_consumer_that_is_for_something_else) {
    server_.make_stream({.name = "ALL", .subjects = {"all.>"}});
    server_.make_consumer("ALL", "g=40all=3A=3Aorder", "all.parcel", 1'000, 2);
    const auto reader = broker_->open_reader({"all::order"}, member());
    EXPECT_THROW(static_cast<void>(reader->read(0, 1, {})), broker_error);
}

TEST_F(nats_reader_traps, waits_for_a_stream_that_is_not_there_yet) {
    const auto reader = broker_->open_reader({"shop::parcel"}, member());
    EXPECT_THAT(reader->read(0, 10, {}), IsEmpty());
    server_.make_stream({.name = "PARCELS", .subjects = {"shop.parcel"}});
    server_.publish("shop.parcel", "p1");
    EXPECT_THAT(bodies(read_some(*reader, 1)), ElementsAre("p1"));
}

TEST_F(nats_reader_traps, reads_in_order_while_others_join_and_die) {
    constexpr int count = 400;
    const auto to = broker_->open_publisher();
    const std::jthread writer{[&] {
        for (int i = 0; i < count; i += 20) {
            std::vector<note> batch;
            for (int j = i; j < i + 20; ++j) {
                batch.push_back({.id = std::to_string(j), .key = "k", .body = std::to_string(j)});
            }
            EXPECT_TRUE(delivers(*to, batch));
        }
    }};
    int settled = 0;
    for (int life = 0; settled < count; ++life) {
        ASSERT_LT(life, 200);
        auto reader = join(member(1s, "c"));
        int next = settled;
        for (int turn = 0; turn < 3 && settled < count; ++turn) {
            for (const auto& each : read_some(*reader, 7, 2s)) {
                const int number = std::stoi(each.body);
                ASSERT_LE(number, next) << "nothing was passed over";
                next = std::max(next, number + 1);
                if (number < settled || turn == 2) continue;  // the last page dies with its reader
                ack(*reader, {each});
                ++settled;
            }
        }
    }
}

}  // namespace
}  // namespace sluice::broker::nats_test
