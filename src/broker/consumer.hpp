#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/time.hpp>

#include "base/wake.hpp"
#include "broker/membership.hpp"

namespace sluice::broker {

/// A message as a consumer group got it.
struct delivery {
    std::string entry;  ///< the broker's id of the entry within its stream
    std::string stream;
    std::string body;                       ///< raw bytes as published; nobody has parsed them yet
    std::string key;                        ///< ordering key when the broker knows it, else empty
    int attempts = 0;                       ///< failed attempts recorded so far (durable)
    std::optional<date_time> not_before{};  ///< when a failed message is due again
};

/// Why a message was set aside.
struct death {
    std::string reason;  ///< one line; error text of the last attempt
    std::string code;    ///< stable word: undecodable, handler_failed, …
    int attempts = 0;
    date_time at;
};

/// One member of a consumer group on one stream, over a connection of its own.
///
/// Delivery is at least once. Messages of one key are handed out in order: a message is not given to this consumer
/// while another consumer of the group holds an earlier one of the same key.
///
/// Thread safety: used by one thread at a time. Network or file trouble throws broker_error (retryable).
class consumer {
public:
    virtual ~consumer() = default;

    /// First the messages this consumer name held before a restart and those of consumers silent for longer than the
    /// claim time, then new ones; at most `limit`, without waiting. Messages already handed out by this object and not
    /// yet settled are not returned again.
    [[nodiscard]] virtual std::vector<delivery> read(std::size_t limit, date_time now) = 0;
    /// Sleeps until something may be there that the last `read` did not see, `signal` fires, or `timeout` passes.
    [[nodiscard]] base::wake_reason wait(base::wake_signal& signal, duration timeout) {
        return wait_with({}, signal, timeout);
    }
    /// The same for several streams at once: what is new in the stream of one of `others` ends the sleep, too.
    /// @param others  consumers of the same broker and thread; nullptr and this one itself are passed over
    /// @throws usage_error  one of them belongs to another kind of broker
    [[nodiscard]] virtual base::wake_reason wait_with(std::span<consumer* const> others, base::wake_signal& signal,
                                                      duration timeout) = 0;
    /// Says that this consumer lives, which keeps its claims for the claim time. Call at least every third of that
    /// while messages are held. A broker that has a clock of its own goes by that; else the time is `now`.
    virtual void heartbeat(date_time now) = 0;
    /// Gives the claims up: other consumers may take at once what this one holds.
    virtual void release() = 0;

    virtual void ack(std::span<const std::string> entries) = 0;
    /// Records a failed attempt durably; the message stays with this consumer until `not_before`.
    virtual void defer(std::string_view entry, int attempts, date_time not_before) = 0;
    /// Moves the message to the dead letters of this group and acknowledges it, in one step where the broker can, else
    /// dead letter first. `body` is what is kept: the original message, or a wrapper around raw bytes.
    virtual void dead_letter(const delivery& message, const death& why) = 0;
};

}  // namespace sluice::broker
