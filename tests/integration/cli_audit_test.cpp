#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "integration/command_line.hpp"

// `sluice audit`.
namespace sluice {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::program_result;

/// @param part  must be there
std::string replaced(std::string text, const std::string& part, const std::string& with) {
    return text.replace(text.find(part), part.size(), with);
}

class cli_audit : public command_line {
protected:
    void publish_all() {
        testing::running_program server{{"server"}, settings()};
        ASSERT_TRUE(eventually([&] { return partner().at("waiting").as_int() == 0; }));
        server.signal(SIGTERM);
        EXPECT_EQ(server.finish().code, 0);
    }
    [[nodiscard]] json::value partner() const {
        return json::parse(sluice({"audit", "--broker", "partner", "--json"}).out).at("brokers").at(0);
    }
};

TEST_F(cli_audit, tells_that_every_event_is_accounted_for) {
    for (const char* id : {"c-1", "c-2", "c-3"}) create_counter(id);
    const json::value before = partner();
    EXPECT_EQ(before.at("committed").as_int(), 3);
    EXPECT_EQ(before.at("waiting").as_int(), 3);
    publish_all();
    ASSERT_EQ(partner().at("confirmed").as_int(), 3);
    const program_result shown = sluice({"audit"});
    EXPECT_EQ(shown.code, 0) << shown.err;
    EXPECT_THAT(shown.out,
                AllOf(HasSubstr("COMMITTED  CONFIRMED  WAITING"), HasSubstr("every event is accounted for")));
    EXPECT_EQ(sluice_json({"audit", "--since", "1h"}).at("brokers").at(0).at("committed").as_int(), 3);
    EXPECT_EQ(sluice_json({"audit", "--since", "2100-01-01T00:00:00Z"}).at("brokers").at(0).at("committed").as_int(),
              0);
}

TEST_F(cli_audit, names_what_is_missing_and_has_it_sent) {
    for (const char* id : {"c-1", "c-2", "c-3"}) create_counter(id);
    publish_all();
    sql("tiny.db",
        "DELETE FROM outbox_ledger WHERE broker = (SELECT number FROM outbox_broker WHERE name = 'partner')");
    const program_result broken = sluice({"audit"});
    EXPECT_EQ(broken.code, 1);
    EXPECT_THAT(broken.out, AllOf(HasSubstr("missing partner: event 1 tiny::counter-c-1-"),
                                  HasSubstr("the sum does not close"), HasSubstr("sluice audit --resend")));
    const json::value fault = partner().at("faults").at(0);
    EXPECT_EQ(fault.at("fault").as_string(), "missing");
    EXPECT_EQ(fault.at("stream").as_string(), "tiny::counter-c-1");

    EXPECT_EQ(sluice({"audit", "--resend"}).code, 1) << "it was missing";
    EXPECT_EQ(partner().at("waiting").as_int(), 3);
    publish_all();
    EXPECT_EQ(partner().at("confirmed").as_int(), 3);
    EXPECT_EQ(sluice({"audit"}).code, 0);
}

TEST_F(cli_audit, knows_a_broker_that_left_the_configuration_with_all_its_confirmations) {
    create_counter("c-1");
    publish_all();
    sql("tiny.db",
        "DELETE FROM outbox_ledger WHERE broker = (SELECT number FROM outbox_broker WHERE name = 'partner')");
    std::string without = usual;
    for (const std::string part : {"[brokers.partner]\nprovider = \"sqlite\"\nURI = \"partner/events.db\"\n",
                                   "external_brokers = [\"partner\"]\n"}) {
        without.erase(without.find(part), part.size());
    }
    configure(without);
    const program_result result = sluice({"audit", "--broker", "partner"});
    EXPECT_EQ(result.code, 1) << result.err;
    EXPECT_THAT(result.out, HasSubstr("missing partner: event 1 "));
}

/// `sluice audit --deep` asks the embedded brokers themselves.
class cli_deep_audit : public cli_audit {
protected:
    [[nodiscard]] program_result deep() const { return sluice({"audit", "--deep"}); }
    [[nodiscard]] json::value at(const std::string& broker) const {
        const program_result result = sluice({"audit", "--deep", "--broker", broker, "--json"});
        return json::parse(result.out).at("brokers").at(0).at("at_broker");
    }
    void increase(const std::string& id) const {
        ASSERT_EQ(sluice({"process", "Increase", R"({"counter_id":")" + id + R"(","by":1})"}).code, 0);
    }
};

TEST_F(cli_deep_audit, finds_at_the_broker_what_the_ledger_says_it_has) {
    for (const char* id : {"c-1", "c-2", "c-3"}) create_counter(id);
    publish_all();
    const program_result shown = deep();
    EXPECT_EQ(shown.code, 0) << shown.err;
    EXPECT_THAT(shown.out, HasSubstr("CONFIRMED  PRESENT  EXPIRED  MISSING  DOUBLED  OUT OF ORDER"));
    const json::value partner = at("partner");
    EXPECT_TRUE(partner.at("asked").as_bool());
    EXPECT_EQ(partner.at("confirmed").as_int(), 3);
    EXPECT_EQ(partner.at("present").as_int(), 3);
    EXPECT_EQ(sluice({"audit", "--json"}).out.find("at_broker"), std::string::npos) << "only when it is asked for";
    EXPECT_EQ(sluice_json({"audit", "--deep", "--since", "2100-01-01T00:00:00Z"})
                  .at("brokers")
                  .at(0)
                  .at("at_broker")
                  .at("confirmed")
                  .as_int(),
              0);
}

TEST_F(cli_deep_audit, names_what_the_broker_has_lost_doubled_or_put_into_another_order) {
    for (const char* id : {"c-1", "c-2", "c-3"}) create_counter(id);
    increase("c-3");
    publish_all();
    sql("partner/events.db", "DELETE FROM broker_entry WHERE key = 'tiny::counter-c-2'");
    sql("partner/events.db",
        "INSERT INTO broker_entry (stream_id, message_id, key, body, created_at, variant)"
        " SELECT stream_id, message_id, key, body, created_at, 1 FROM broker_entry WHERE key = 'tiny::counter-c-1'");
    // The creation of c-3 behind its increase.
    sql("default.db",
        "UPDATE broker_entry SET id = (SELECT max(id) + 1 FROM broker_entry) WHERE id ="
        " (SELECT min(id) FROM broker_entry WHERE key = 'tiny::counter-c-3')");

    const program_result shown = deep();
    EXPECT_EQ(shown.code, 1);
    EXPECT_THAT(shown.out, AllOf(HasSubstr("every event is accounted for"),
                                 HasSubstr("missing partner: event 2 tiny::counter-c-2-0.1 is not at the broker"),
                                 HasSubstr("doubled partner: event 1 tiny::counter-c-1-0.1 has one more entry"),
                                 HasSubstr("out of order default: event 3 tiny::counter-c-3-0.1 stands")));
    const json::value partner = at("partner");
    EXPECT_EQ(partner.at("missing").as_int(), 1);
    EXPECT_EQ(partner.at("doubled").as_int(), 1);
    EXPECT_FALSE(partner.at("closes").as_bool());
    const json::value fault = partner.at("faults").at(1);
    EXPECT_EQ(fault.at("fault").as_string(), "missing");
    EXPECT_EQ(fault.at("seq").as_int(), 2);
    EXPECT_EQ(fault.at("stream").as_string(), "tiny::counter-c-2");
    EXPECT_EQ(fault.at("type").as_string(), "Tiny.CounterCreated.v1");
    EXPECT_EQ(sluice({"audit"}).code, 0) << "the ledger does not know";
}

TEST_F(cli_deep_audit, takes_what_retention_has_removed_for_expired_and_passes_over_foreign_entries) {
    for (const char* id : {"c-1", "c-2", "c-3"}) create_counter(id);
    publish_all();
    configure(replaced(usual, "URI = \"partner/events.db\"\n", "URI = \"partner/events.db\"\nmaxlen = 2\n"));
    sql("partner/events.db", "DELETE FROM broker_entry WHERE key = 'tiny::counter-c-1'");
    sql("partner/events.db",
        "INSERT INTO broker_entry (stream_id, message_id, key, body, created_at)"
        " SELECT stream_id, 'tiny::counter-c-9-1.1', key, body, created_at FROM broker_entry LIMIT 1");
    const json::value partner = at("partner");
    EXPECT_EQ(partner.at("present").as_int(), 2);
    EXPECT_EQ(partner.at("expired").as_int(), 1);
    EXPECT_TRUE(partner.at("closes").as_bool()) << json::dump(partner);
}

TEST_F(cli_deep_audit, says_so_when_a_broker_cannot_be_asked) {
    create_counter("c-1");
    publish_all();
    configure(replaced(usual, "[brokers.partner]\nprovider = \"sqlite\"\nURI = \"partner/events.db\"\n",
                       "[brokers.partner]\nprovider = \"inline\"\n"));
    const program_result shown = sluice({"audit", "--deep", "--broker", "partner"});
    EXPECT_EQ(shown.code, 0) << shown.err;
    EXPECT_THAT(shown.out, HasSubstr("not asked partner: it is in the memory of another process"));
    const json::value partner = at("partner");
    EXPECT_FALSE(partner.at("asked").as_bool());
    EXPECT_THAT(partner.at("reason").as_string(), HasSubstr("memory"));
    EXPECT_EQ(partner.find("closes"), nullptr) << "nothing was proved";
}

TEST_F(cli_deep_audit, ends_like_other_commands_when_a_broker_is_away) {
    create_counter("c-1");
    publish_all();
    std::filesystem::rename(directory_ / "partner", directory_ / "gone");
    const program_result result = deep();
    EXPECT_EQ(result.code, 4) << result.out;
    EXPECT_THAT(result.err, HasSubstr("partner"));
}

TEST_F(cli_audit, leaves_its_outcome_to_the_metrics) {
    create_counter("c-1");
    EXPECT_EQ(sluice({"audit", "--since", "1h"}).code, 0);
    EXPECT_TRUE(partner_lane().at("last_audit").is_null()) << "a part proves nothing of the rest";
    publish_all();
    EXPECT_EQ(sluice({"audit"}).code, 0);
    const json::value closed = partner_lane().at("last_audit");
    EXPECT_TRUE(closed.at("closes").as_bool());
    EXPECT_EQ(closed.at("closed_at").as_string(), closed.at("at").as_string());

    sql("partner/events.db", "DELETE FROM broker_entry");
    EXPECT_EQ(sluice({"audit", "--deep", "--broker", "partner"}).code, 1);
    const json::value broken = partner_lane().at("last_audit");
    EXPECT_FALSE(broken.at("closes").as_bool());
    EXPECT_EQ(broken.at("closed_at").as_string(), closed.at("closed_at").as_string());
    EXPECT_EQ(sluice_json({"status"}).at("lanes").at(0).at("last_audit").at("at").as_string(),
              closed.at("at").as_string())
        << "of the other broker nothing new is known";
}

TEST_F(cli_audit, refuses_what_cannot_be_meant) {
    create_counter("c-1");
    const program_result misspelt = sluice({"audit", "--broker", "partnr"});
    EXPECT_EQ(misspelt.code, 2);
    EXPECT_THAT(misspelt.err, HasSubstr("partner"));
    for (const char* when : {"Tuesday", "yesterday"}) {
        const program_result result = sluice({"audit", "--since", when});
        EXPECT_EQ(result.code, 2);
        EXPECT_THAT(result.err, AllOf(HasSubstr(std::string{"--since "} + when), HasSubstr("24h")));
    }
}

}  // namespace
}  // namespace sluice
