#include "broker/kafka/topic_admin.hpp"

#include <array>
#include <charconv>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "broker/kafka/judgement.hpp"
#include "observe/log.hpp"

namespace sluice::broker::kafka {
namespace {

/// `max.message.bytes` among the settings of a topic; 0: it is not told.
std::size_t largest_message(const rd_kafka_ConfigResource_t* topic) {
    std::size_t count = 0;
    const auto* const* const entries = rd_kafka_ConfigResource_configs(topic, &count);
    for (std::size_t i = 0; i < count; ++i) {
        if (std::string_view{rd_kafka_ConfigEntry_name(entries[i])} != "max.message.bytes") continue;
        const char* const value = rd_kafka_ConfigEntry_value(entries[i]);
        const std::string_view text = value == nullptr ? "" : value;
        std::size_t bytes = 0;
        std::from_chars(text.data(), text.data() + text.size(), bytes);
        return bytes;
    }
    return 0;
}

}  // namespace

described_topics describe_topics(const client& by, const std::set<std::string>& names, const net::deadline& until) {
    std::vector<config_resource_handle> owners;
    std::vector<rd_kafka_ConfigResource_t*> questions;
    for (const std::string& name : names) {
        owners.emplace_back(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name.c_str()));
        questions.push_back(owners.back().get());
    }
    const auto answer = ask(
        by, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS,
        [&](rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* to) {
            rd_kafka_DescribeConfigs(by.get(), questions.data(), questions.size(), options, to);
        },
        until);
    std::size_t count = 0;
    const auto* const* const found =
        rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(answer.get()), &count);
    described_topics all;
    for (std::size_t i = 0; i < count; ++i) {
        const char* const name = rd_kafka_ConfigResource_name(found[i]);
        const auto error = rd_kafka_ConfigResource_error(found[i]);
        if (error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) {
            all.missing.insert(name);
        } else {
            // Who may write to a topic need not be allowed to see its settings.
            all.there[name] = error == RD_KAFKA_RESP_ERR_NO_ERROR ? largest_message(found[i]) : 0;
        }
    }
    return all;
}

std::map<std::string, refused> create_topics(const client& by, const kafka_options& options,
                                             const std::set<std::string>& names, const net::deadline& until) {
    std::vector<new_topic_handle> owners;
    std::vector<rd_kafka_NewTopic_t*> wishes;
    std::array<char, 256> text{};
    const int copies = options.replication == 0 ? -1 : options.replication;
    for (const std::string& name : names) {
        owners.emplace_back(rd_kafka_NewTopic_new(name.c_str(), options.partitions, copies, text.data(), text.size()));
        if (owners.back() != nullptr) wishes.push_back(owners.back().get());
    }
    const auto answer = ask(
        by, RD_KAFKA_ADMIN_OP_CREATETOPICS,
        [&](rd_kafka_AdminOptions_t* with, rd_kafka_queue_t* to) {
            rd_kafka_CreateTopics(by.get(), wishes.data(), wishes.size(), with, to);
        },
        until);
    std::size_t count = 0;
    const auto* const* const made =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(answer.get()), &count);
    std::map<std::string, refused> failed;
    for (std::size_t i = 0; i < count; ++i) {
        const std::string name = rd_kafka_topic_result_name(made[i]);
        const auto error = rd_kafka_topic_result_error(made[i]);
        const char* const more = rd_kafka_topic_result_error_string(made[i]);
        if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
            observe::log(observe::level::info, "kafka.topic_created",
                         {{"topic", name}, {"partitions", options.partitions}});
        } else if (error != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) {
            failed[name] = {.reason = fmt::format("topic {} cannot be made: {}", name,
                                                  words_of(error, more == nullptr ? "" : more)),
                            .code = code_word(error),
                            .stream_closed = true};
        }
    }
    return failed;
}

}  // namespace sluice::broker::kafka
