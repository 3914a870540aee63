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
