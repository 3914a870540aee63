#include "broker/kafka/properties.hpp"

#include <gmock/gmock.h>

#include <sluice/error.hpp>

#include "broker/kafka/client.hpp"

namespace sluice::broker::kafka {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(properties, may_not_be_set_where_a_promise_rests_on_them) {
    for (const auto name :
         {"acks", "request.required.acks", "retries", "max.in.flight", "enable.idempotence", "message.timeout.ms",
          "enable.gapless.guarantee", "partitioner", "enable.auto.commit", "auto.offset.reset", "group.instance.id",
          "transactional.id", "bootstrap.servers", "sasl.password", "plugin.library.paths", "dr_msg_cb"}) {
        EXPECT_NE(objection_to(name), "") << name;
    }
    for (const auto name : {"compression.type", "linger.ms", "batch.size", "ssl.cipher.suites", "client.rack"}) {
        EXPECT_EQ(objection_to(name), "") << name;
    }
}

TEST(properties, keep_what_sluice_promises) {
    kafka_options options;
    options.properties = {{"linger.ms", "20"}, {"compression.type", "lz4"}};
    const auto with = producer_properties(options, {.servers = "h:9092"}, std::chrono::seconds{10});
    EXPECT_EQ(with.at("enable.idempotence"), "true");
    EXPECT_EQ(with.at("acks"), "all");
    EXPECT_EQ(with.at("partitioner"), "murmur2_random");
    EXPECT_EQ(with.at("message.timeout.ms"), "10000");
    EXPECT_EQ(with.at("linger.ms"), "20");
    EXPECT_EQ(with.at("security.protocol"), "plaintext");
    check_properties(with);
}

TEST(properties, give_a_message_up_also_after_no_time) {
    const auto with = producer_properties({}, {.servers = "h:9092"}, duration{0});
    EXPECT_EQ(with.at("message.timeout.ms"), "10");
    check_properties(with);
    const client made{client::kind::producer, with};
}

TEST(properties, log_in_where_the_address_names_a_user) {
    const endpoint at{.servers = "h:9092", .user = "me", .password = "s3cret", .tls = true};
    const auto with = connection_properties({.sasl_mechanism = "PLAIN", .tls = {.ca_file = "/ca.pem"}}, at);
    EXPECT_EQ(with.at("security.protocol"), "sasl_ssl");
    EXPECT_EQ(with.at("sasl.mechanisms"), "PLAIN");
    EXPECT_EQ(with.at("sasl.username"), "me");
    EXPECT_EQ(with.at("sasl.password"), "s3cret");
    EXPECT_EQ(with.at("ssl.ca.location"), "/ca.pem");
    EXPECT_EQ(with.at("ssl.endpoint.identification.algorithm"), "https");
}

std::string complaint_about(const std::string& name, const std::string& value) {
    try {
        check_properties({{name, value}});
    } catch (const configuration_error& e) {
        return e.what();
    }
    return {};
}

TEST(properties, name_what_the_library_does_not_take) {
    EXPECT_THAT(complaint_about("linger.mss", "5"), HasSubstr("kafka property linger.mss: librdkafka knows no such"));
    EXPECT_THAT(complaint_about("linger.ms", "soon"), HasSubstr("linger.ms"));
    EXPECT_THAT(complaint_about("ssl.key.pem", "s3cret"), Not(HasSubstr("s3cret")));
}

}  // namespace
}  // namespace sluice::broker::kafka
