#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sluice/sluice.hpp>

#include "support/bank.hpp"
#include "unit/domain/problems.hpp"

namespace {

using bank::Account;
using bank::Deposited;
using bank::Payment;
using bank::TransferRequested;
using bank::Withdrawn;
using sluice::testing::problems_of;
using testing::HasSubstr;

class Waiter : public sluice::process_manager<Waiter> {
public:
    template <class Event>
    void on(const Event& /*event*/, sluice::context& /*in*/) {}

private:
    int steps_ = 0;
    BOOST_DESCRIBE_CLASS(Waiter, (), (), (), (steps_))
};

class Other : public sluice::process_manager<Other> {
public:
    void on(const TransferRequested& /*event*/, sluice::context& /*in*/) {}

private:
    int steps_ = 0;
    BOOST_DESCRIBE_CLASS(Other, (), (), (), (steps_))
};

sluice::domain domain_with_events() {
    sluice::domain domain{"My Bank"};
    domain.aggregate<Account>().events<Withdrawn, Deposited>();
    domain.aggregate<Payment>().events<TransferRequested>();
    return domain;
}

TEST(process_declaration, names_streams_and_types_as_the_wire_does) {
    sluice::domain domain = domain_with_events();
    domain.process_manager<bank::Transfer>().starts<TransferRequested>(&TransferRequested::transfer_id);
    const auto& declared = domain.declared().processes.at("bank::Transfer");
    EXPECT_EQ(declared.name, "Transfer");
    EXPECT_EQ(declared.fqn, "bank.Transfer");
    EXPECT_EQ(declared.category, "my_bank::transfer");
    EXPECT_EQ(declared.timeout_category, "my_bank::transfer:timeout");
    EXPECT_EQ(declared.transition_type, "MyBank._PMTransition.v1");
    EXPECT_EQ(declared.database, "default");
    EXPECT_NE(declared.on_timeout, nullptr);
    EXPECT_EQ(problems_of(domain), "");
}

TEST(process_declaration, takes_a_name_a_category_and_a_database_of_ones_own) {
    sluice::domain domain = domain_with_events();
    domain.process_manager<Other>({.name = "MoneyTransfer", .database = "archive"})
        .starts<TransferRequested>(&TransferRequested::transfer_id);
    EXPECT_EQ(domain.declared().processes.begin()->second.category, "my_bank::money_transfer");
    EXPECT_EQ(domain.declared().processes.begin()->second.database, "archive");
    EXPECT_EQ(domain.declared().processes.begin()->second.on_timeout, nullptr);
}

TEST(process_declaration, reads_the_correlation_from_members_and_callables) {
    sluice::domain domain = domain_with_events();
    domain.process_manager<Waiter>()
        .starts<TransferRequested>([](const TransferRequested& e) { return "x-" + e.transfer_id.str(); })
        .continues<Withdrawn>(&Withdrawn::reference)
        .completes<Deposited>(&Deposited::account_id);
    const auto& on = domain.declared().processes.begin()->second.on;
    const auto correlation_of = [&](const char* event, const char* data) {
        const auto& reaction = on.at(event);
        return reaction.correlation(reaction.decode(sluice::json::parse(data)).get());
    };
    EXPECT_EQ(correlation_of("bank::TransferRequested",
                             R"({"transfer_id":"t","from":"a","to":"b","amount":1,"of_a_later_version":true})"),
              "x-t");
    EXPECT_EQ(correlation_of("bank::Withdrawn", R"({"account_id":"a","reference":"r","amount":1})"), "r");
    EXPECT_EQ(correlation_of("bank::Deposited", R"({"account_id":"a","reference":"r","amount":1})"), "a");
    EXPECT_EQ(on.at("bank::TransferRequested").field, "correlation");
    EXPECT_EQ(on.at("bank::Withdrawn").field, "reference");
    EXPECT_EQ(on.at("bank::Deposited").field, "account_id");
}

TEST(process_declaration, checks_what_names_an_instance_at_compile_time) {
    using sluice::detail::correlates;
    struct event {
        std::optional<sluice::identifier> maybe;
        sluice::string<9> text;
        int number;
    };
    static_assert(correlates<decltype(&event::maybe), event>);
    static_assert(correlates<decltype(&event::text), event>);
    static_assert(!correlates<decltype(&event::number), event>);
    static_assert(!correlates<decltype(&Withdrawn::reference), event>);
    EXPECT_EQ(sluice::detail::correlation_text(std::optional<sluice::identifier>{}), "");
    EXPECT_EQ(sluice::detail::correlation_text(std::optional<sluice::identifier>{"m"}), "m");
}

TEST(process_declaration, reports_all_mistakes_at_once) {
    sluice::domain domain{"bank"};
    domain.aggregate<Account>({.stream_category = "other"}).events<Withdrawn>();
    domain.process_manager<Waiter>()
        .continues<Withdrawn>(&Withdrawn::reference)
        .completes<Withdrawn>(&Withdrawn::reference);
    domain.process_manager<Other>().starts<TransferRequested>(&TransferRequested::transfer_id);
    domain.process_manager<Other>();
    const std::string problems = problems_of(domain);
    EXPECT_THAT(problems, HasSubstr("process manager `Waiter` names event `bank::Withdrawn` twice"));
    EXPECT_THAT(problems, HasSubstr("process manager `Waiter` can never begin; name an event that starts it"));
    EXPECT_THAT(problems, HasSubstr("process manager `Other` names event `bank::TransferRequested`, which is not "
                                    "declared; add it to `.events<…>()` of its aggregate"));
    EXPECT_THAT(problems, HasSubstr("process manager `Other` is declared twice"));
    EXPECT_THAT(problems, HasSubstr("process manager `Other` and `bank::Account` share the stream category "
                                    "`bank::other`"));
}

}  // namespace
