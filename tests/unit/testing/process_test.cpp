#include <gtest/gtest.h>

#include <sluice/test.hpp>

#include "../../../examples/bank/bank.hpp"
#include "../../../examples/bank/transfer_process.hpp"

namespace bank {
namespace {

using namespace std::chrono_literals;

// [process]
const TransferRequested requested{.transfer_id = "t-1", .from = "a-1", .to = "a-2", .cents = 30};
const MoneySent sent{.account_id = "a-1", .transfer_id = "t-1", .cents = 30};

TEST(transfer_process, asks_the_one_account_and_then_the_other) {
    sluice::test::process<TransferProcess> transfer{make_domain()};
    transfer.when(requested).then(SendMoney{.account_id = "a-1", .transfer_id = "t-1", .cents = 30});
    transfer.when(sent).then(ReceiveMoney{.account_id = "a-2", .transfer_id = "t-1", .cents = 30}).then_complete(false);
}

TEST(transfer_process, tells_once_that_it_takes_too_long) {
    sluice::test::process<TransferProcess> transfer{make_domain()};
    transfer.given(requested).when_time_passes(1h).then(ReportDelay{.transfer_id = "t-1"});
    transfer.when_time_passes(24h).then_nothing();
}
// [/process]

TEST(transfer_process, is_complete_with_the_answer) {
    sluice::test::process<TransferProcess> transfer{make_domain()};
    transfer.given(requested, sent)
        .when(MoneyReceived{.account_id = "a-2", .transfer_id = "t-1", .cents = 30})
        .then(CompleteTransfer{.transfer_id = "t-1"})
        .then_complete();
    transfer.when_time_passes(24h).then_nothing();
}

TEST(transfer_process, gives_back_what_was_refused) {
    sluice::test::process<TransferProcess> transfer{make_domain()};
    transfer.given(requested, sent)
        .when(ReceivingRefused{.account_id = "a-2", .transfer_id = "t-1", .reason = "closed"})
        .then(ReturnMoney{.account_id = "a-1", .transfer_id = "t-1", .cents = 30});
    transfer.when(MoneyReturned{.account_id = "a-1", .transfer_id = "t-1", .cents = 30})
        .then(FailTransfer{.transfer_id = "t-1", .reason = "closed"});
}

TEST(process_kit, tells_what_was_expected_and_what_was_given) {
    sluice::test::process<TransferProcess> transfer{make_domain()};
    transfer.when(requested);
    EXPECT_THROW(transfer.then_nothing(), sluice::test::failure);
    EXPECT_THROW(transfer.then_complete(), sluice::test::failure);
}

TEST(process_kit, needs_a_step_to_look_at) {
    sluice::test::process<TransferProcess> transfer{make_domain()};
    transfer.when(sent).then_nothing();
    EXPECT_THROW(transfer.then_complete(), sluice::test::failure);
}

}  // namespace
}  // namespace bank
