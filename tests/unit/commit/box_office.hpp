#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sluice/sluice.hpp>

#include "base/random.hpp"
#include "command/invocation.hpp"
#include "commit/environment.hpp"
#include "envelope/envelope.hpp"
#include "store/memory/memory_database.hpp"
#include "support/meddled_database.hpp"
#include "support/virtual_clock.hpp"
#include "support/virtual_sleeper.hpp"

/// Commands with results: a box office that opens shows and sells seats. What a test hooks in runs in every handler.
namespace box_office {

class Show;

struct ShowOpened {
    static constexpr sluice::event_of<Show> contract{};
    sluice::identifier show_id;
};

struct SeatsSold {
    static constexpr sluice::event_of<Show> contract{};
    sluice::identifier show_id;
    int seats = 0;
};

class Show : public sluice::aggregate<Show> {
public:
    Show() = default;
    explicit Show(sluice::identifier id) : show_id_{std::move(id)} { raise(ShowOpened{.show_id = show_id_}); }
    void sell(int seats) {
        sold_ += seats;
        raise(SeatsSold{.show_id = show_id_, .seats = seats});
    }
    [[nodiscard]] int sold() const { return sold_; }
    void check(sluice::violations& v) const {
        if (sold_ > 100) v.add("sold", "there are 100 seats");
    }

private:
    sluice::identifier show_id_;
    int sold_ = 0;

    BOOST_DESCRIBE_CLASS(Show, (), (), (), (show_id_, sold_))
};

struct Receipt {
    sluice::identifier show_id;
    int sold = 0;
    std::optional<sluice::text> note{};
    friend bool operator==(const Receipt&, const Receipt&) = default;
};

struct OpenShow {
    static constexpr sluice::command_of<Show, sluice::identifier> contract{};
    sluice::identifier show_id;
};

struct SellSeats {
    static constexpr sluice::command_of<Show, Receipt> contract{};
    sluice::identifier show_id;
    int seats = 1;
};

struct CountSeats {
    static constexpr sluice::command_of<Show, std::vector<int>> contract{};
    sluice::identifier show_id;
};

/// Sells one seat by a command of its own, with a key when it has one.
struct SellThroughAgent {
    static constexpr sluice::command_of<Show> contract{};
    sluice::identifier show_id;
    std::optional<sluice::text> key{};
};

struct script {
    std::function<void(sluice::context&)> hook;
    int runs = 0;

    void enter(sluice::context& in) {
        ++runs;
        if (hook) hook(in);
    }
};

struct clerk {
    sluice::identifier operator()(const OpenShow& c, sluice::context& in) const {
        does->enter(in);
        in.repository<Show>().add(Show{c.show_id});
        return c.show_id;
    }
    Receipt operator()(const SellSeats& c, sluice::context& in) const {
        does->enter(in);
        Show& show = in.repository<Show>().get(c.show_id.str());
        show.sell(c.seats);
        return {.show_id = c.show_id, .sold = show.sold()};
    }
    std::vector<int> operator()(const CountSeats& c, sluice::context& in) const {
        return {in.repository<Show>().get(c.show_id.str()).sold()};
    }
    void operator()(const SellThroughAgent& c, sluice::context& in) const {
        sluice::process_options options;
        if (c.key) options.idempotency_key = c.key->str();
        in.process(SellSeats{.show_id = c.show_id}, options);
    }

    std::shared_ptr<script> does;
};

/// On a memory store; nothing waits for real time, and no lane runs.
struct fixture {
    explicit fixture(const sluice::config::configuration& configuration = {}) {
        database->setup();
        domain.aggregate<Show>().events<ShowOpened, SeatsSold>();
        domain.command_handler<clerk, OpenShow, SellSeats, CountSeats, SellThroughAgent>(clerk{does});
        domain.validate();
        sluice::commit::adapters parts;
        parts.databases.emplace("default", database);
        env = std::make_unique<sluice::commit::environment>(domain.declared(), configuration, parts, clock, random,
                                                            sleeper);
    }

    [[nodiscard]] sluice::context context() { return sluice::command::make_context(*env); }
    /// -1 when there is no such show.
    [[nodiscard]] int sold(const std::string& show = "s-1") {
        auto in = context();
        const sluice::unit_of_work work{in};
        const Show* found = in.repository<Show>().find(show);
        return found == nullptr ? -1 : found->sold();
    }
    [[nodiscard]] std::vector<sluice::store::outbox_row> rows() {
        auto all = database->open_operations()->list({.limit = 1000});
        return {all.rbegin(), all.rend()};
    }
    [[nodiscard]] sluice::message_metadata metadata_of(const std::string& message_id) {
        const auto event = database->open_operations()->event(message_id);
        return sluice::envelope::decode_metadata(sluice::json::parse(event.value().metadata));
    }
    /// The stored message as the internal broker would hand it out.
    [[nodiscard]] sluice::message message_of(const std::string& message_id) {
        const auto event = database->open_operations()->event(message_id).value();
        return sluice::message::decode(sluice::envelope::render_internal(event.data, event.metadata));
    }

    std::shared_ptr<script> does = std::make_shared<script>();
    sluice::domain domain{"Box Office"};
    sluice::testing::virtual_clock clock;
    sluice::testing::virtual_sleeper sleeper{clock};
    sluice::base::seeded_random random{7};
    std::shared_ptr<sluice::testing::meddled_database> database =
        std::make_shared<sluice::testing::meddled_database>(sluice::store::make_memory_database("box_office"));
    std::unique_ptr<sluice::commit::environment> env;
};

}  // namespace box_office
