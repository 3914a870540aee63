// An event-sourced aggregate with snapshots and facts, and one that is stored as its state: docs/event-sourcing.md and
// docs/domain-model.md are made of it.
#include <sluice/sluice.hpp>

#include <iostream>

#include "account.hpp"
#include "customer.hpp"

namespace bank {

struct OpenAccount {
    static constexpr sluice::command_of<Account> contract{};
    sluice::identifier account_id;
    sluice::string<80> owner;
};

struct DepositMoney {
    static constexpr sluice::command_of<Account> contract{};
    sluice::identifier account_id;
    std::int64_t cents = 0;
};

struct TransferMoney {
    static constexpr sluice::command_of<Account> contract{};
    sluice::identifier from_account;
    sluice::identifier to_account;
    std::int64_t cents = 0;
};

struct CompareBalance {
    static constexpr sluice::command_of<Account> contract{};
    sluice::identifier account_id;
    sluice::date_time then;
};

// [commands]
struct account_commands {
    void operator()(const OpenAccount& command, sluice::context& bank) const {
        bank.repository<Account>().add(Account{command.account_id, command.owner});
    }
    void operator()(const DepositMoney& command, sluice::context& bank) const {
        bank.repository<Account>().get(command.account_id.str()).deposit(command.cents);
    }
    void operator()(const TransferMoney& command, sluice::context& bank) const {
        const auto accounts = bank.repository<Account>();
        transfer(accounts.get(command.from_account.str()), accounts.get(command.to_account.str()), command.cents);
    }
};
// [/commands]

struct history_commands {
    void operator()(const CompareBalance& command, sluice::context& bank) const {
        // [past]
        const auto accounts = bank.repository<Account>();
        const std::string id = command.account_id.str();
        const Account opened = accounts.at_version(id, 0);        // after its first event
        const Account then = accounts.at_time(id, command.then);  // as it was at that time
        const std::int64_t earned = accounts.get(id).balance() - then.balance();
        // [/past]
        if (earned < 0 || opened.balance() != 0) {
            throw sluice::validation_error{"Account", {{"balance", "has become smaller since then"}}};
        }
    }
};

// [facts]
/// Sees the whole state after each change.
struct watch_large_balances {
    void operator()(const sluice::fact<Account>& now, sluice::context& /*bank*/) const {
        constexpr std::int64_t large = 1'000'000;
        if (now.state.balance() < large) return;
        std::clog << now.state.id().view() << " holds " << now.state.balance() << " cents at version " << now.version
                  << '\n';
    }
};
// [/facts]

sluice::domain make_domain() {
    sluice::domain bank{"bank"};
    // [declaration]
    bank.aggregate<Account>({.facts = sluice::facts::published, .snapshot_every = 50})
        .events<AccountOpened, MoneyDeposited, MoneyWithdrawn>();
    // [/declaration]
    bank.aggregate<Customer>().events<CustomerMoved>();
    bank.command_handler<account_commands, OpenAccount, DepositMoney, TransferMoney>();
    bank.command_handler<history_commands, CompareBalance>();
    bank.event_handler<watch_large_balances, sluice::fact<Account>>();
    return bank;
}

}  // namespace bank

SLUICE_DOMAIN(bank::make_domain)
