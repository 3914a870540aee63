#include <gtest/gtest.h>

#include "unit/commit/box_office.hpp"

// The code of docs/commands.md.

// [declare]
class Seat : public sluice::aggregate<Seat> {
public:
    Seat() = default;
    explicit Seat(sluice::identifier id) : seat_id_{std::move(id)} {}

    int reserve() { return ++reservations_; }
    void refund() { --reservations_; }

private:
    sluice::identifier seat_id_;
    int reservations_ = 0;

    BOOST_DESCRIBE_CLASS(Seat, (), (), (), (seat_id_, reservations_))
};

struct Ticket {
    sluice::identifier seat_id;
    int number = 0;
};

struct ReserveSeat {
    static constexpr sluice::command_of<Seat, Ticket> contract{};  // without Ticket: a command that returns nothing
    sluice::identifier seat_id;
};

struct reserve_seat {
    Ticket operator()(const ReserveSeat& c, sluice::context& in) const {
        auto seats = in.repository<Seat>();
        Seat* seat = seats.find(c.seat_id.str());
        if (seat == nullptr) seat = &seats.add(Seat{c.seat_id});
        return {.seat_id = c.seat_id, .number = seat->reserve()};
    }
};
// [/declare]

struct RefundSeat {
    static constexpr sluice::command_of<Seat> contract{};
    sluice::identifier seat_id;
};

// [locked]
struct refund_seat {
    void operator()(const RefundSeat& c, sluice::context& in) const {
        in.repository<Seat>().get(c.seat_id.str(), sluice::locked).refund();
    }
};
// [/locked]

namespace {

using namespace std::chrono_literals;

class command_examples : public testing::Test {
protected:
    command_examples() {
        f.domain.aggregate<Seat>();
        f.domain.command_handler<reserve_seat, ReserveSeat>();
        f.domain.command_handler<refund_seat, RefundSeat>();
    }

    box_office::fixture f;
};

TEST_F(command_examples, locked) {
    sluice::context context = f.context();
    context.process(ReserveSeat{.seat_id = "A-1"});
    context.process(RefundSeat{.seat_id = "A-1"});
    context.process(RefundSeat{.seat_id = "A-1"});  // the first one has given its lock back
    EXPECT_EQ(context.process(ReserveSeat{.seat_id = "A-1"}).number, 0);
    EXPECT_THROW(context.process(RefundSeat{.seat_id = "nobody"}), sluice::not_found_error);
}

TEST_F(command_examples, results) {
    sluice::context context = f.context();
    // [process]
    const Ticket ticket = context.process(ReserveSeat{.seat_id = "A-1"});

    // By name, from unchecked JSON; the result is JSON.
    const sluice::json::value same = context.process("ReserveSeat", sluice::json::parse(R"({"seat_id": "A-1"})"));
    // [/process]
    EXPECT_EQ(ticket.number, 1);
    EXPECT_EQ(same.at("number").as_int(), 2);
}

TEST_F(command_examples, submitting) {
    sluice::context context = f.context();
    // [submit]
    const std::string message_id = context.submit(ReserveSeat{.seat_id = "A-1"}, {.timeout = 10min});
    // [/submit]
    EXPECT_EQ(f.rows().at(0).message_id, message_id);
}

TEST_F(command_examples, keys) {
    sluice::context context = f.context();
    const std::string request_id = "6f1d";
    // [key]
    const Ticket ticket = context.process(ReserveSeat{.seat_id = "A-1"}, {.idempotency_key = request_id});
    const Ticket again = context.process(ReserveSeat{.seat_id = "A-1"}, {.idempotency_key = request_id});
    // again.number == ticket.number; the handler ran once
    // [/key]
    EXPECT_EQ(again.number, ticket.number);
}

TEST_F(command_examples, deadlines) {
    sluice::context context = f.context();
    // [deadline]
    try {
        context.process(ReserveSeat{.seat_id = "A-1"}, {.timeout = 2s});
    } catch (const sluice::deadline_error&) {
        // nothing was done
    }
    // [/deadline]
}

TEST_F(command_examples, priorities) {
    sluice::context context = f.context();
    const std::vector<std::string> season{"A-1", "A-2"};
    // [priority]
    {
        const sluice::processing_priority scope{context, sluice::priority::low};
        for (const std::string& seat : season) context.submit(ReserveSeat{.seat_id = seat});
        context.submit(ReserveSeat{.seat_id = "A-3"}, {.priority = sluice::priority::high});
    }
    // [/priority]
    EXPECT_EQ(f.rows().at(0).priority, -50);
    EXPECT_EQ(f.rows().at(2).priority, 50);
}

}  // namespace
