// Random lives of event-sourced accounts: commands that are refused, units that are given up, collide, or die with
// their connection before or after the commit, and snapshots at any time. Whatever happens, each account's balance is
// the sum of the events that were committed, and reading from a snapshot gives what reading all events gives.
//
// SLUICE_SEED=<n> repeats one life; SLUICE_RUNS=<n> changes how many are lived.

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <numeric>

#include "commit/snapshot.hpp"
#include "property/seeds.hpp"
#include "store/sqlite/sqlite_database.hpp"
#include "support/meddled_database.hpp"
#include "support/temporary_directory.hpp"
#include "unit/commit/ledger.hpp"

namespace sluice::testing {
namespace {

using ledger::Account;

/// What one unit of work asks for; remembered as done once it was committed.
using bookings = std::map<std::string, std::vector<std::int64_t>>;

class account_world {
public:
    account_world(std::uint64_t seed, std::shared_ptr<store::database> database)
        : chance_{seed},
          bank_{ledger::make_domain({.account = {.facts = facts::internal, .snapshot_every = 1 + chance_.next() % 6}}),
                0, dying(std::move(database))} {}

    void live(int steps) {
        for (int i = 0; i < steps; ++i) {
            bank_.clock.advance(duration{1});
            switch (chance_.next() % 8) {
                case 0:
                    open();
                    break;
                case 1:
                    collide();
                    break;
                case 2:
                    give_up();
                    break;
                case 3:
                    take_snapshot();
                    break;
                default:
                    book();
            }
            if (i % 5 == 0) check(some_account());
        }
        for (const auto& [id, done] : done_) check_every_version(id);
        for (std::uint64_t i = 0; i < accounts; ++i) check(name_of(i));
    }

private:
    static constexpr std::uint64_t accounts = 3;

    /// The same database for units of work whose commits die now and then, on their way or with their answer: the
    /// process or its connection is gone then.
    std::shared_ptr<store::database> dying(std::shared_ptr<store::database> behind) {
        constexpr double chance_to_die = 0.05;
        auto dies = std::make_shared<meddled_database>(std::move(behind));
        dies->before_commit = [this](const auto&) {
            if (chance_.uniform() >= chance_to_die) return;
            throw store_error{"the connection died before the commit", error_nature::retryable};
        };
        dies->after_commit = [this](const auto&) {
            if (chance_.uniform() >= chance_to_die) return;
            ++silent_commits_;
            throw store_error{"the connection died before the answer", error_nature::in_doubt};
        };
        return dies;
    }

    static std::string name_of(std::uint64_t number) { return "a-" + std::to_string(number); }
    std::string some_account() { return name_of(chance_.next() % accounts); }
    std::int64_t some_amount() {
        const auto cents = static_cast<std::int64_t>(chance_.next() % 200) - 100;
        return cents == 0 || std::abs(cents) == Account::unlucky ? 1 : cents;
    }

    /// Runs a unit; what it did counts when the commit took effect, told or not.
    template <class Body>
    void in_a_unit(const Body& body) {
        bookings asked;
        int silent = silent_commits_;
        bool told = false;
        try {
            bank_.work([&](context& in) {
                body(in, asked);
                silent = silent_commits_;  // the body may have run a unit of its own
            });
            told = true;
        } catch (const store_error&) {
        } catch (const expected_version_error&) {
        }
        if (!told && silent_commits_ == silent) return;
        for (const auto& [id, amounts] : asked) done_[id].insert(done_[id].end(), amounts.begin(), amounts.end());
    }

    void move(Account& account, const std::string& id, bookings& asked) {
        const std::int64_t cents = some_amount();
        try {
            cents > 0 ? account.deposit(cents) : account.withdraw(-cents);
            asked[id].push_back(cents);
        } catch (const validation_error&) {
        }
    }

    void open() {
        const std::string id = some_account();
        in_a_unit([&](context& in, bookings& asked) {
            Account& account = in.repository<Account>().add(Account{id, "ada"});
            asked[id];
            move(account, id, asked);
        });
    }

    void book() {
        in_a_unit([&](context& in, bookings& asked) {
            for (int left = static_cast<int>(chance_.next() % 4); left >= 0; --left) {
                const std::string id = some_account();
                if (Account* account = in.repository<Account>().find(id)) move(*account, id, asked);
            }
        });
    }

    /// Two units on one account, of which the second to commit must not win.
    void collide() {
        const std::string id = some_account();
        in_a_unit([&](context& in, bookings& asked) {
            Account* account = in.repository<Account>().find(id);
            if (account == nullptr) return;
            in_a_unit([&](context& other, bookings& others) { move(other.repository<Account>().get(id), id, others); });
            move(*account, id, asked);
        });
    }

    void give_up() {
        auto in = bank_.context();
        const unit_of_work unit{in};
        bookings forgotten;
        const std::string id = some_account();
        if (Account* account = in.repository<Account>().find(id)) move(*account, id, forgotten);
    }

    void take_snapshot() {
        try {
            static_cast<void>(
                commit::create_snapshot(*bank_.env, bank_.env->domain().aggregate("ledger::Account"), some_account()));
        } catch (const store_error&) {
        }
    }

    void check(const std::string& id) {
        auto in = bank_.context();
        const unit_of_work unit{in};
        const Account* account = in.repository<Account>().find(id);
        ASSERT_EQ(account != nullptr, done_.contains(id)) << id;
        if (account == nullptr) return;
        EXPECT_EQ(account->bookings(), done_[id]) << id;
        EXPECT_EQ(account->balance(), std::accumulate(done_[id].begin(), done_[id].end(), std::int64_t{0})) << id;
        const Account replayed = in.repository<Account>().at_time(id, bank_.clock.now());
        EXPECT_EQ(replayed.bookings(), account->bookings()) << "from the first event on, " << id;
        EXPECT_EQ(replayed.version(), account->version()) << id;
        const auto fact = bank_.session->last_of_stream("bank::account-fact-" + id);
        ASSERT_TRUE(fact);
        EXPECT_EQ(json::parse(fact->event.data).at("balance").as_int(), account->balance()) << id;
    }

    void check_every_version(const std::string& id) {
        auto in = bank_.context();
        const unit_of_work unit{in};
        std::int64_t balance = 0;
        for (std::size_t version = 0; version <= done_[id].size(); ++version) {
            if (version > 0) balance += done_[id][version - 1];
            const Account then = in.repository<Account>().at_version(id, static_cast<std::int64_t>(version));
            EXPECT_EQ(then.balance(), balance) << id << " at version " << version;
        }
    }

    base::seeded_random chance_;
    int silent_commits_ = 0;  ///< took effect without anybody being told
    ledger::fixture bank_;
    bookings done_;
};

template <class MakeDatabase>
void live_many_lives(std::uint64_t usual, MakeDatabase make_database) {
    constexpr int steps_of_a_life = 120;
    live_many(usual, [&](std::uint64_t seed) { account_world{seed, make_database()}.live(steps_of_a_life); });
}

TEST(event_sourcing_property, holds_over_memory) {
    live_many_lives(40, [] { return store::make_memory_database("bank"); });
}

TEST(event_sourcing_property, holds_over_sqlite) {
    const temporary_directory directory;
    int life = 0;
    live_many_lives(5, [&] {
        return store::make_sqlite_database(
            {.path = directory / (std::to_string(++life) + ".db"), .synchronous = store::sqlite_synchronous::normal});
    });
}

}  // namespace
}  // namespace sluice::testing
