#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>

#include "broker/publisher.hpp"
#include "envelope/header.hpp"

/// How a message of ours looks at NATS. Pure.
namespace sluice::broker::nats {

inline constexpr std::string_view id_header = "Nats-Msg-Id";
inline constexpr std::string_view expected_stream_header = "Nats-Expected-Stream";
inline constexpr std::string_view key_header = "sluice-key";
inline constexpr std::string_view content_type_header = "content-type";

/// What is sent beside the body.
struct publication {
    std::string subject;
    envelope::header_list head;

    /// Of the headers as they travel, which count towards the server's `max_payload`.
    [[nodiscard]] std::size_t head_bytes() const;
};

/// @param server_id  of `Nats-Msg-Id`: what the server recognises a copy by
/// @param expect_stream  that must take it; empty: any
/// @return why no server of NATS could take it as it is, else what to send
[[nodiscard]] std::variant<publication, refused> publication_of(const outgoing& message, std::string_view server_id,
                                                                std::string_view expect_stream);

/// The id under which a message goes whose own id the server connects with another one, or with one that is gone: the
/// same for the same message, so that its copies are recognised, too.
/// @param attempt  1 and above
[[nodiscard]] std::string other_server_id(const outgoing& message, int attempt);

/// The message's own id, of that and of what `other_server_id` makes of it.
[[nodiscard]] std::string_view own_id_of(std::string_view server_id);

/// Takes apart the headers of a message that was read: what this adapter and the server wrote for themselves goes.
void read_published_head(const envelope::header_list& from, std::string& key, std::string& content_type,
                         envelope::header_list& rest);

}  // namespace sluice::broker::nats
