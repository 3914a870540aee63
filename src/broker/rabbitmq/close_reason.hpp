#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "broker/verdict.hpp"

namespace sluice::broker::rabbitmq {

/// What a server says when it closes something, for people: `NOT_FOUND - no exchange 'shop' in vhost '/'`, one bounded
/// line.
[[nodiscard]] std::string shown_reason(std::string_view text);

/// The first word: `NOT_FOUND`; when there is none, the number.
[[nodiscard]] std::string reason_code(std::uint16_t code, std::string_view text);

/// Whether a channel was closed because of the message that was published, or because of what hits every message. Pure.
///
/// | reason | verdict |
/// |---|---|
/// | 406 about the size of the message, 311 | refused for good, `message_too_big` |
/// | 403 about a topic | refused, stream closed: this account may not publish under this routing key |
/// | 404, 403 otherwise, 312, 5xx | unreachable: exchange, account or server |
/// | any other | refused |
[[nodiscard]] verdict verdict_on_close(std::uint16_t code, std::string_view text);

}  // namespace sluice::broker::rabbitmq
