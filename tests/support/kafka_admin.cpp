#include "support/kafka_admin.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <stdexcept>

#include <librdkafka/rdkafka.h>

#include "support/eventually.hpp"

namespace sluice::testing {
namespace {

template <auto Destroy>
struct ends {
    template <class Object>
    void operator()(Object* object) const {
        Destroy(object);
    }
};
template <class Object, auto Destroy>
using owner = std::unique_ptr<Object, ends<Destroy>>;

using client = owner<rd_kafka_t, rd_kafka_destroy>;
using queue = owner<rd_kafka_queue_t, rd_kafka_queue_destroy>;
using event = owner<rd_kafka_event_t, rd_kafka_event_destroy>;
using new_topic = owner<rd_kafka_NewTopic_t, rd_kafka_NewTopic_destroy>;
using delete_topic = owner<rd_kafka_DeleteTopic_t, rd_kafka_DeleteTopic_destroy>;
using new_partitions = owner<rd_kafka_NewPartitions_t, rd_kafka_NewPartitions_destroy>;
using delete_records = owner<rd_kafka_DeleteRecords_t, rd_kafka_DeleteRecords_destroy>;
using resource = owner<rd_kafka_ConfigResource_t, rd_kafka_ConfigResource_destroy>;
using list = owner<rd_kafka_topic_partition_list_t, rd_kafka_topic_partition_list_destroy>;

void require(rd_kafka_resp_err_t error, const std::string& what) {
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) throw std::runtime_error{what + ": " + rd_kafka_err2str(error)};
}

constexpr int patience_ms = 20'000;

client make_client(const std::string& servers) {
    std::array<char, 256> text{};
    rd_kafka_conf_t* const conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", servers.c_str(), text.data(), text.size());
    client made{rd_kafka_new(RD_KAFKA_PRODUCER, conf, text.data(), text.size())};
    if (!made) throw std::runtime_error{text.data()};
    return made;
}

event run(const std::string& servers, const std::function<void(rd_kafka_t*, rd_kafka_queue_t*)>& request) {
    const client by = make_client(servers);
    const queue answers{rd_kafka_queue_new(by.get())};
    request(by.get(), answers.get());
    event answer{rd_kafka_queue_poll(answers.get(), patience_ms)};
    if (!answer) throw std::runtime_error{"Kafka does not answer"};
    require(rd_kafka_event_error(answer.get()), "Kafka");
    return answer;
}

bool is_listed(rd_kafka_t* by, const std::string& topic) {
    const rd_kafka_metadata_t* seen = nullptr;
    require(rd_kafka_metadata(by, 1, nullptr, &seen, patience_ms), "Kafka");  // of all: asking for one would make it
    const owner<const rd_kafka_metadata_t, rd_kafka_metadata_destroy> all{seen};
    return std::any_of(all->topics, all->topics + all->topic_cnt, [&](const rd_kafka_metadata_topic_t& each) {
        return each.topic == topic && each.err == RD_KAFKA_RESP_ERR_NO_ERROR;
    });
}

/// The controller has decided. The brokers hear of it a moment later, and go on as before until then.
void wait_until_brokers_know(const std::string& servers, const std::string& topic, bool is_there) {
    const client by = make_client(servers);
    if (eventually([&] { return is_listed(by.get(), topic) == is_there; })) return;
    throw std::runtime_error{"Kafka's brokers do not hear of what became of " + topic};
}

void require_topics(const rd_kafka_topic_result_t* const* results, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        require(rd_kafka_topic_result_error(results[i]), rd_kafka_topic_result_name(results[i]));
    }
}

}  // namespace

void kafka_admin::create(const std::string& topic, int partitions,
                         const std::vector<std::pair<std::string, std::string>>& settings) const {
    std::array<char, 256> text{};
    const new_topic wish{rd_kafka_NewTopic_new(topic.c_str(), partitions, 1, text.data(), text.size())};
    for (const auto& [name, value] : settings) rd_kafka_NewTopic_set_config(wish.get(), name.c_str(), value.c_str());
    auto* one = wish.get();
    const auto answer =
        run(servers_, [&](rd_kafka_t* by, rd_kafka_queue_t* to) { rd_kafka_CreateTopics(by, &one, 1, nullptr, to); });
    std::size_t count = 0;
    const auto* const* const results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(answer.get()), &count);
    require_topics(results, count);
    wait_until_brokers_know(servers_, topic, true);
}

void kafka_admin::remove(const std::string& topic) const {
    const delete_topic wish{rd_kafka_DeleteTopic_new(topic.c_str())};
    auto* one = wish.get();
    const auto answer =
        run(servers_, [&](rd_kafka_t* by, rd_kafka_queue_t* to) { rd_kafka_DeleteTopics(by, &one, 1, nullptr, to); });
    std::size_t count = 0;
    const auto* const* const results =
        rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(answer.get()), &count);
    require_topics(results, count);
    wait_until_brokers_know(servers_, topic, false);
}

void kafka_admin::set(const std::string& topic, const std::string& setting, const std::string& value) const {
    const resource wish{rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str())};
    rd_kafka_ConfigResource_set_config(wish.get(), setting.c_str(), value.c_str());
    auto* one = wish.get();
    static_cast<void>(
        run(servers_, [&](rd_kafka_t* by, rd_kafka_queue_t* to) { rd_kafka_AlterConfigs(by, &one, 1, nullptr, to); }));
}

void kafka_admin::add_partitions(const std::string& topic, int total) const {
    std::array<char, 256> text{};
    const new_partitions wish{
        rd_kafka_NewPartitions_new(topic.c_str(), static_cast<std::size_t>(total), text.data(), text.size())};
    auto* one = wish.get();
    const auto answer = run(
        servers_, [&](rd_kafka_t* by, rd_kafka_queue_t* to) { rd_kafka_CreatePartitions(by, &one, 1, nullptr, to); });
    std::size_t count = 0;
    const auto* const* const results =
        rd_kafka_CreatePartitions_result_topics(rd_kafka_event_CreatePartitions_result(answer.get()), &count);
    require_topics(results, count);
}

void kafka_admin::remove_records(const std::string& topic, int partition, std::int64_t before) const {
    const list which{rd_kafka_topic_partition_list_new(1)};
    rd_kafka_topic_partition_list_add(which.get(), topic.c_str(), partition)->offset = before;
    const delete_records wish{rd_kafka_DeleteRecords_new(which.get())};
    auto* one = wish.get();
    static_cast<void>(
        run(servers_, [&](rd_kafka_t* by, rd_kafka_queue_t* to) { rd_kafka_DeleteRecords(by, &one, 1, nullptr, to); }));
}

}  // namespace sluice::testing
