#pragma once

#include "account.hpp"
#include "transfer.hpp"

namespace bank {

// What customers ask for.

struct OpenAccount {
    static constexpr sluice::command_of<Account> contract{};
    sluice::identifier account_id;
    sluice::string<60> owner;
};

/// Tells the new balance.
struct Deposit {
    static constexpr sluice::command_of<Account, std::int64_t> contract{};
    sluice::identifier account_id;
    std::int64_t cents;
    void check(sluice::violations& v) const {
        if (cents <= 0) v.add("cents", "must be positive");
    }
};

/// Tells the new balance.
struct Withdraw {
    static constexpr sluice::command_of<Account, std::int64_t> contract{};
    sluice::identifier account_id;
    std::int64_t cents;
    void check(sluice::violations& v) const {
        if (cents <= 0) v.add("cents", "must be positive");
    }
};

struct CloseAccount {
    static constexpr sluice::command_of<Account> contract{};
    sluice::identifier account_id;
};

struct RequestTransfer {
    static constexpr sluice::command_of<Transfer> contract{};
    sluice::identifier transfer_id;
    sluice::identifier from;
    sluice::identifier to;
    std::int64_t cents;
    void check(sluice::violations& v) const {
        if (cents <= 0) v.add("cents", "must be positive");
        if (from == to) v.add("to", "must be another account");
    }
};

/// Tells what the balance was.
struct BalanceAt {
    static constexpr sluice::command_of<Account, std::int64_t> contract{};
    sluice::identifier account_id;
    sluice::date_time time;
};

// The steps of a transfer, given by its process.

struct SendMoney {
    static constexpr sluice::command_of<Account> contract{};
    sluice::identifier account_id;
    sluice::identifier transfer_id;
    std::int64_t cents;
};

struct ReceiveMoney {
    static constexpr sluice::command_of<Account> contract{};
    sluice::identifier account_id;
    sluice::identifier transfer_id;
    std::int64_t cents;
};

struct ReturnMoney {
    static constexpr sluice::command_of<Account> contract{};
    sluice::identifier account_id;
    sluice::identifier transfer_id;
    std::int64_t cents;
};

struct CompleteTransfer {
    static constexpr sluice::command_of<Transfer> contract{};
    sluice::identifier transfer_id;
};

struct FailTransfer {
    static constexpr sluice::command_of<Transfer> contract{};
    sluice::identifier transfer_id;
    sluice::text reason;
};

struct ReportDelay {
    static constexpr sluice::command_of<Transfer> contract{};
    sluice::identifier transfer_id;
};

}  // namespace bank
