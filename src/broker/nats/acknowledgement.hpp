#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "broker/nats/jetstream.hpp"
#include "broker/verdict.hpp"

/// What JetStream says of one published message. Pure.
namespace sluice::broker::nats {

/// It keeps the message.
struct kept {
    std::string stream;
    std::uint64_t sequence = 0;
    bool is_duplicate = false;  ///< it says that it had one of this id before, at that place

    /// `ORDERS:17`
    [[nodiscard]] std::string receipt() const;
};
/// Nobody took it: no stream has the subject, or JetStream is not there.
struct nobody_took_it {};

using acknowledgement = std::variant<kept, nobody_took_it, verdict>;

[[nodiscard]] acknowledgement read_acknowledgement(const incoming& answer);

/// The verdict that an error is. What hits every message alike, as a full stream, is `unreachable`.
/// @param subject  for the text
[[nodiscard]] verdict verdict_on(const api_error& error);

}  // namespace sluice::broker::nats
