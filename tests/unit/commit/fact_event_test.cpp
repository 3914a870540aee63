#include "commit/fact_event.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "envelope/envelope.hpp"
#include "ledger.hpp"

namespace {

using ledger::Account;
using ledger::Depot;
using ledger::message_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

ledger::options published() {
    return {.account = {.facts = sluice::facts::published}, .depot = {.facts = sluice::facts::published}};
}
ledger::options internal() {
    return {.account = {.facts = sluice::facts::internal}, .depot = {.facts = sluice::facts::internal}};
}

std::vector<std::string> ids(const std::vector<sluice::store::stream_event>& events) {
    std::vector<std::string> result;
    for (const auto& each : events) result.push_back(each.event.message_id);
    return result;
}
std::vector<std::string> brokers(const std::vector<sluice::store::outbox_row>& rows) {
    std::vector<std::string> result;
    for (const auto& row : rows) result.push_back(row.target_broker);
    std::sort(result.begin(), result.end());
    return result;
}
void add_depot(ledger::fixture& f, const std::string& id) {
    f.work([&](auto& in) { in.template repository<Depot>().add(Depot{id}).buy("acme", 2); });
}
sluice::message_metadata metadata_of(const sluice::store::stream_event& event) {
    return sluice::envelope::decode_metadata(sluice::json::parse(event.event.metadata));
}

TEST(fact, tells_the_whole_state_after_each_commit) {
    ledger::fixture f{internal()};
    add_depot(f, "d-1");
    f.work([](auto& in) { in.template repository<Depot>().get("d-1").note("quiet change"); });
    const auto facts = f.stream("bank::depot-fact-d-1");
    EXPECT_THAT(ids(facts), ElementsAre("bank::depot-fact-d-1-0", "bank::depot-fact-d-1-1"));
    EXPECT_EQ(facts[1].event.data,
              R"({"depot_id":"d-1","positions":[{"paper":"acme","quantity":2}],"frozen":false,"note":"quiet change"})");
    EXPECT_EQ(facts[0].event.type, "Bank.DepotFactEvent.v1");
    EXPECT_EQ(facts[0].event.stream_category, "bank::depot") << "published under the plain category";
    const auto metadata = metadata_of(facts[1]);
    EXPECT_EQ(metadata.domain.sequence_id, "1");
    EXPECT_EQ(metadata.domain.fqn, "ledger.DepotFactEvent");
    EXPECT_EQ(metadata.headers.stream, "bank::depot-fact-d-1");
    EXPECT_TRUE(metadata.checksum);
}

TEST(fact, of_an_event_sourced_aggregate_has_the_version_of_its_last_event) {
    ledger::fixture f{internal()};
    f.open("a-1", 500);
    f.deposit("a-1", 1);
    const auto facts = f.stream("bank::account-fact-a-1");
    EXPECT_THAT(ids(facts), ElementsAre("bank::account-fact-a-1-1", "bank::account-fact-a-1-2"))
        << "one for each unit, not for each event";
    EXPECT_EQ(sluice::json::parse(facts[1].event.data).at("balance").as_int(), 501);
    EXPECT_EQ(f.read("a-1").balance(), 501) << "its own stream holds no facts";
}

TEST(fact, leaves_after_the_other_events_of_its_unit) {
    ledger::fixture f{internal()};
    f.work([](auto& in) {
        in.template repository<Account>().add(Account{"a-1", "ada"});
        in.template repository<Account>().add(Account{"a-2", "bob"});
    });
    const auto log = f.database->open_operations()->events({});
    EXPECT_THAT(ids(log), ElementsAre("bank::account-a-1-0", "bank::account-a-2-0", "bank::account-fact-a-1-0",
                                      "bank::account-fact-a-2-0"));
}

// In the reference fact events cannot be exported.
TEST(fact, reaches_every_partner_when_it_is_published) {
    ledger::fixture f{published()};
    f.open("a-1");
    EXPECT_THAT(brokers(f.rows("bank::account-fact-a-1-0")), ElementsAre("default", "partner"));
    EXPECT_TRUE(f.env->domain().event_by_type("Bank.AccountFactEvent.v1")->published);
}

TEST(fact, stays_inside_when_it_is_internal) {
    ledger::fixture f{internal()};
    f.open("a-1");
    EXPECT_THAT(brokers(f.rows("bank::account-fact-a-1-0")), ElementsAre("default"));
}

TEST(fact, has_the_clean_envelope_outside) {
    auto domain = ledger::make_domain(published());
    domain.enrich_events([](const sluice::enrichment_input&) {
        return sluice::json::object{{"tenant", "acme"}, {"_secret", "inside"}};
    });
    ledger::fixture f{domain, 100};
    f.open("a-1");
    const auto fact = f.stream("bank::account-fact-a-1").front().event;
    const auto outside = sluice::json::parse(sluice::envelope::render_external(fact.data, fact.metadata));
    std::vector<std::string> keys;
    for (const auto& [key, value] : outside.at("metadata").at("domain").as_object()) keys.push_back(key);
    EXPECT_THAT(keys, ElementsAre("fqn", "kind", "origin_stream", "stream_category", "version", "sequence_id",
                                  "correlation_id", "causation_id"));
    EXPECT_EQ(sluice::json::dump(outside.at("metadata").at("extensions")), R"({"tenant":"acme"})");
}

TEST(fact, is_not_written_for_what_was_only_read_or_removed) {
    ledger::fixture f{internal()};
    add_depot(f, "d-1");
    f.work([](auto& in) { static_cast<void>(in.template repository<Depot>().get("d-1")); });
    f.work([](auto& in) {
        const auto depots = in.template repository<Depot>();
        depots.get("d-1").note("last words");
        depots.remove(depots.get("d-1"));
    });
    EXPECT_EQ(f.stream("bank::depot-fact-d-1").size(), 1U);
}

TEST(fact, is_not_written_without_being_asked_for) {
    ledger::fixture f;
    f.open("a-1");
    EXPECT_THAT(f.stream("bank::account-fact-a-1"), IsEmpty());
    EXPECT_EQ(f.env->domain().event_by_type("Bank.AccountFactEvent.v1"), nullptr);
}

TEST(fact, leaves_nothing_of_a_unit_that_fails) {
    ledger::fixture f{internal()};
    f.open("a-1");
    auto in = f.context();
    sluice::unit_of_work unit{in};
    in.repository<Account>().add(Account{"a-1", "bob"});
    EXPECT_THROW(unit.commit(), sluice::expected_version_error);
    EXPECT_EQ(f.stream("bank::account-fact-a-1").size(), 1U);
}

TEST(fact, refuses_an_identity_whose_stream_would_be_that_of_another_ones_facts) {
    ledger::fixture f{internal()};
    EXPECT_THAT(message_of<sluice::validation_error>([&] { f.open("fact-7"); }),
                HasSubstr("must not begin with `fact-`"));
    ledger::fixture without;
    without.open("fact-7");
    EXPECT_EQ(without.read("fact-7").version(), 0);

    ledger::fixture later{ledger::make_domain(internal()), 100, without.database};
    EXPECT_THAT(message_of<sluice::validation_error>([&] { later.deposit("fact-7", 1); }),
                HasSubstr("must not begin with `fact-`"))
        << "it was there before the aggregate had facts";
}

struct Freeze {
    static constexpr sluice::command_of<Depot> contract{};
    sluice::identifier depot_id;
};
struct Open {
    static constexpr sluice::command_of<Depot> contract{};
    sluice::identifier depot_id;
};
struct depot_commands {
    std::string& causation_of_freeze;
    void operator()(const Open& c, sluice::context& in) const {
        in.repository<Depot>().add(Depot{c.depot_id}).buy("acme", 1);
        in.process(Freeze{.depot_id = c.depot_id});
    }
    void operator()(const Freeze& c, sluice::context& in) const {
        in.repository<Depot>().get(c.depot_id.str()).freeze();
        causation_of_freeze = in.causation_id();
    }
};

TEST(fact, names_the_cause_of_the_latest_change) {
    auto domain = ledger::make_domain(internal());
    std::string causation;
    domain.command_handler<depot_commands, Open, Freeze>(depot_commands{causation});
    ledger::fixture f{domain, 100};
    f.context().process(Open{.depot_id = "d-1"});
    const auto facts = f.stream("bank::depot-fact-d-1");
    ASSERT_EQ(facts.size(), 1U);
    EXPECT_EQ(metadata_of(facts[0]).domain.causation_id, causation);
    EXPECT_NE(metadata_of(f.stream("bank::depot-d-1")[0]).domain.causation_id, causation);
}

// ---- handlers

struct watcher {
    std::vector<std::string>& seen;
    void operator()(const sluice::fact<Account>& now, sluice::context& in) const {
        seen.push_back(std::to_string(now.version) + ": " + std::to_string(now.state.balance()));
        EXPECT_THROW(in.repository<Account>().add(now.state), sluice::usage_error) << "detached";
    }
};

TEST(fact, is_handled_as_state_and_version) {
    std::vector<std::string> seen;
    auto domain = ledger::make_domain(internal());
    domain.event_handler<watcher, sluice::fact<Account>>(watcher{seen});
    ledger::fixture f{domain, 100};
    f.open("a-1", 500);
    auto fact = f.stream("bank::account-fact-a-1").front().event;
    fact.data.insert(1, R"("added_by_a_newer_build":1,)");
    auto metadata = sluice::json::parse(fact.metadata);
    metadata.as_object().find("envelope")->as_object().set("checksum", nullptr);
    const auto m = sluice::message::decode(sluice::envelope::render_internal(fact.data, sluice::json::dump(metadata)));
    const auto& handler = f.env->domain().event_handlers.front();
    f.work([&](sluice::context& in) { handler.on.begin()->second(m, in); });
    EXPECT_THAT(seen, ElementsAre("1: 500"));
}

TEST(fact, that_nobody_tells_is_a_mistake_in_the_declaration) {
    std::vector<std::string> seen;
    auto domain = ledger::make_domain();
    domain.event_handler<watcher, sluice::fact<Account>>(watcher{seen});
    EXPECT_THAT(message_of<sluice::configuration_error>([&] { domain.validate(); }),
                HasSubstr(".facts = sluice::facts::internal"));
}

TEST(fact, without_a_version_cannot_be_handled) {
    for (const char* sequence : {"", ".1", "1.", "1.x", "x", "-1", "1.1.1", "1 "}) {
        const auto m = sluice::message::decode(
            fmt::format(R"({{"data":{{}},"metadata":{{"domain":{{"sequence_id":"{}"}}}}}})", sequence));
        EXPECT_THROW(static_cast<void>(sluice::detail::version_of_fact(m)), sluice::decode_error) << sequence;
    }
}

TEST(fact, of_protean_has_the_version_before_the_dot) {
    for (const auto& [sequence, version] : {std::pair{"0.1", 0}, std::pair{"17.3", 17}, std::pair{"4", 4}}) {
        const auto m = sluice::message::decode(
            fmt::format(R"({{"data":{{}},"metadata":{{"domain":{{"sequence_id":"{}"}}}}}})", sequence));
        EXPECT_EQ(sluice::detail::version_of_fact(m), version) << sequence;
    }
}

TEST(fact, of_a_stream_without_state_is_a_mistake_in_the_declaration) {
    struct Kept;
    sluice::domain domain{"bank"};
    domain.stream<Kept>({.facts = sluice::facts::internal});
    EXPECT_THROW(domain.validate(), sluice::configuration_error);
}

}  // namespace
