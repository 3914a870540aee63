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

struct nats_options {
    /// `nats://[user:password@]host[:port][,host[:port]…]`, `tls://…` for TLS, `nats://token@host` for a token. Text in
    /// user, password and token is percent-encoded.
    std::string uri = "nats://localhost:4222";
    std::filesystem::path credentials_file{};  ///< a user's JWT and seed in one file (`.creds`)
    std::string nkey{};                        ///< public key of a user, `U…`; wants `nkey_seed_file`
    std::filesystem::path nkey_seed_file{};
    std::filesystem::path token_file{};
    net::tls_trust tls{};
    std::string tls_server_name{};  ///< what the certificate must name; empty: the host of the address

    duration connect_timeout{std::chrono::seconds{3}};  ///< of one host: connecting, TLS and logging in together
    duration answer_timeout{std::chrono::seconds{5}};   ///< of any other call. A publish has its own timeout.
    std::size_t max_message_bytes = 1'000'000;          ///< of a body; a larger one is refused for good
    std::size_t window = 256;                           ///< messages on their way to the server at a time

    std::string expect_stream{};  ///< JetStream's stream that must take what is published; empty: any
    bool create_stream = false;   ///< a subject that no stream takes gets one of its own
    std::size_t replicas = 1;     ///< of a stream that is created
    /// Of a stream that is created: how long it recognises an id. At least as long as a lease and a publish together.
    duration duplicate_window{std::chrono::minutes{5}};
    std::size_t max_ack_pending = 10'000;  ///< messages that a group may have in hand

    const clock* server_time = nullptr;  ///< for tests: stands for the clock that leases go by; null: the server's
};

/// NATS JetStream, 2.9 or newer, through libnats.
///
/// Names. A stream of ours is a subject: `shop::order` is `shop.order`, `shop::order:backfill` is
/// `shop.order-backfill`. JetStream's own streams, which take subjects and keep the messages, are found by the subject.
/// The key of a message travels in the header `sluice-key`.
///
/// Publishing. Each message is published by itself with its id as `Nats-Msg-Id`; one message of a key is on its way,
/// many keys are. Every acknowledgement is read. The server recognises an id for as long as the duplicate window of its
/// stream lasts; what it calls a duplicate is read and compared, and sent again under the id and a suffix when it is
/// another message, or gone. There is no fence: what a frozen former owner still sends is recognised by its ids within
/// that window.
///
/// Reading. A durable pull consumer for each group and subject, of explicit acknowledgement. Order within a group is
/// kept by letting one member of a (subject, group) read at a time: it holds a lease in the key-value bucket
/// `sluice-groups`, the others stand by and take over once it closed or was silent for the claim time, by the server's
/// clock. A member that takes over gets first what its predecessor had in hand, in order. What failed is kept by the
/// database of the context.
///
/// Connections: one per publisher, reader and operations, each with a thread of ours and one of the library's.
///
/// @throws configuration_error when the address or a combination of options cannot be used; the address is not quoted
[[nodiscard]] std::unique_ptr<broker> make_nats_broker(nats_options options);

}  // namespace sluice::broker
