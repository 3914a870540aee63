#pragma once

#include <chrono>

#include "commands.hpp"

namespace bank {

// [process]
/// Moves money from one account to the other in steps, each a transaction of its own: two accounts never change
/// together.
class TransferProcess : public sluice::process_manager<TransferProcess> {
public:
    void on(const TransferRequested& e, sluice::context& bank) {
        from_ = e.from;
        to_ = e.to;
        cents_ = e.cents;
        bank.submit(SendMoney{.account_id = from_, .transfer_id = e.transfer_id, .cents = cents_});
        in_time("late", std::chrono::hours{1});
    }
    void on(const MoneySent& e, sluice::context& bank) {
        bank.submit(ReceiveMoney{.account_id = to_, .transfer_id = e.transfer_id, .cents = cents_});
    }
    void on(const MoneyReceived& e, sluice::context& bank) {
        bank.submit(CompleteTransfer{.transfer_id = e.transfer_id});
    }
    // [/process]
    void on(const SendingRefused& e, sluice::context& bank) {
        bank.submit(FailTransfer{.transfer_id = e.transfer_id, .reason = e.reason});
    }
    // [compensation]
    void on(const ReceivingRefused& e, sluice::context& bank) {
        reason_ = e.reason;
        bank.submit(ReturnMoney{.account_id = from_, .transfer_id = e.transfer_id, .cents = cents_});
    }
    void on(const MoneyReturned& e, sluice::context& bank) {
        bank.submit(FailTransfer{.transfer_id = e.transfer_id, .reason = reason_});
    }
    // [/compensation]
    // [timeout]
    void on(const sluice::timeout& /*late*/, sluice::context& bank) {
        bank.submit(ReportDelay{.transfer_id = correlation()});
    }
    // [/timeout]

private:
    sluice::identifier from_;
    sluice::identifier to_;
    std::int64_t cents_ = 0;
    sluice::text reason_;
    BOOST_DESCRIBE_CLASS(TransferProcess, (), (), (), (from_, to_, cents_, reason_))
};

}  // namespace bank
