#pragma once

#include <sluice/sluice.hpp>

namespace bank {

class Account;

struct AccountOpened {
    static constexpr sluice::event_of<Account> contract{};
    sluice::identifier account_id;
    sluice::string<60> owner;
};

struct MoneyDeposited {
    static constexpr sluice::event_of<Account> contract{};
    sluice::identifier account_id;
    std::int64_t cents;
};

struct MoneyWithdrawn {
    static constexpr sluice::event_of<Account> contract{};
    sluice::identifier account_id;
    std::int64_t cents;
};

struct AccountClosed {
    static constexpr sluice::event_of<Account> contract{};
    sluice::identifier account_id;
};

// The steps of a transfer, as the two accounts see them.

struct MoneySent {
    static constexpr sluice::event_of<Account> contract{};
    sluice::identifier account_id;
    sluice::identifier transfer_id;
    std::int64_t cents;
};

struct SendingRefused {
    static constexpr sluice::event_of<Account> contract{};
    sluice::identifier account_id;
    sluice::identifier transfer_id;
    sluice::text reason;
};

struct MoneyReceived {
    static constexpr sluice::event_of<Account> contract{};
    sluice::identifier account_id;
    sluice::identifier transfer_id;
    std::int64_t cents;
};

struct ReceivingRefused {
    static constexpr sluice::event_of<Account> contract{};
    sluice::identifier account_id;
    sluice::identifier transfer_id;
    sluice::text reason;
};

struct MoneyReturned {
    static constexpr sluice::event_of<Account> contract{};
    sluice::identifier account_id;
    sluice::identifier transfer_id;
    std::int64_t cents;
};

// [account]
/// A ledger account. Its state is what its events add up to, and nothing else is stored.
class Account : public sluice::event_sourced<Account> {
public:
    Account() = default;
    Account(const sluice::identifier& account_id, const sluice::string<60>& owner) {
        raise(AccountOpened{.account_id = account_id, .owner = owner});
    }

    void deposit(std::int64_t cents) { raise(MoneyDeposited{.account_id = account_id_, .cents = cents}); }
    void withdraw(std::int64_t cents) { raise(MoneyWithdrawn{.account_id = account_id_, .cents = cents}); }
    void close() { raise(AccountClosed{.account_id = account_id_}); }

    [[nodiscard]] std::int64_t balance() const { return balance_; }

    /// Holds after every event, or the event does not happen.
    void check(sluice::violations& v) const {
        if (balance_ < 0) v.add("balance", "the account is not covered");
        if (!open_ && balance_ != 0) v.add("balance", "only an empty account can be closed");
    }
    // [/account]

    // A step of a transfer that cannot be done is an answer, not an error: the process must hear of it.

    void send(const sluice::identifier& transfer_id, std::int64_t cents) {
        if (!open_ || balance_ < cents) {
            raise(SendingRefused{.account_id = account_id_,
                                 .transfer_id = transfer_id,
                                 .reason = open_ ? "the account is not covered" : "the account is closed"});
            return;
        }
        raise(MoneySent{.account_id = account_id_, .transfer_id = transfer_id, .cents = cents});
    }

    void receive(const sluice::identifier& transfer_id, std::int64_t cents) {
        if (!open_) {
            raise(ReceivingRefused{
                .account_id = account_id_, .transfer_id = transfer_id, .reason = "the account is closed"});
            return;
        }
        raise(MoneyReceived{.account_id = account_id_, .transfer_id = transfer_id, .cents = cents});
    }

    void take_back(const sluice::identifier& transfer_id, std::int64_t cents) {
        raise(MoneyReturned{.account_id = account_id_, .transfer_id = transfer_id, .cents = cents});
    }

private:
    friend sluice::event_sourced<Account>;

    // [apply]
    void apply(const AccountOpened& e) {
        account_id_ = e.account_id;
        open_ = true;
    }
    void apply(const MoneyDeposited& e) { balance_ += e.cents; }
    void apply(const MoneyWithdrawn& e) { balance_ -= e.cents; }
    void apply(const AccountClosed& /*e*/) { open_ = false; }
    // [/apply]
    void apply(const MoneySent& e) { balance_ -= e.cents; }
    void apply(const SendingRefused& /*e*/) {}
    void apply(const MoneyReceived& e) { balance_ += e.cents; }
    void apply(const ReceivingRefused& /*e*/) {}
    void apply(const MoneyReturned& e) {
        open_ = true;  // what comes back needs a place, even if its owner has gone
        balance_ += e.cents;
    }

    sluice::identifier account_id_;
    std::int64_t balance_ = 0;
    bool open_ = false;
    BOOST_DESCRIBE_CLASS(Account, (), (), (), (account_id_, balance_, open_))
};

}  // namespace bank
