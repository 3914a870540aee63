#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <sluice/sluice.hpp>

#include "base/random.hpp"
#include "command/invocation.hpp"
#include "commit/environment.hpp"
#include "store/memory/memory_database.hpp"
#include "support/virtual_clock.hpp"

/// An event-sourced aggregate and one that is stored as its state, for the tests of the commit room.
namespace ledger {

class Account;

struct AccountOpened {
    static constexpr sluice::event_of<Account> contract{};
    sluice::identifier account_id;
    sluice::string<20> owner;
};

struct MoneyDeposited {
    static constexpr sluice::event_of<Account> contract{.published = true};
    sluice::identifier account_id;
    std::int64_t cents = 0;
};

struct MoneyWithdrawn {
    static constexpr sluice::event_of<Account> contract{};
    sluice::identifier account_id;
    std::int64_t cents = 0;
};

struct AccountClosed {
    static constexpr sluice::event_of<Account> contract{};
    sluice::identifier account_id;
};

/// Its `apply` does what none may: it takes something from outside of the event.
struct DiceRolled {
    static constexpr sluice::event_of<Account> contract{};
    sluice::identifier account_id;
};

class Account : public sluice::event_sourced<Account> {
public:
    static constexpr std::int64_t unlucky = 13;

    Account() = default;
    Account(const sluice::identifier& id, const std::string& owner) {
        raise(AccountOpened{.account_id = id, .owner = owner});
    }

    void deposit(std::int64_t cents) { raise(MoneyDeposited{.account_id = account_id_, .cents = cents}); }
    void withdraw(std::int64_t cents) { raise(MoneyWithdrawn{.account_id = account_id_, .cents = cents}); }
    void close() { raise(AccountClosed{.account_id = account_id_}); }
    void roll_dice() { raise(DiceRolled{.account_id = account_id_}); }
    void cheat(std::int64_t cents) { balance_ += cents; }

    [[nodiscard]] std::int64_t balance() const { return balance_; }
    [[nodiscard]] const std::vector<std::int64_t>& bookings() const { return bookings_; }

    void check_before(sluice::violations& broken) const {
        if (closed_) broken.add({}, "is closed");
        if (account_id_.empty()) broken.add("account_id", "is asked for before the first event");
    }
    void check(sluice::violations& broken) const {
        if (balance_ < 0) broken.add("balance", "must not be negative");
    }

private:
    friend sluice::event_sourced<Account>;

    void apply(const AccountOpened& e) {
        account_id_ = e.account_id;
        owner_ = e.owner.str();
    }
    void apply(const MoneyDeposited& e) { book(e.cents); }
    void apply(const MoneyWithdrawn& e) { book(-e.cents); }
    void apply(const AccountClosed&) { closed_ = true; }
    void apply(const DiceRolled&) {
        static std::int64_t rolls = 0;
        balance_ += ++rolls;
    }
    void book(std::int64_t cents) {
        bookings_.push_back(cents);
        if (cents == unlucky) throw std::runtime_error{"unlucky"};
        balance_ += cents;
    }

    sluice::identifier account_id_;
    std::string owner_;
    std::int64_t balance_ = 0;
    bool closed_ = false;
    std::vector<std::int64_t> bookings_;

    BOOST_DESCRIBE_CLASS(Account, (), (), (), (account_id_, owner_, balance_, closed_, bookings_))
};

struct Position {
    sluice::identifier paper;
    int quantity = 1;

    void check(sluice::violations& broken) const {
        if (quantity < 1) broken.add("quantity", "must be at least 1");
    }
};

class Depot;

struct PaperBought {
    static constexpr sluice::event_of<Depot> contract{};
    sluice::identifier depot_id;
    sluice::identifier paper;
    int quantity = 0;
};

/// Stored as its state; an entity for each paper.
class Depot : public sluice::aggregate<Depot> {
public:
    Depot() = default;
    explicit Depot(sluice::identifier id) : depot_id_{std::move(id)} {}

    void buy(const std::string& paper, int quantity) {
        change([&] { book(paper, quantity); });
    }
    void buy_unguarded(const std::string& paper, int quantity) { book(paper, quantity); }
    void buy_and_fail(const std::string& paper) {
        change([&] {
            book(paper, 1);
            throw std::runtime_error{"the exchange is closed"};
        });
    }
    void freeze() { frozen_ = true; }
    void note(const std::string& text) { note_ = text; }
    [[nodiscard]] std::size_t papers() const { return positions_.size(); }
    [[nodiscard]] const std::string& noted() const { return note_; }

    void check_before(sluice::violations& broken) const {
        if (frozen_) broken.add({}, "is frozen");
    }
    void check(sluice::violations& broken) const {
        if (positions_.size() > 3) broken.add("positions", "are too many");
    }

private:
    void book(const std::string& paper, int quantity) {
        positions_.push_back({.paper = paper, .quantity = quantity});
        raise(PaperBought{.depot_id = depot_id_, .paper = paper, .quantity = quantity});
    }

    sluice::identifier depot_id_;
    std::vector<Position> positions_;
    bool frozen_ = false;
    std::string note_;

    BOOST_DESCRIBE_CLASS(Depot, (), (), (), (depot_id_, positions_, frozen_, note_))
};

struct options {
    sluice::aggregate_options account{};
    sluice::aggregate_options depot{};
};

inline sluice::domain make_domain(const options& with = {}) {
    sluice::domain domain{"bank"};
    domain.aggregate<Account>(with.account)
        .events<AccountOpened, MoneyDeposited, MoneyWithdrawn, AccountClosed, DiceRolled>();
    domain.aggregate<Depot>(with.depot).events<PaperBought>();
    return domain;
}

/// The domain on a memory store with an internal and one external broker; no lane runs.
struct fixture {
    explicit fixture(const options& with = {}, std::size_t snapshot_every = 100)
        : fixture{make_domain(with), snapshot_every} {}
    fixture(sluice::domain d, std::size_t snapshot_every,
            std::shared_ptr<sluice::store::database> on = sluice::store::make_memory_database("bank"))
        : domain{std::move(d)}, database{std::move(on)} {
        domain.validate();
        database->setup();
        sluice::config::configuration configuration;
        configuration.outbox.external_brokers = {"partner"};
        configuration.event_sourcing.snapshot_every = snapshot_every;
        sluice::commit::adapters parts;
        parts.databases.emplace("default", database);
        env = std::make_unique<sluice::commit::environment>(domain.declared(), configuration, parts, clock, random);
        session = database->open_unit();
    }

    [[nodiscard]] sluice::context context() { return sluice::command::make_context(*env); }

    /// Runs `body(context)` in a unit of its own and commits.
    template <class Body>
    void work(const Body& body) {
        auto in = context();
        sluice::unit_of_work unit{in};
        body(in);
        unit.commit();
    }
    void open(const std::string& id, std::int64_t cents = 0) {
        work([&](auto& in) {
            Account& account = in.template repository<Account>().add(Account{id, "ada"});
            if (cents != 0) account.deposit(cents);
        });
    }
    void deposit(const std::string& id, std::int64_t cents) {
        work([&](auto& in) { in.template repository<Account>().get(id).deposit(cents); });
    }
    [[nodiscard]] Account read(const std::string& id) {
        auto in = context();
        const sluice::unit_of_work unit{in};
        return in.repository<Account>().get(id);
    }
    [[nodiscard]] std::vector<sluice::store::stream_event> stream(const std::string& name) {
        return session->read_stream(name, 0, 1000);
    }
    [[nodiscard]] std::vector<sluice::store::outbox_row> rows(const std::string& message_id) {
        return database->open_operations()->list({.message_id = message_id});
    }

    sluice::domain domain;
    sluice::testing::virtual_clock clock;
    sluice::base::seeded_random random{7};
    std::shared_ptr<sluice::store::database> database;
    std::unique_ptr<sluice::commit::environment> env;
    std::unique_ptr<sluice::store::unit_session> session;
};

/// What the call throws; empty when it throws nothing of that kind.
template <class Error, class Call>
std::string message_of(const Call& call) {
    try {
        call();
    } catch (const Error& e) {
        return e.what();
    }
    return {};
}

}  // namespace ledger
