#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "broker/publisher.hpp"
#include "broker/rabbitmq/frame.hpp"
#include "envelope/header.hpp"

namespace sluice::broker::rabbitmq {

/// The header that carries a message's key: the server has nothing of its own for it.
constexpr std::string_view key_header = "sluice-key";
/// What the protocol's short texts hold.
constexpr std::size_t longest_short_text = 255;

/// The properties of a message to send: persistent, with its id, its headers and its key. They refer to the message.
/// Attributes of CloudEvents, `ce-subject`, are called `cloudEvents:subject` here, as the AMQP binding has it.
class message_properties {
public:
    explicit message_properties(const outgoing& of);

    [[nodiscard]] amqp_basic_properties_t& get() noexcept { return properties_; }

private:
    std::deque<std::string> names_;  ///< those that are spelt in another way
    std::vector<amqp_table_entry_t> headers_;
    amqp_basic_properties_t properties_{};
};

/// What stands in the headers of a message that came.
struct read_headers {
    std::string key{};
    envelope::header_list head{};  ///< without the key; values that are no texts or numbers are left out
    std::string content_type{};
};

/// @param properties  may be null
[[nodiscard]] read_headers headers_of(const amqp_basic_properties_t* properties);

}  // namespace sluice::broker::rabbitmq
