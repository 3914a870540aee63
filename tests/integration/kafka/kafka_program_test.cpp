// The real program on a domain that knows nothing of Kafka, and logins.

#include <csignal>

#include <sluice/json.hpp>

#include "broker/kafka/properties.hpp"
#include "integration/kafka/kafka_fixture.hpp"
#include "integration/tiny_project.hpp"

namespace sluice::broker::kafka {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class kafka_program : public sluice::testing::tiny_project {
protected:
    kafka_server server_ = kafka_server::shared();
    std::string prefix_ = fresh_prefix();
};

TEST_F(kafka_program, publishes_by_configuration_alone_beside_another_broker) {
    std::string text = sluice::testing::tiny_configuration;
    const std::string alone = R"(external_brokers = ["partner"])";
    ASSERT_NE(text.find(alone), std::string::npos);
    text.replace(text.find(alone), alone.size(), R"(external_brokers = ["partner", "kafka"])");
    configure("[brokers.kafka]\nprovider = \"kafka\"\nURI = \"" + server_.uri() + "\"\nprefix = \"" + prefix_ +
              "\"\ncreate_topics = true\npartitions = 1\n[brokers.kafka.kafka]\ncompression.type = \"lz4\"\n"
              "[outbox.lanes.kafka]\nformat = \"cloudevents-binary\"\n\n" +
              text);
    create_counter("c-1");
    const auto checked = sluice::testing::run_sluice({"check"}, settings());
    EXPECT_EQ(checked.code, 0) << checked.out << checked.err;
    sluice::testing::running_program program{{"server"}, settings()};
    std::vector<std::string> found;
    const auto is_there = [&] {
        try {
            found = log_of(server_, prefix_ + "tiny.counter");
        } catch (const std::exception&) {
            return false;  // the topic is not there yet
        }
        return !found.empty();
    };
    ASSERT_TRUE(eventually(is_there));
    EXPECT_EQ(json::parse(found.at(0)).at("counter_id").as_string(), "c-1");
    const auto shown =
        sluice::testing::run_command("kcat -C -e -q -J -b " + server_.servers() + " -t " + prefix_ + "tiny.counter");
    EXPECT_THAT(shown, HasSubstr(R"("key":"tiny::counter-c-1")"));
    EXPECT_THAT(shown, HasSubstr(R"("ce_id","tiny::counter-c-1-)"));
    EXPECT_THAT(shown, HasSubstr(R"("ce_specversion","1.0")"));
    program.signal(SIGTERM);
    EXPECT_EQ(program.finish().code, 0);
}

TEST_F(kafka_program, refuses_properties_that_would_break_a_promise) {
    configure("[brokers.kafka]\nprovider = \"kafka\"\nURI = \"" + server_.uri() +
              "\"\n[brokers.kafka.kafka]\nenable.gapless.guarantee = true\n\n" + sluice::testing::tiny_configuration);
    const auto checked = sluice::testing::run_sluice({"check"}, settings());
    EXPECT_NE(checked.code, 0);
    EXPECT_THAT(checked.out + checked.err, HasSubstr("brokers.kafka.kafka"));
    EXPECT_THAT(checked.out + checked.err, HasSubstr("may not be set here"));
}

/// Nobody lets the publisher in, and it says why.
bool is_told(publisher& to, const std::string& why) {
    std::string told;
    const bool is_said = eventually([&] {
        const auto verdicts = send(to, letters("a", 0, 2), seconds{2});
        EXPECT_EQ(count_of<unreachable>(verdicts), 2U);
        told = reason_of(verdicts.at(0));
        return told.find(why) != std::string::npos;
    });
    EXPECT_TRUE(is_said) << told;
    return is_said;
}

/// A listener that wants a login.
class kafka_login : public ::testing::Test {
protected:
    [[nodiscard]] kafka_options as(const std::string& password, const std::string& mechanism) const {
        auto options = options_for(server_);
        options.uri = "kafka://shop:" + password + "@" + server_.login_servers();
        options.sasl_mechanism = mechanism;
        return options;
    }

    kafka_server server_ = kafka_server::shared();
};

TEST_F(kafka_login, is_wanted_by_password_and_a_wrong_one_is_an_outage) {
    const auto broker = make_kafka_broker(as("s3cret", "PLAIN"));
    ASSERT_EQ(count_of<delivered>(send(*broker->open_publisher(), letters("a", 0, 2))), 2U);
    const auto in = broker->open_reader({"shop::order"}, {.group = "g", .consumer = "c"});
    EXPECT_EQ(read_all(*in, 2).size(), 2U);
    EXPECT_THAT(broker->describe(), Not(HasSubstr("s3cret")));

    const auto stranger = make_kafka_broker(as("wr0ng", "PLAIN"));
    const auto to = stranger->open_publisher();
    EXPECT_TRUE(is_told(*to, "uthentication"));
    EXPECT_THAT(reason_of(send(*to, letters("a", 0, 2), seconds{1}).at(0)), Not(HasSubstr("wr0ng")));
}

// What sluice check warns of is so (trap K15).
TEST_F(kafka_login, by_scram_works_where_the_library_can) {
    const auto broker = make_kafka_broker(as("s3cret", "SCRAM-SHA-512"));
    const auto to = broker->open_publisher();
    if (cannot_log_in("SCRAM-SHA-512")) {
        EXPECT_TRUE(is_told(*to, "uthentication"));
    } else {
        EXPECT_EQ(count_of<delivered>(send(*to, letters("a", 0, 1))), 1U);
    }
}

// Trap K15: who cannot be trusted is away, and nothing is refused for it.
TEST(kafka_tls, trusts_the_authorities_of_the_file_as_it_is_now) {
    const auto server = kafka_server::shared();
    const sluice::testing::temporary_directory directory;
    auto options = options_for(server);
    options.uri = "kafkas://" + server.tls_servers();
    options.tls.ca_file = directory / "trusted.pem";
    const auto trust = [&](const char* whom) {
        std::filesystem::copy_file(server.certificates() / whom, options.tls.ca_file,
                                   std::filesystem::copy_options::overwrite_existing);
    };
    trust("other-ca.pem");
    const auto broker = make_kafka_broker(options);
    const auto to = broker->open_publisher();
    for (int again = 0; again < 2; ++again) EXPECT_TRUE(is_told(*to, "certificate"));
    trust("ca.pem");
    EXPECT_EQ(count_of<delivered>(send(*to, letters("a", 0, 2))), 2U) << "without a restart";
    EXPECT_THAT(log_of(server, options.prefix + "shop.order"), ::testing::ElementsAre("a0", "a1"));
}

}  // namespace
}  // namespace sluice::broker::kafka
