#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <string>

#include <sluice/time.hpp>

#include "broker/broker.hpp"
#include "net/tls_trust.hpp"

namespace sluice::broker {

struct kafka_options {
    /// `kafka://[user:password@]host[:port][,host[:port]…]`, or `kafkas://…` for TLS. Text in user and password is
    /// percent-encoded. The hosts are where the client asks for the cluster; the brokers tell it of all others.
    std::string uri = "kafka://localhost:9092";
    std::string sasl_mechanism = "PLAIN";              ///< used when the address names a user
    duration answer_timeout{std::chrono::seconds{5}};  ///< of any call but publish, which has a timeout of its own
    /// Largest body; a larger one is refused for good (`message_too_big`). The limit of a topic (`max.message.bytes`)
    /// counts key, headers and some more, and holds, too.
    std::size_t max_message_bytes = std::size_t{1000} * 1000;
    std::string prefix{};        ///< before the name of each topic, group and transactional id
    bool create_topics = false;  ///< a topic that is not there is made, with:
    int partitions = 12;
    int replication = 0;  ///< copies of each partition; 0: as many as the broker's `default.replication.factor`
    /// A batch is one transaction, fenced by `transactional.id` and epoch: of a frozen former owner nothing is visible
    /// to readers of committed data any more.
    bool transactional = false;
    net::tls_trust tls{};
    std::map<std::string, std::string> properties{};  ///< further ones of librdkafka, see kafka::is_ours
    const clock* time = nullptr;                      ///< by which a silent member is told; null: `system_clock()`
};

/// Kafka 2.4 or newer, through librdkafka.
///
/// Publishing. Idempotent, `acks=all`; one message of a key is on its way, many keys are, so a refused message is never
/// overtaken. The key of a message is that of its aggregate, its partition is chosen as Java clients do (murmur2). What
/// was not confirmed in time is waited for over the same client, and not sent anew.
///
/// Consuming. One consumer for all streams of a reader; partitions are shared within a group, cooperatively. Committed
/// is the first offset below which everything is acknowledged; what is acknowledged behind it is remembered beside it.
/// Where a group has no place, or one that the topic does not have any more, the reader decides, and says so: nothing
/// is skipped in silence. A reader that is silent for the claim time leaves the group.
///
/// Threads: those of the library (about three, and one for each broker), and one more for each reader.
///
/// @throws configuration_error when the address, a file or a property cannot be used; the address is not quoted
[[nodiscard]] std::unique_ptr<broker> make_kafka_broker(kafka_options options);

}  // namespace sluice::broker
