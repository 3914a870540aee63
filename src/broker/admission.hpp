#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <string_view>

#include "broker/publisher.hpp"

namespace sluice::broker {

/// Decides which messages of one batch may be sent to a broker. Pure: no clock, no I/O.
///
/// A message that no broker of ours can keep is refused for good. Once a message was not delivered, the later ones of
/// its key stay behind as `unreachable`: nothing is wrong with them, so they must not pay with an attempt.
///
///     admission gate{max_bytes};
///     for (const auto& m : batch)
///         if (auto no = gate.check(m)) verdicts.push_back(*no);
///         else verdicts.push_back(send(m));          // on failure: gate.hold_back(m)
///
/// Thread safety: used by one thread at a time. The messages' views must outlive it.
class admission {
public:
    /// @param max_message_bytes  largest body that is taken; 0: no limit
    explicit admission(std::size_t max_message_bytes) : max_message_bytes_{max_message_bytes} {}

    /// The verdict of a message that must not be sent; empty when it may be. Call once per message, in batch order.
    [[nodiscard]] std::optional<verdict> check(const outgoing& message);
    /// The message was not delivered: later ones of its key stay behind. Messages without a key stand alone.
    void hold_back(const outgoing& message);

private:
    [[nodiscard]] std::optional<refused> objection(const outgoing& message) const;

    std::size_t max_message_bytes_;
    std::set<std::string_view> held_back_;
};

}  // namespace sluice::broker
