#include "commit/snapshot.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "domain/layout.hpp"
#include "ledger.hpp"

namespace {

using ledger::Account;
using sluice::commit::create_snapshot;
using sluice::commit::snapshot_is_due;

/// Replaces the state in a snapshot by one that no event tells, so that a test sees who uses it.
void forge(ledger::fixture& f, std::int64_t version, const std::string& layout) {
    const std::string state = R"({"account_id":"a-1","owner":"forged","balance":1000000,"closed":false,"bookings":[]})";
    f.session->commit(
        {.snapshots = {{.aggregate = "Account", .id = "a-1", .version = version, .layout = layout, .state = state}}});
}

const sluice::detail::aggregate_entry& account_of(ledger::fixture& f) {
    return f.env->domain().aggregate("ledger::Account");
}
const std::string& layout_of(ledger::fixture& f) { return account_of(f).sourcing->layout; }

TEST(snapshot, is_due_when_that_many_events_came_since_the_last) {
    EXPECT_FALSE(snapshot_is_due(98, -1, 100));
    EXPECT_TRUE(snapshot_is_due(99, -1, 100)) << "the hundredth event";
    EXPECT_TRUE(snapshot_is_due(150, -1, 100)) << "passed within one commit";
    EXPECT_FALSE(snapshot_is_due(150, 99, 100));
    EXPECT_TRUE(snapshot_is_due(199, 99, 100));
    EXPECT_FALSE(snapshot_is_due(1000, -1, 0)) << "off";
}

TEST(snapshot, is_written_with_the_commit_that_passes_the_interval) {
    ledger::fixture f{{}, 3};
    f.open("a-1");
    f.deposit("a-1", 1);
    EXPECT_FALSE(f.session->load_snapshot("Account", "a-1"));
    f.deposit("a-1", 2);
    const auto snapshot = f.session->load_snapshot("Account", "a-1");
    ASSERT_TRUE(snapshot);
    EXPECT_EQ(snapshot->version, 2);
    EXPECT_EQ(sluice::json::parse(snapshot->state).at("balance").as_int(), 3);
    f.deposit("a-1", 3);
    EXPECT_EQ(f.session->load_snapshot("Account", "a-1")->version, 2);
    f.deposit("a-1", 4);
    f.deposit("a-1", 5);
    EXPECT_EQ(f.session->load_snapshot("Account", "a-1")->version, 5) << "the latest wins";
}

TEST(snapshot, can_be_turned_off_or_set_for_one_aggregate) {
    ledger::fixture off{{.account = {.snapshot_every = 0}}, 2};
    off.open("a-1", 1);
    EXPECT_FALSE(off.session->load_snapshot("Account", "a-1"));
    ledger::fixture often{{.account = {.snapshot_every = 2}}, 0};
    often.open("a-1", 1);
    EXPECT_TRUE(often.session->load_snapshot("Account", "a-1"));
}

TEST(snapshot, is_what_loading_begins_with) {
    ledger::fixture f{{}, 0};
    f.open("a-1", 1);
    f.deposit("a-1", 2);
    forge(f, 1, layout_of(f));
    EXPECT_EQ(f.read("a-1").balance(), 1'000'002) << "events after it are added";
    EXPECT_EQ(f.read("a-1").version(), 2);
}

TEST(snapshot, of_another_layout_is_not_used_and_replaced) {
    ledger::fixture f{{}, 3};
    f.open("a-1", 1);
    forge(f, 1, "of another build");
    EXPECT_EQ(f.read("a-1").balance(), 1);
    f.deposit("a-1", 2);
    EXPECT_EQ(f.session->load_snapshot("Account", "a-1")->layout, layout_of(f));
    EXPECT_EQ(f.read("a-1").balance(), 3);
}

TEST(snapshot, that_cannot_be_read_costs_time_only) {
    ledger::fixture f{{}, 0};
    f.open("a-1", 1);
    f.session->commit(
        {.snapshots = {{.aggregate = "Account", .id = "a-1", .version = 1, .layout = layout_of(f), .state = "[]"}}});
    EXPECT_EQ(f.read("a-1").balance(), 1);
}

TEST(snapshot, has_another_layout_for_another_version) {
    ledger::fixture one;
    ledger::fixture two{{.account = {.snapshot_version = 2}}};
    EXPECT_NE(layout_of(one), layout_of(two));
}

TEST(snapshot, is_not_used_for_a_version_before_it) {
    ledger::fixture f{{}, 0};
    f.open("a-1", 1);
    f.deposit("a-1", 2);
    forge(f, 1, layout_of(f));
    auto in = f.context();
    const sluice::unit_of_work unit{in};
    EXPECT_EQ(in.repository<Account>().at_version("a-1", 0).balance(), 0);
    EXPECT_EQ(in.repository<Account>().at_version("a-1", 2).balance(), 1'000'002);
    EXPECT_EQ(in.repository<Account>().at_time("a-1", f.clock.now()).balance(), 3) << "reads from the beginning";
}

TEST(snapshot, is_made_on_demand_and_the_latest_wins) {
    ledger::fixture f{{}, 0};
    f.open("a-1", 1);
    const auto first = create_snapshot(*f.env, account_of(f), "a-1");
    ASSERT_TRUE(first);
    EXPECT_EQ(first->version, 1);
    EXPECT_TRUE(first->is_new);
    EXPECT_FALSE(create_snapshot(*f.env, account_of(f), "a-1")->is_new);
    f.deposit("a-1", 2);
    EXPECT_TRUE(create_snapshot(*f.env, account_of(f), "a-1")->is_new);
    EXPECT_EQ(f.session->load_snapshot("Account", "a-1")->version, 2);
    EXPECT_FALSE(create_snapshot(*f.env, account_of(f), "a-2"));
}

TEST(snapshot, takes_no_fact_stream_for_an_instance) {
    ledger::fixture f{{.account = {.facts = sluice::facts::internal}}, 0};
    f.open("a-1", 1);
    const auto is_fact = [&](const char* stream) {
        return sluice::commit::is_fact_stream(*f.env, account_of(f), stream);
    };
    EXPECT_TRUE(is_fact("bank::account-fact-a-1"));
    EXPECT_FALSE(is_fact("bank::account-a-1"));
}

TEST(snapshot, finds_an_instance_that_is_called_like_a_fact_where_there_are_none) {
    ledger::fixture f{{}, 0};
    f.open("fact-a-1", 1);
    EXPECT_FALSE(sluice::commit::is_fact_stream(*f.env, account_of(f), "bank::account-fact-a-1"));
    EXPECT_TRUE(create_snapshot(*f.env, account_of(f), "fact-a-1"));
}

// ---- layouts

struct one {
    sluice::identifier id;
    int count = 0;
    std::vector<one> parts;
};
struct same_kinds {
    sluice::identifier id;
    std::int64_t count = 0;
    std::vector<one> parts;
};
struct renamed {
    sluice::identifier id;
    int number = 0;
    std::vector<one> parts;
};
struct other_kind {
    sluice::identifier id;
    double count = 0;
    std::vector<one> parts;
};
struct nested {
    sluice::identifier id;
    int count = 0;
    std::vector<renamed> parts;
};

TEST(layout, tells_names_and_kinds_of_all_members) {
    using sluice::detail::field_tree_of;
    using sluice::detail::layout_of;
    EXPECT_EQ(layout_of(field_tree_of<renamed>()), "{id:text;number:int;parts:[]{id:text;count:int;parts:[]" +
                                                       std::string{sluice::reflect::type_name<one>()} + ";};}");
    EXPECT_NE(layout_of(field_tree_of<same_kinds>()), layout_of(field_tree_of<other_kind>()));
    EXPECT_NE(layout_of(field_tree_of<same_kinds>()), layout_of(field_tree_of<renamed>()));
    EXPECT_NE(layout_of(field_tree_of<same_kinds>()), layout_of(field_tree_of<nested>()))
        << "members of members count, too";
}

}  // namespace
