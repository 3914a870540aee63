#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

#include <sluice/sluice.hpp>

/// A small bank: money is taken from one account at once, and goes to the other when its owner accepts it. When nobody
/// does in time, it comes back.
namespace bank {

class Account;
class Payment;

struct TransferRequested {
    static constexpr sluice::event_of<Payment> contract{};
    sluice::identifier transfer_id;
    sluice::identifier from;
    sluice::identifier to;
    std::int64_t amount = 0;
};

struct TransferAccepted {
    static constexpr sluice::event_of<Payment> contract{};
    sluice::identifier transfer_id;
};

struct TransferExpired {
    static constexpr sluice::event_of<Payment> contract{};
    sluice::identifier transfer_id;
};

struct Withdrawn {
    static constexpr sluice::event_of<Account> contract{};
    sluice::identifier account_id;
    std::string reference{};
    std::int64_t amount = 0;
};

struct Deposited {
    static constexpr sluice::event_of<Account> contract{};
    sluice::identifier account_id;
    std::string reference{};
    std::int64_t amount = 0;
};

/// Decides, once, whether a transfer was accepted or has expired.
class Payment : public sluice::aggregate<Payment> {
public:
    Payment() = default;
    Payment(sluice::identifier id, const sluice::identifier& from, const sluice::identifier& to, std::int64_t amount)
        : transfer_id_{std::move(id)} {
        raise(TransferRequested{.transfer_id = transfer_id_, .from = from, .to = to, .amount = amount});
    }
    void accept() {
        if (outcome_ != "open") return;
        outcome_ = "accepted";
        raise(TransferAccepted{.transfer_id = transfer_id_});
    }
    void expire() {
        if (outcome_ != "open") return;
        outcome_ = "expired";
        raise(TransferExpired{.transfer_id = transfer_id_});
    }
    [[nodiscard]] const std::string& outcome() const { return outcome_; }

private:
    sluice::identifier transfer_id_;
    std::string outcome_ = "open";
    BOOST_DESCRIBE_CLASS(Payment, (), (), (), (transfer_id_, outcome_))
};

class Account : public sluice::aggregate<Account> {
public:
    Account() = default;
    Account(sluice::identifier id, std::int64_t balance) : account_id_{std::move(id)}, balance_{balance} {}

    void withdraw(std::int64_t amount, const std::string& reference) {
        balance_ -= amount;
        raise(Withdrawn{.account_id = account_id_, .reference = reference, .amount = amount});
    }
    void deposit(std::int64_t amount, const std::string& reference) {
        balance_ += amount;
        raise(Deposited{.account_id = account_id_, .reference = reference, .amount = amount});
    }
    [[nodiscard]] std::int64_t balance() const { return balance_; }
    void check(sluice::violations& broken) const {
        if (balance_ < 0) broken.add("balance", "must not be negative");
    }

private:
    sluice::identifier account_id_;
    std::int64_t balance_ = 0;
    BOOST_DESCRIBE_CLASS(Account, (), (), (), (account_id_, balance_))
};

struct OpenAccount {
    static constexpr sluice::command_of<Account> contract{};
    sluice::identifier account_id;
    std::int64_t balance = 0;
};

struct Withdraw {
    static constexpr sluice::command_of<Account> contract{};
    sluice::identifier account_id;
    std::string reference{};
    std::int64_t amount = 0;
};

struct Deposit {
    static constexpr sluice::command_of<Account> contract{};
    sluice::identifier account_id;
    std::string reference{};
    std::int64_t amount = 0;
};

struct RequestTransfer {
    static constexpr sluice::command_of<Payment> contract{};
    sluice::identifier transfer_id;
    sluice::identifier from;
    sluice::identifier to;
    std::int64_t amount = 0;
};

struct AcceptTransfer {
    static constexpr sluice::command_of<Payment> contract{};
    sluice::identifier transfer_id;
};

struct ExpireTransfer {
    static constexpr sluice::command_of<Payment> contract{};
    sluice::identifier transfer_id;
};

struct commands {
    void operator()(const OpenAccount& c, sluice::context& bank) const {
        bank.repository<Account>().add(Account{c.account_id, c.balance});
    }
    void operator()(const Withdraw& c, sluice::context& bank) const {
        bank.repository<Account>().get(c.account_id.str()).withdraw(c.amount, c.reference);
    }
    void operator()(const Deposit& c, sluice::context& bank) const {
        bank.repository<Account>().get(c.account_id.str()).deposit(c.amount, c.reference);
    }
    void operator()(const RequestTransfer& c, sluice::context& bank) const {
        bank.repository<Payment>().add(Payment{c.transfer_id, c.from, c.to, c.amount});
    }
    void operator()(const AcceptTransfer& c, sluice::context& bank) const {
        bank.repository<Payment>().get(c.transfer_id.str()).accept();
    }
    void operator()(const ExpireTransfer& c, sluice::context& bank) const {
        bank.repository<Payment>().get(c.transfer_id.str()).expire();
    }
};

/// How long a transfer waits to be accepted. Tests are less patient.
inline std::atomic<sluice::duration> patience{std::chrono::minutes{5}};

// [transfer]
class Transfer : public sluice::process_manager<Transfer> {
public:
    void on(const TransferRequested& e, sluice::context& bank) {
        from_ = e.from;
        to_ = e.to;
        amount_ = e.amount;
        bank.process(Withdraw{.account_id = from_, .reference = correlation(), .amount = amount_});
        in_time("acceptance", patience);  // five minutes
    }
    void on(const TransferAccepted&, sluice::context& bank) {
        cancel("acceptance");
        bank.process(Deposit{.account_id = to_, .reference = correlation(), .amount = amount_});
    }
    void on(const sluice::timeout&, sluice::context& bank) {
        // The payment decides: it may have been accepted a moment ago.
        bank.process(ExpireTransfer{.transfer_id = correlation()});
    }
    void on(const TransferExpired&, sluice::context& bank) {
        bank.process(Deposit{.account_id = from_, .reference = correlation(), .amount = amount_});
    }
    void on(const Deposited&, sluice::context&) {}

private:
    sluice::identifier from_;
    sluice::identifier to_;
    std::int64_t amount_ = 0;
    BOOST_DESCRIBE_CLASS(Transfer, (), (), (), (from_, to_, amount_))
};
// [/transfer]

inline sluice::domain make_domain() {
    sluice::domain bank{"bank"};
    bank.aggregate<Account>().events<Withdrawn, Deposited>();
    bank.aggregate<Payment>().events<TransferRequested, TransferAccepted, TransferExpired>();
    bank.command_handler<commands, OpenAccount, Withdraw, Deposit, RequestTransfer, AcceptTransfer, ExpireTransfer>();
    // [declaration]
    bank.process_manager<Transfer>()
        .starts<TransferRequested>(&TransferRequested::transfer_id)
        .continues<TransferAccepted>(&TransferAccepted::transfer_id)
        .continues<TransferExpired>(&TransferExpired::transfer_id)
        .completes<Deposited>(&Deposited::reference);
    // [/declaration]
    return bank;
}

}  // namespace bank
