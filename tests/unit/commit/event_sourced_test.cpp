#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "envelope/envelope.hpp"
#include "ledger.hpp"

namespace {

using ledger::Account;
using ledger::message_of;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// ---- the object

TEST(event_sourced, changes_its_state_by_what_it_raises) {
    Account account{"a-1", "ada"};
    account.deposit(500);
    account.withdraw(200);
    EXPECT_EQ(account.balance(), 300);
    EXPECT_EQ(account.version(), -1) << "nothing is stored yet";
}

TEST(event_sourced, is_as_before_when_a_rule_forbids_the_event) {
    Account account{"a-1", "ada"};
    account.deposit(500);
    EXPECT_THAT(message_of<sluice::validation_error>([&] { account.withdraw(501); }),
                HasSubstr("balance: must not be negative"));
    EXPECT_EQ(account.balance(), 500);
    EXPECT_THAT(account.bookings(), ElementsAre(500));
}

TEST(event_sourced, is_as_before_when_apply_throws_half_way) {
    Account account{"a-1", "ada"};
    account.deposit(500);
    EXPECT_THROW(account.deposit(Account::unlucky), std::runtime_error);
    EXPECT_THAT(account.bookings(), ElementsAre(500));
}

TEST(event_sourced, asks_check_before_for_every_event_but_the_first) {
    Account account{"a-1", "ada"};  // `check_before` would refuse an account without identity
    account.close();
    EXPECT_THAT(message_of<sluice::validation_error>([&] { account.deposit(1); }), HasSubstr("is closed"));
    EXPECT_EQ(account.balance(), 0);
}

TEST(event_sourced, refuses_an_event_whose_field_breaks_its_rule) {
    EXPECT_THAT(message_of<sluice::validation_error>([] {
                    const Account account{"a-1", "somebody with a very long name"};
                }),
                HasSubstr("owner"));
}

TEST(event_sourced, records_nothing_of_an_event_that_was_refused) {
    ledger::fixture f;
    f.work([](auto& in) {
        Account& account = in.template repository<Account>().add(Account{"a-1", "ada"});
        EXPECT_THROW(account.withdraw(1), sluice::validation_error);
        account.deposit(2);
    });
    const auto stream = f.stream("bank::account-a-1");
    ASSERT_EQ(stream.size(), 2U);
    EXPECT_EQ(stream[1].event.type, "Bank.MoneyDeposited.v1");
}

// ---- the commit

TEST(event_sourced, is_stored_as_its_events_and_nothing_else) {
    ledger::fixture f;
    f.open("a-1", 500);
    const auto stream = f.stream("bank::account-a-1");
    ASSERT_EQ(stream.size(), 2U);
    EXPECT_EQ(stream[0].event.message_id, "bank::account-a-1-0") << "{stream}-{version}";
    EXPECT_EQ(stream[1].event.message_id, "bank::account-a-1-1");
    EXPECT_EQ(stream[1].position, 1);
    const auto metadata = sluice::envelope::decode_metadata(sluice::json::parse(stream[1].event.metadata));
    EXPECT_EQ(metadata.domain.sequence_id, "1");
    EXPECT_EQ(metadata.headers.stream, "bank::account-a-1");
    EXPECT_FALSE(f.session->load("Account", "a-1")) << "no row of state";
    EXPECT_FALSE(f.session->load_snapshot("Account", "a-1"));
}

TEST(event_sourced, forks_like_any_other_aggregate) {
    ledger::fixture f;
    f.open("a-1", 500);
    EXPECT_EQ(f.rows("bank::account-a-1-0").size(), 1U) << "internal";
    EXPECT_EQ(f.rows("bank::account-a-1-1").size(), 2U) << "published: one row for each broker";
}

TEST(event_sourced, is_read_back_with_the_position_of_its_last_event_as_version) {
    ledger::fixture f;
    f.open("a-1", 500);
    f.deposit("a-1", 25);
    const Account account = f.read("a-1");
    EXPECT_EQ(account.balance(), 525);
    EXPECT_EQ(account.version(), 2);
}

TEST(event_sourced, goes_on_with_its_history_in_a_later_unit) {
    ledger::fixture f;
    f.open("a-1");
    f.work([](auto& in) {
        Account& account = in.template repository<Account>().get("a-1");
        account.deposit(1);
        account.deposit(2);
    });
    EXPECT_EQ(f.stream("bank::account-a-1")[2].event.message_id, "bank::account-a-1-2");
}

TEST(event_sourced, is_the_same_object_within_a_unit) {
    ledger::fixture f;
    f.open("a-1");
    auto in = f.context();
    const sluice::unit_of_work unit{in};
    EXPECT_EQ(&in.repository<Account>().get("a-1"), in.repository<Account>().find("a-1"));
    EXPECT_EQ(in.repository<Account>().find("a-2"), nullptr);
    EXPECT_THROW(static_cast<void>(in.repository<Account>().get("a-2")), sluice::not_found_error);
}

TEST(event_sourced, cannot_be_added_under_an_identity_that_is_in_use) {
    ledger::fixture f;
    f.open("a-1", 500);
    auto in = f.context();
    sluice::unit_of_work unit{in};
    in.repository<Account>().add(Account{"a-1", "bob"});
    EXPECT_THROW(unit.commit(), sluice::expected_version_error);
    EXPECT_EQ(f.read("a-1").balance(), 500);
}

TEST(event_sourced, loses_no_change_of_two_that_collide) {
    ledger::fixture f;
    f.open("a-1", 500);
    auto mine = f.context();
    sluice::unit_of_work unit{mine};
    mine.repository<Account>().get("a-1").withdraw(400);
    f.work([](auto& in) { in.template repository<Account>().get("a-1").withdraw(300); });
    EXPECT_THROW(unit.commit(), sluice::expected_version_error);
    EXPECT_EQ(f.read("a-1").balance(), 200);
}

TEST(event_sourced, writes_nothing_when_it_was_only_read) {
    ledger::fixture f;
    f.open("a-1");
    f.work([](auto& in) { static_cast<void>(in.template repository<Account>().get("a-1")); });
    EXPECT_EQ(f.stream("bank::account-a-1").size(), 1U);
}

TEST(event_sourced, refuses_a_change_that_no_event_tells) {
    ledger::fixture f;
    f.open("a-1");
    for (const bool with_an_event : {false, true}) {
        EXPECT_THAT(message_of<sluice::usage_error>([&] {
                        f.work([&](auto& in) {
                            Account& account = in.template repository<Account>().get("a-1");
                            if (with_an_event) account.deposit(1);
                            account.cheat(1000);
                        });
                    }),
                    AllOf(HasSubstr("Account `a-1` is not what its events say"), HasSubstr("`balance`")));
    }
    EXPECT_EQ(f.stream("bank::account-a-1").size(), 1U);
}

TEST(event_sourced, refuses_an_apply_that_does_not_always_do_the_same) {
    ledger::fixture f;
    f.open("a-1");
    EXPECT_THROW(f.work([](auto& in) { in.template repository<Account>().get("a-1").roll_dice(); }),
                 sluice::usage_error);
    EXPECT_EQ(f.stream("bank::account-a-1").size(), 1U);
}

TEST(event_sourced, cannot_be_added_as_a_copy_of_a_stored_one) {
    ledger::fixture f;
    f.open("a-1");
    const Account copy = f.read("a-1");
    EXPECT_THAT(message_of<sluice::usage_error>(
                    [&] { f.work([&](auto& in) { in.template repository<Account>().add(copy); }); }),
                HasSubstr("copy of a stored aggregate"));
}

TEST(event_sourced, enriches_its_events_like_others) {
    auto domain = ledger::make_domain();
    domain.enrich_events([](const sluice::enrichment_input& event) {
        return sluice::json::object{{"about", event.identity}};
    });
    ledger::fixture f{domain, 100};
    f.open("a-1");
    const auto metadata =
        sluice::envelope::decode_metadata(sluice::json::parse(f.stream("bank::account-a-1")[0].event.metadata));
    EXPECT_EQ(metadata.extensions.find("about")->as_string(), "a-1");
}

TEST(event_sourced, without_events_is_a_mistake_in_the_declaration) {
    sluice::domain domain{"bank"};
    domain.aggregate<Account>();
    EXPECT_THAT(message_of<sluice::configuration_error>([&] { domain.validate(); }),
                HasSubstr("event-sourced aggregate `ledger::Account` has no events"));
}

// ---- the past

TEST(temporal_read, gives_every_version_as_a_value) {
    ledger::fixture f;
    f.open("a-1", 100);
    f.deposit("a-1", 10);
    auto in = f.context();
    const sluice::unit_of_work unit{in};
    const auto accounts = in.repository<Account>();
    EXPECT_EQ(accounts.at_version("a-1", 0).balance(), 0);
    EXPECT_EQ(accounts.at_version("a-1", 1).balance(), 100);
    const Account newest = accounts.at_version("a-1", 2);
    EXPECT_EQ(newest.balance(), 110);
    EXPECT_EQ(newest.version(), 2);
}

TEST(temporal_read, knows_no_version_before_the_first_nor_after_the_last) {
    ledger::fixture f;
    f.open("a-1", 100);
    auto in = f.context();
    const sluice::unit_of_work unit{in};
    const auto accounts = in.repository<Account>();
    EXPECT_THAT(message_of<sluice::not_found_error>([&] { static_cast<void>(accounts.at_version("a-1", 2)); }),
                HasSubstr("Account `a-1` has no version 2: its newest is 1"));
    EXPECT_THROW(static_cast<void>(accounts.at_version("a-1", -1)), sluice::not_found_error);
    EXPECT_THROW(static_cast<void>(accounts.at_version("a-2", 0)), sluice::not_found_error);
}

TEST(temporal_read, gives_the_state_at_a_time) {
    ledger::fixture f;
    const sluice::date_time start = f.clock.now();
    const auto after = [&](int minutes) { return start + sluice::duration{std::chrono::minutes{minutes}}; };
    f.clock.advance_to(after(1));
    f.open("a-1", 100);
    f.clock.advance_to(after(3));
    f.deposit("a-1", 10);
    auto in = f.context();
    const sluice::unit_of_work unit{in};
    const auto accounts = in.repository<Account>();
    EXPECT_EQ(accounts.at_time("a-1", after(1)).balance(), 100) << "inclusive";
    EXPECT_EQ(accounts.at_time("a-1", after(2)).balance(), 100);
    EXPECT_EQ(accounts.at_time("a-1", after(3)).balance(), 110);
    EXPECT_THAT(message_of<sluice::not_found_error>([&] { static_cast<void>(accounts.at_time("a-1", start)); }),
                HasSubstr("there was no Account `a-1` at"));
}

TEST(temporal_read, is_no_part_of_the_unit) {
    ledger::fixture f;
    f.open("a-1", 100);
    f.work([](auto& in) {
        Account past = in.template repository<Account>().at_version("a-1", 0);
        past.deposit(5);  // what if
        EXPECT_THROW(in.template repository<Account>().add(past), sluice::usage_error);
        EXPECT_EQ(in.template repository<Account>().get("a-1").balance(), 100);
    });
    EXPECT_EQ(f.stream("bank::account-a-1").size(), 2U);
}

// ---- reading

TEST(replay, reads_a_history_of_many_pages) {
    ledger::fixture f{{}, 0};
    f.work([](auto& in) {
        Account& account = in.template repository<Account>().add(Account{"a-1", "ada"});
        for (int i = 0; i < 1200; ++i) account.deposit(1);
    });
    EXPECT_EQ(f.read("a-1").balance(), 1200);
    EXPECT_EQ(f.read("a-1").version(), 1200);
}

/// Puts an event into the account's stream that this build did not write.
void append(ledger::fixture& f, const std::string& type, const std::string& data) {
    sluice::store::event_write write;
    write.event = f.stream("bank::account-a-1").front().event;
    write.event.message_id = "other-" + type;
    write.event.type = type;
    write.event.data = data;
    f.session->commit({.events = {write}});
}

TEST(replay, names_stream_position_and_type_of_an_event_that_it_does_not_know) {
    ledger::fixture f;
    f.open("a-1");
    append(f, "Bank.InterestPaid.v1", "{}");
    EXPECT_THAT(message_of<sluice::decode_error>([&] { static_cast<void>(f.read("a-1")); }),
                AllOf(HasSubstr("event 1 of stream `bank::account-a-1`"), HasSubstr("`Bank.InterestPaid.v1`"),
                      HasSubstr("does not know")));
}

TEST(replay, takes_no_event_of_another_aggregate) {
    ledger::fixture f;
    f.open("a-1");
    append(f, "Bank.PaperBought.v1", R"({"depot_id":"d","paper":"p","quantity":1})");
    EXPECT_THROW(static_cast<void>(f.read("a-1")), sluice::decode_error);
}

TEST(replay, names_what_is_wrong_with_an_event) {
    ledger::fixture f;
    f.open("a-1");
    append(f, "Bank.MoneyDeposited.v1", R"({"account_id":"a-1","cents":"many"})");
    EXPECT_THAT(message_of<sluice::decode_error>([&] { static_cast<void>(f.read("a-1")); }),
                AllOf(HasSubstr("event 1"), HasSubstr("cents: expected a whole number")));
}

TEST(replay, ignores_what_a_newer_build_added_to_an_event) {
    ledger::fixture f;
    f.open("a-1");
    append(f, "Bank.MoneyDeposited.v1", R"({"account_id":"a-1","cents":5,"note":"new"})");
    EXPECT_EQ(f.read("a-1").balance(), 5);
}

}  // namespace
