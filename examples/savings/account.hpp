#pragma once

#include <cstdint>

#include <sluice/sluice.hpp>

namespace bank {

// [events]
class Account;

struct AccountOpened {
    static constexpr sluice::event_of<Account> contract{};
    sluice::identifier account_id;
    sluice::string<80> owner;
};

struct MoneyDeposited {
    static constexpr sluice::event_of<Account> contract{};
    sluice::identifier account_id;
    std::int64_t cents = 0;
};

struct MoneyWithdrawn {
    static constexpr sluice::event_of<Account> contract{};
    sluice::identifier account_id;
    std::int64_t cents = 0;
};
// [/events]

// [account]
class Account : public sluice::event_sourced<Account> {
public:
    Account() = default;
    Account(const sluice::identifier& account_id, const sluice::string<80>& owner) {
        raise(AccountOpened{.account_id = account_id, .owner = owner});
    }

    void deposit(std::int64_t cents) { raise(MoneyDeposited{.account_id = account_id_, .cents = cents}); }
    void withdraw(std::int64_t cents) { raise(MoneyWithdrawn{.account_id = account_id_, .cents = cents}); }
    [[nodiscard]] const sluice::identifier& id() const { return account_id_; }
    [[nodiscard]] std::int64_t balance() const { return balance_; }

    void check(sluice::violations& broken) const {
        if (balance_ < 0) broken.add("balance", "must not be negative");
    }

private:
    friend sluice::event_sourced<Account>;  // may call the functions below

    void apply(const AccountOpened& e) {
        account_id_ = e.account_id;
        owner_ = e.owner;
    }
    void apply(const MoneyDeposited& e) { balance_ += e.cents; }
    void apply(const MoneyWithdrawn& e) { balance_ -= e.cents; }

    sluice::identifier account_id_;
    sluice::string<80> owner_;
    std::int64_t balance_ = 0;

    BOOST_DESCRIBE_CLASS(Account, (), (), (), (account_id_, owner_, balance_))
};
// [/account]

// [service]
/// A domain service: what concerns two accounts belongs to neither.
inline void transfer(Account& from, Account& to, std::int64_t cents) {
    from.withdraw(cents);
    to.deposit(cents);
}
// [/service]

}  // namespace bank
