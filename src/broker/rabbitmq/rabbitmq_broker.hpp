#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include <sluice/time.hpp>

#include "broker/broker.hpp"
#include "net/tls_trust.hpp"

namespace sluice::broker {

struct rabbitmq_options {
    /// `amqp://[user:password@]host[:port][/vhost]`, `amqps://…` for TLS. Text in user, password and vhost is
    /// percent-encoded, so the virtual host `/` is `%2f`; it is also the one that is meant when none is named. The
    /// parameters `cacertfile`, `certfile`, `keyfile` and `verify` (`verify_peer` or `verify_none`) may follow, as in
    /// RabbitMQ's own clients.
    std::string uri = "amqp://localhost:5672/%2f";
    std::string exchange = "sluice";  ///< a durable topic exchange
    /// Exchange and queues are created when they are missing; else they must exist.
    bool declare = false;
    std::size_t window = 256;              ///< messages on their way without a confirmation, per publisher
    std::size_t prefetch = 256;            ///< messages per stream that a reader has and has not acknowledged
    std::uint32_t heartbeat_seconds = 10;  ///< a peer that is silent for twice as long is gone; 0: never
    duration connect_timeout{std::chrono::seconds{3}};  ///< name lookup, connecting and logging in together
    duration answer_timeout{std::chrono::seconds{5}};   ///< any other call; a publish has its own timeout
    /// A server that answers, but confirms nothing for so long, has forgotten what it was to confirm.
    duration confirm_patience{std::chrono::seconds{30}};
    std::size_t max_message_bytes = std::size_t{8} * 1024 * 1024;  ///< a larger body is refused for good
    net::tls_trust tls{};
};

/// RabbitMQ 3.8 or newer, over AMQP 0-9-1: one topic exchange, a routing key per stream, a queue per group and stream.
///
/// Publishing. Each message is persistent, `mandatory` and confirmed by the server; one of a key is on its way at a
/// time, many keys are. One that no queue takes is refused, although the server confirms it. What was given up at a
/// deadline stays on its way for as long as its connection lives, and is not sent twice; the connection ends when the
/// server answers and has confirmed nothing for `confirm_patience`. While the server blocks publishers (memory or disk
/// alarm) nothing is sent, and nobody pays for it.
///
/// Consuming. The queue `{group}.{stream}` is a quorum queue with a single active consumer: one member of a group reads
/// a stream, the others stand by until its connection ends. What a group has not acknowledged comes again, in order. A
/// group gets what is published once its queue is bound, and nothing older.
///
/// Nobody is fenced: AMQP has nothing that could keep a former owner from publishing beside its successor.
///
/// One connection per publisher, one per reader, one per operations, and one thread for their heartbeats.
///
/// @throws configuration_error when the URI or a TLS file cannot be used; the URI is not quoted (it may hold a
/// password)
[[nodiscard]] std::unique_ptr<broker> make_rabbitmq_broker(rabbitmq_options options);

}  // namespace sluice::broker
