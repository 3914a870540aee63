#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "net/outage.hpp"

namespace sluice::broker::rabbitmq {

using net::outage;

/// The server closed the channel, with a code that says why: something that was asked for on it cannot be. The
/// connection in use must be closed, like after any outage.
class channel_closed : public outage {
public:
    channel_closed(std::uint16_t code, const std::string& text) : outage{text}, code_{code} {}
    [[nodiscard]] std::uint16_t reply_code() const noexcept { return code_; }

private:
    std::uint16_t code_;
};

}  // namespace sluice::broker::rabbitmq
