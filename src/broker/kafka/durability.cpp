#include "broker/kafka/durability.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string_view>

#include <fmt/format.h>

namespace sluice::broker::kafka {
namespace {

std::optional<std::int64_t> number_of(const broker_settings_map& said, std::string_view name) {
    const auto found = said.find(name);
    if (found == said.end()) return std::nullopt;
    std::int64_t number = 0;
    const char* const end = found->second.data() + found->second.size();
    const auto read = std::from_chars(found->second.data(), end, number);
    return read.ec == std::errc{} && read.ptr == end ? std::optional{number} : std::nullopt;
}

/// Any broker of the cluster.
std::string some_broker(const client& by, const net::deadline& until) {
    constexpr int least_ms = 100;
    const rd_kafka_metadata_t* found = nullptr;
    const auto error = rd_kafka_metadata(by.get(), 0, nullptr, &found, std::max(until.poll_milliseconds(), least_ms));
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) throw outage{words_of(error)};
    const metadata_handle owner{found};
    if (found->broker_cnt == 0) throw outage{"the cluster tells of no broker"};
    return std::to_string(found->brokers[0].id);
}

}  // namespace

std::vector<hazard> hazards_of(const broker_settings_map& said, bool makes_topics, int replication) {
    if (said.empty()) {
        return {{"KAFKA_NOT_ASKED",
                 "Kafka does not tell this account how it keeps topics (DescribeConfigs on the cluster is not allowed)",
                 "see to min.insync.replicas of 2 and to unclean.leader.election.enable = false yourself"}};
    }
    std::vector<hazard> found;
    const auto unclean = said.find("unclean.leader.election.enable");
    if (unclean != said.end() && unclean->second == "true") {
        found.push_back({"KAFKA_UNCLEAN_LEADERS",
                         "a broker that lacks messages may become a leader (unclean.leader.election.enable): messages "
                         "that were confirmed are then lost",
                         "set unclean.leader.election.enable to false: partitions then wait for a complete broker"});
    }
    const auto in_sync = number_of(said, "min.insync.replicas");
    if (in_sync && *in_sync < 2) {
        found.push_back(
            {"KAFKA_ONE_COPY_CONFIRMS",
             "Kafka may confirm what only one broker has (min.insync.replicas 1): it is lost with that broker",
             "set min.insync.replicas to 2, with three copies of each partition"});
    }
    const auto copies =
        replication > 0 ? std::optional<std::int64_t>{replication} : number_of(said, "default.replication.factor");
    if (makes_topics && copies && *copies < 2) {
        found.push_back({"KAFKA_ONE_COPY",
                         "topics that are made have one copy of each partition: they are lost with their broker",
                         "set replication = 3, or default.replication.factor of the brokers"});
    }
    return found;
}

broker_settings_map ask_settings(const client& by, const net::deadline& until) {
    const std::string name = some_broker(by, until);
    const config_resource_handle which{rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_BROKER, name.c_str())};
    std::array<rd_kafka_ConfigResource_t*, 1> question{which.get()};
    const auto answer = ask(
        by, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS,
        [&](rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* to) {
            rd_kafka_DescribeConfigs(by.get(), question.data(), question.size(), options, to);
        },
        until);
    std::size_t count = 0;
    const auto* const* const resources =
        rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(answer.get()), &count);
    broker_settings_map said;
    if (count == 0 || rd_kafka_ConfigResource_error(resources[0]) != RD_KAFKA_RESP_ERR_NO_ERROR) return said;
    std::size_t entries = 0;
    const auto* const* const all = rd_kafka_ConfigResource_configs(resources[0], &entries);
    for (std::size_t i = 0; i < entries; ++i) {
        const char* const value = rd_kafka_ConfigEntry_value(all[i]);
        if (value != nullptr) said.emplace(rd_kafka_ConfigEntry_name(all[i]), value);
    }
    return said;
}

}  // namespace sluice::broker::kafka
