#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>

#include <sluice/time.hpp>

#include "broker/broker.hpp"
#include "net/tls_trust.hpp"

namespace sluice::broker {

struct redis_options {
    /// `redis://[user:password@]host[:port][/db]`, `rediss://…` for TLS,
    /// `unix://[user:password@]/path/to/socket[?db=n]`. Text in user and password is percent-encoded. The parameters
    /// `db`, `ssl_cert_reqs` (`required` or `none`), `ssl_ca_certs`, `ssl_certfile` and `ssl_keyfile` may follow, as in
    /// redis-py.
    std::string uri = "redis://localhost:6379/0";
    duration connect_timeout{std::chrono::seconds{3}};  ///< name lookup, connecting and logging in together
    /// Any other call without progress; while bytes flow it may take six times as long. A publish has its own timeout.
    duration answer_timeout{std::chrono::seconds{5}};
    std::size_t maxlen = 0;              ///< a stream is cut to about so many entries (`MAXLEN ~`); 0: never
    std::size_t dead_letter_maxlen = 0;  ///< the same for dead letters
    std::size_t max_message_bytes =
        std::size_t{8} * 1024 * 1024;  ///< a larger body is refused for good (`message_too_big`)
    net::tls_trust tls{};
    const clock* time = nullptr;         ///< asked where a consumer is not told the time; null: `system_clock()`
    const clock* server_time = nullptr;  ///< for tests: stands for the server's clock; null: it is asked (`TIME`)
};

/// Redis Streams, 6.2 or newer, one primary (no Redis Cluster): entries, groups and dead letters exactly as Protean
/// writes and reads them (docs/wire-format.md), so that either side of a stream may be either.
///
/// Publishing. A batch is one MULTI/EXEC transaction: it is in the stream as a whole or not at all; only one that is
/// too large for the time goes in several. Each producer has a hash `sluice:lane:{producer}` under WATCH with the epoch
/// that may publish and with one page for each transaction whose messages may not be settled in the database: stream,
/// id and a fingerprint of the body, written by the same transaction, overwritten when the lane has settled them. So an
/// older epoch is refused, what a lost connection still carries can never arrive late, and whoever publishes next knows
/// what is there already: nothing is sent twice, and another message under an id that is there is sent. Where the
/// account may not use `~sluice:*` or transactions, batches are plain pipelines: unfenced, and a new connection
/// recognises what it finds in the stream, looking back to a minute before the oldest message at hand was raised, and
/// at no more than 50,000 entries. That is logged once, and `can().fences` is false from then on.
///
/// Consuming. Order within a group is kept by letting one consumer of a (stream, group) read at a time: it holds a
/// lease in `sluice:group:{group}@{stream}`, the others stand by and take over, with everything that it left pending,
/// once it closed or was silent for the claim time. The server's clock judges that, and the times of failed messages
/// are kept by it, so the clocks of the machines need not agree. A member that took over claims everything that its
/// predecessors left before it reads what is new, however much that is, and removes their names from the group.
/// Consumers of other software that share the group keep what they hold until it was idle for the claim time; then all
/// of it is taken over before anything new is read. Messages carry no key (`delivery::key` is empty): the entry has one
/// field.
///
/// A server at its `maxmemory` takes no transactions. What the consumer does then goes on as a script that is allowed
/// to (`EVAL` of Redis 7): reading, acknowledging, remembering attempts, setting aside.
///
/// Memory and connections: one connection per publisher, one per operations, one per reader and one more for each of
/// its streams. Bodies in flight: 4 MiB or one message per publisher, and per stream about as much in one read, less
/// over a slow link. An answer of more than 128 MiB, or twice `max_message_bytes`, is an outage.
///
/// @throws configuration_error when the URI or a TLS file cannot be used; the URI is not quoted (it may hold a
/// password)
[[nodiscard]] std::unique_ptr<broker> make_redis_broker(redis_options options);

}  // namespace sluice::broker
