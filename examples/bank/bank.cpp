#include "bank.hpp"

#include "commands.hpp"
#include "statement.hpp"
#include "transfer_process.hpp"

namespace bank {

namespace {

struct account_commands {
    void operator()(const OpenAccount& c, sluice::context& bank) const {
        bank.repository<Account>().add(Account{c.account_id, c.owner});
    }
    // [result]
    std::int64_t operator()(const Deposit& c, sluice::context& bank) const {
        Account& account = bank.repository<Account>().get(c.account_id.view());
        account.deposit(c.cents);
        return account.balance();
    }
    // [/result]
    std::int64_t operator()(const Withdraw& c, sluice::context& bank) const {
        Account& account = bank.repository<Account>().get(c.account_id.view());
        account.withdraw(c.cents);
        return account.balance();
    }
    void operator()(const CloseAccount& c, sluice::context& bank) const {
        bank.repository<Account>().get(c.account_id.view()).close();
    }
    // [temporal]
    std::int64_t operator()(const BalanceAt& c, sluice::context& bank) const {
        return bank.repository<Account>().at_time(c.account_id.view(), c.time).balance();
    }
    // [/temporal]
    void operator()(const SendMoney& c, sluice::context& bank) const {
        bank.repository<Account>().get(c.account_id.view()).send(c.transfer_id, c.cents);
    }
    void operator()(const ReceiveMoney& c, sluice::context& bank) const {
        bank.repository<Account>().get(c.account_id.view()).receive(c.transfer_id, c.cents);
    }
    void operator()(const ReturnMoney& c, sluice::context& bank) const {
        bank.repository<Account>().get(c.account_id.view()).take_back(c.transfer_id, c.cents);
    }
};

struct transfer_commands {
    void operator()(const RequestTransfer& c, sluice::context& bank) const {
        bank.repository<Transfer>().add(Transfer{c.transfer_id, c.from, c.to, c.cents});
    }
    void operator()(const CompleteTransfer& c, sluice::context& bank) const {
        bank.repository<Transfer>().get(c.transfer_id.view()).complete();
    }
    void operator()(const FailTransfer& c, sluice::context& bank) const {
        bank.repository<Transfer>().get(c.transfer_id.view()).fail(c.reason);
    }
    void operator()(const ReportDelay& c, sluice::context& bank) const {
        bank.repository<Transfer>().get(c.transfer_id.view()).be_late();
    }
};

}  // namespace

// [domain]
sluice::domain make_domain() {
    sluice::domain bank{"bank"};
    bank.aggregate<Account>()
        .events<AccountOpened, MoneyDeposited, MoneyWithdrawn, AccountClosed, MoneySent, SendingRefused, MoneyReceived,
                ReceivingRefused, MoneyReturned>();
    bank.aggregate<Transfer>().events<TransferRequested, TransferDelayed, TransferCompleted, TransferFailed>();
    bank.command_handler<account_commands, OpenAccount, Deposit, Withdraw, CloseAccount, BalanceAt, SendMoney,
                         ReceiveMoney, ReturnMoney>();
    bank.command_handler<transfer_commands, RequestTransfer, CompleteTransfer, FailTransfer, ReportDelay>();
    bank.process_manager<TransferProcess>()
        .starts<TransferRequested>(&TransferRequested::transfer_id)
        .continues<MoneySent>(&MoneySent::transfer_id)
        .continues<ReceivingRefused>(&ReceivingRefused::transfer_id)
        .completes<MoneyReceived>(&MoneyReceived::transfer_id)
        .completes<SendingRefused>(&SendingRefused::transfer_id)
        .completes<MoneyReturned>(&MoneyReturned::transfer_id);
    bank.projector<statement_projector, Statement, AccountOpened, MoneyDeposited, MoneyWithdrawn, MoneySent,
                   MoneyReceived, MoneyReturned>({.indexes = {{"owner"}}});
    return bank;
}
// [/domain]

}  // namespace bank
