#include "broker/nats/durability.hpp"

#include <gmock/gmock.h>

namespace sluice::broker::nats {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> codes_of(const std::string& config) {
    std::vector<std::string> codes;
    for (const auto& each : hazards_of_stream(json::parse(config))) codes.push_back(each.code);
    return codes;
}

TEST(nats_durability, has_nothing_to_say_of_a_stream_that_keeps_everything) {
    EXPECT_THAT(codes_of(R"({"name":"S","discard":"new","max_msgs":5,"storage":"file","retention":"limits",)"
                         R"("duplicate_window":120000000000})"),
                IsEmpty());
    EXPECT_THAT(codes_of(R"({"name":"S","discard":"old","max_msgs":-1,"max_bytes":-1,"duplicate_window":60000000000})"),
                IsEmpty())
        << "discard old without a limit";
}

TEST(nats_durability, names_each_way_to_lose_a_confirmed_message) {
    const std::string window = R"("duplicate_window":120000000000)";
    EXPECT_THAT(codes_of(R"({"discard":"old","max_bytes":100,)" + window + "}"), ElementsAre("NATS_DISCARDS_OLD"));
    EXPECT_THAT(codes_of(R"({"discard":"old","max_msgs_per_subject":1,)" + window + "}"),
                ElementsAre("NATS_DISCARDS_OLD"));
    EXPECT_THAT(codes_of(R"({"max_age":1000000000,)" + window + "}"), ElementsAre("NATS_MAX_AGE"));
    EXPECT_THAT(codes_of(R"({"storage":"memory",)" + window + "}"), ElementsAre("NATS_IN_MEMORY"));
    EXPECT_THAT(codes_of(R"({"retention":"interest",)" + window + "}"), ElementsAre("NATS_KEEPS_BY_INTEREST"));
    EXPECT_THAT(codes_of(R"({"retention":"workqueue",)" + window + "}"), ElementsAre("NATS_WORK_QUEUE"));
    EXPECT_THAT(codes_of(R"({"no_ack":true,)" + window + "}"), ElementsAre("NATS_CONFIRMS_NOTHING"));
    EXPECT_THAT(codes_of(R"({"duplicate_window":1000000000})"), ElementsAre("NATS_SHORT_DUPLICATE_WINDOW"));
    EXPECT_THAT(hazards_of_stream(json::parse(R"({"name":"A\nB","max_age":1})")).at(0).message, HasSubstr("A B"));
}

TEST(nats_durability, wants_consumers_that_never_give_up) {
    EXPECT_THAT(hazards_of_consumer("S", json::parse(R"({"durable_name":"g","max_deliver":-1})")), IsEmpty());
    const auto found = hazards_of_consumer("S", json::parse(R"({"durable_name":"g","max_deliver":2})"));
    ASSERT_EQ(found.size(), 1U);
    EXPECT_THAT(found[0].message, HasSubstr("2 deliveries"));
}

}  // namespace
}  // namespace sluice::broker::nats
