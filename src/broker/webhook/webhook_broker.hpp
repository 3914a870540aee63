#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <sluice/time.hpp>

#include "broker/broker.hpp"
#include "net/dial.hpp"
#include "net/tls_trust.hpp"

namespace sluice::broker {

struct webhook_options {
    /// Where messages are posted to: `https://host[:port]/path[?query]`, or `http://…`. `{stream}` in the path stands
    /// for the name of the stream. Empty: nothing is posted.
    std::string uri{};
    /// `whsec_…`, several separated by spaces, the newest first. Messages are signed with each; what comes must be
    /// signed with one of them.
    std::string secrets{};
    std::filesystem::path secrets_file{};               ///< the same in a file; both are taken, this one last
    std::string authorization{};                        ///< the value of the header `Authorization`; empty: none
    std::size_t connections = 8;                        ///< most requests under way at a time
    duration connect_timeout{std::chrono::seconds{5}};  ///< name lookup, connecting and TLS together
    duration answer_timeout{std::chrono::seconds{20}};  ///< from the first byte of a request to the head of its answer
    std::size_t max_message_bytes =
        std::size_t{8} * 1024 * 1024;  ///< a larger body is refused for good (`message_too_big`)
    bool allow_private = false;        ///< addresses that are not of the public internet, too
    net::tls_trust tls{};

    /// `HOST:PORT` of this machine where messages of others are received. Empty: none are.
    std::string listen{};
    std::string stream{};                  ///< that they all belong to; empty: the last part of the path names it
    std::filesystem::path inbox_file{};    ///< SQLite file that keeps them
    std::size_t listen_connections = 256;  ///< most at a time
    std::chrono::hours retention{168};     ///< age from which what every group has acknowledged may go
    bool look_only = false;                ///< for people who look: an inbox that cannot be written is read

    const clock* time = nullptr;  ///< stamps what is sent and judges what comes; null: `system_clock()`
    /// For tests: stands for the lookup of the host. Null: the system's.
    std::function<std::vector<net::socket_address>(const std::string& host, std::uint16_t port)> lookup{};
};

/// Posts each message to an HTTP endpoint, signed as Standard Webhooks has it.
///
/// Publishing. One message is one request; of a key one is under way, of different keys up to `connections`, each over
/// a connection that is kept open. The status decides (docs/brokers/webhook.md): 2xx is delivered; 400, 409, 413, 415,
/// 422 and 431 refuse the message; other 3xx and 4xx say that the endpoint does not want us, and pause the lane like
/// 5xx and trouble of the network do. `Retry-After` is waited for, up to an hour. A request whose answer does not come
/// within `answer_timeout` is in doubt, and sent again under the same `webhook-id`: receivers recognise it by that.
///
/// There is no fence: two owners of a lane may post beside each other until the lease of the former has ended.
///
/// Receiving. From the first `open_reader` on, one of the processes that name the inbox listens; the others take over
/// when it is gone. A request must be signed with one of the secrets; it is answered 2xx when its message is in the
/// inbox, and kept once however often it comes. The inbox is an SQLite broker (sqlite_broker.hpp): reading, groups,
/// failed messages and operations are those of that.
///
/// @throws configuration_error when the URI, a secret or a TLS file cannot be used, or there is neither a URI nor an
/// address to listen on; nothing of a secret is quoted
[[nodiscard]] std::unique_ptr<broker> make_webhook_broker(const webhook_options& options);

}  // namespace sluice::broker
