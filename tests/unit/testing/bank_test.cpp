#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sluice/test.hpp>

#include "../../../examples/bank/account.hpp"
#include "../../../examples/bank/bank.hpp"
#include "../../../examples/bank/commands.hpp"
#include "../../../examples/bank/statement.hpp"
#include "../../../examples/bank/transfer.hpp"

// The example of the tutorial (docs/tutorial-bank.md), tried as its author would.
namespace bank {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// [given]
Account account_with(std::int64_t cents) {
    Account account{"a-1", "ada"};
    account.deposit(cents);
    return account;
}

TEST(account, cannot_be_overdrawn) {
    sluice::test::given{account_with(100)}
        .when([](Account& account) { account.withdraw(101); })
        .then_refused("the account is not covered");
}

TEST(account, answers_a_transfer_that_it_cannot_pay) {
    sluice::test::given{account_with(100)}
        .when([](Account& account) { account.send("t-1", 101); })
        .then(SendingRefused{.account_id = "a-1", .transfer_id = "t-1", .reason = "the account is not covered"});
}
// [/given]

TEST(account, remembers_what_happened_to_it) {
    sluice::test::given_events<Account>(AccountOpened{.account_id = "a-1", .owner = "ada"},
                                        MoneyDeposited{.account_id = "a-1", .cents = 5})
        .when([](Account& account) { account.withdraw(5); })
        .then(MoneyWithdrawn{.account_id = "a-1", .cents = 5});
}

TEST(account, is_closed_only_when_it_is_empty) {
    sluice::test::given{account_with(1)}.when([](Account& account) { account.close(); }).then_refused("empty account");
    auto empty = sluice::test::given{Account{"a-1", "ada"}};
    empty.when([](Account& account) { account.close(); }).then(AccountClosed{.account_id = "a-1"});
    empty.when([](Account& account) { account.deposit(1); }).then_refused("empty account");
}

class ledger : public ::testing::Test {
protected:
    ledger() {
        for (const char* id : {"a-1", "a-2"}) bank_.process(OpenAccount{.account_id = id, .owner = "ada"});
        bank_.process(Deposit{.account_id = "a-1", .cents = 100});
        bank_.drain();
    }

    void transfer(const char* id, std::int64_t cents) {
        bank_.process(RequestTransfer{.transfer_id = id, .from = "a-1", .to = "a-2", .cents = cents});
    }
    [[nodiscard]] std::int64_t balance(const char* id) { return bank_.context().view<Statement>().get(id).balance; }
    [[nodiscard]] std::vector<std::string> told_to_the_partner() {
        std::vector<std::string> names;
        for (const sluice::message& each : bank_.published("partner")) names.emplace_back(each.type().name());
        return names;
    }

    sluice::test::runtime bank_{make_domain(), {.external_brokers = {"partner"}}};
};

// [runtime]
TEST_F(ledger, a_transfer_moves_money_in_steps_and_the_partner_hears_of_the_end) {
    transfer("t-1", 30);
    bank_.drain();
    EXPECT_EQ(balance("a-1"), 70);
    EXPECT_EQ(balance("a-2"), 30);
    EXPECT_THAT(told_to_the_partner(), ElementsAre("TransferCompleted"));
}

TEST_F(ledger, money_that_cannot_be_received_comes_back) {
    bank_.process(CloseAccount{.account_id = "a-2"});
    transfer("t-1", 30);
    bank_.drain();
    EXPECT_EQ(balance("a-1"), 100);
    ASSERT_THAT(bank_.events_of<TransferFailed>(), SizeIs(1));
    EXPECT_EQ(bank_.events_of<TransferFailed>()[0].reason, "the account is closed");
}

TEST_F(ledger, a_transfer_that_takes_too_long_is_reported_once) {
    bank_.process(RequestTransfer{.transfer_id = "t-1", .from = "a-1", .to = "nobody", .cents = 30});
    bank_.advance(59min);
    EXPECT_THAT(bank_.events_of<TransferDelayed>(), IsEmpty());
    bank_.advance(48h);
    EXPECT_THAT(bank_.events_of<TransferDelayed>(), SizeIs(1));
    EXPECT_THAT(bank_.dead_letters(), SizeIs(1)) << "the command to an account that is not there";
}
// [/runtime]

TEST_F(ledger, a_transfer_that_is_not_covered_fails) {
    transfer("t-1", 101);
    bank_.drain();
    EXPECT_EQ(balance("a-1"), 100);
    EXPECT_THAT(told_to_the_partner(), ElementsAre("TransferFailed"));
    EXPECT_THAT(bank_.dead_letters(), IsEmpty());
}

// [past]
TEST_F(ledger, the_past_can_be_asked) {
    const sluice::date_time before = bank_.now();
    bank_.advance(24h);
    EXPECT_EQ(bank_.process(Deposit{.account_id = "a-1", .cents = 11}), 111);
    EXPECT_EQ(bank_.process(BalanceAt{.account_id = "a-1", .time = before}), 100);
}
// [/past]

TEST_F(ledger, statements_can_be_searched) {
    const auto rows = bank_.context().view<Statement>().where(&Statement::balance, sluice::greater(0)).rows();
    ASSERT_THAT(rows, SizeIs(1));
    EXPECT_EQ(rows[0].account_id, "a-1");
    EXPECT_EQ(rows[0].movements, 1);
}

}  // namespace
}  // namespace bank
