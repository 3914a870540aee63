#pragma once

#include <memory>

#include <librdkafka/rdkafka.h>

/// Owners of what librdkafka hands out.
namespace sluice::broker::kafka {

template <auto Destroy>
struct destroys {
    template <class Object>
    void operator()(Object* object) const noexcept {
        Destroy(object);
    }
};

using conf_handle = std::unique_ptr<rd_kafka_conf_t, destroys<rd_kafka_conf_destroy>>;
using topic_handle = std::unique_ptr<rd_kafka_topic_t, destroys<rd_kafka_topic_destroy>>;
using queue_handle = std::unique_ptr<rd_kafka_queue_t, destroys<rd_kafka_queue_destroy>>;
using event_handle = std::unique_ptr<rd_kafka_event_t, destroys<rd_kafka_event_destroy>>;
using message_handle = std::unique_ptr<rd_kafka_message_t, destroys<rd_kafka_message_destroy>>;
using headers_handle = std::unique_ptr<rd_kafka_headers_t, destroys<rd_kafka_headers_destroy>>;
using error_handle = std::unique_ptr<rd_kafka_error_t, destroys<rd_kafka_error_destroy>>;
using admin_options_handle = std::unique_ptr<rd_kafka_AdminOptions_t, destroys<rd_kafka_AdminOptions_destroy>>;
using config_resource_handle = std::unique_ptr<rd_kafka_ConfigResource_t, destroys<rd_kafka_ConfigResource_destroy>>;
using new_topic_handle = std::unique_ptr<rd_kafka_NewTopic_t, destroys<rd_kafka_NewTopic_destroy>>;
using partitions_handle =
    std::unique_ptr<rd_kafka_topic_partition_list_t, destroys<rd_kafka_topic_partition_list_destroy>>;
using metadata_handle = std::unique_ptr<const rd_kafka_metadata_t, destroys<rd_kafka_metadata_destroy>>;

}  // namespace sluice::broker::kafka
