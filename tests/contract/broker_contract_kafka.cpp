#include <atomic>
#include <chrono>
#include <memory>
#include <string>

#include "contract/broker_contract.hpp"
#include "contract/helped_broker.hpp"
#include "contract/settling_kafka.hpp"
#include "observe/log.hpp"
#include "support/kafka_server.hpp"

namespace sluice::broker::contract {
namespace {

/// Topics and groups of each test have a prefix of their own.
kafka_options fresh_options(const clock& server_time) {
    static const auto server = sluice::testing::kafka_server::shared();
    static const auto run = std::chrono::system_clock::now().time_since_epoch().count();
    static std::atomic<int> tests = 0;
    // Who gets a partition and who gives one back is told to whoever reads of a failure.
    observe::configure_log({.threshold = observe::level::debug});
    return {.uri = server.uri(),
            .prefix = "t" + std::to_string(run) + "-" + std::to_string(++tests) + ".",
            .create_topics = true,
            .partitions = 1,
            .properties = {{"heartbeat.interval.ms", "200"}},
            .time = &server_time};
}

std::unique_ptr<broker> make_helped_kafka(const std::filesystem::path& /*directory*/, const clock& server_time) {
    return std::make_unique<helped_broker>(make_settling_kafka(fresh_options(server_time)));
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(kafka_broker, broker_contract,
                         ::testing::Values(subject{.name = "kafka",
                                                   .make = make_helped_kafka,
                                                   .deduplicates = false,
                                                   .recognises_copies = false,
                                                   .fences = false,
                                                   .fences_members = false,
                                                   .shares_groups = false,
                                                   .knows_incarnations = false}),
                         [](const auto& i) { return i.param.name; });

}  // namespace sluice::broker::contract
