#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <sluice/time.hpp>

#include "base/wake.hpp"
#include "broker/keeper.hpp"
#include "broker/membership.hpp"
#include "envelope/header.hpp"

namespace sluice::broker {

/// A message as a consumer group got it.
struct delivery {
    std::string entry;  ///< the broker's id of the entry within its stream
    std::string stream;
    std::string body;                       ///< raw bytes as published; nobody has parsed them yet
    std::string key;                        ///< ordering key when the broker knows it, else empty
    int attempts = 0;                       ///< failed attempts recorded so far (durable)
    std::optional<date_time> not_before{};  ///< when a failed message is due again
    envelope::header_list head{};           ///< beside the body; brokers that carry none leave it empty
    std::string content_type{};             ///< of the body; empty: not told
};

/// One member of a consumer group on one or more streams of a broker. A stream is named by its index among those that
/// the reader was opened with.
///
/// Delivery is at least once. Messages of one key are handed out in order: a message is not given to this reader while
/// another member of the group holds an earlier one of the same key in the same stream.
///
/// Thread safety: used by one thread at a time. Network or file trouble throws broker_error (retryable).
class reader {
public:
    virtual ~reader() = default;

    /// First the messages of the stream that this member held before a restart and those of members silent for longer
    /// than the claim time, then new ones; at most `limit`, without waiting. Messages already handed out by this object
    /// and not yet settled are not returned again.
    [[nodiscard]] virtual std::vector<delivery> read(std::size_t stream, std::size_t limit, date_time now) = 0;
    /// Sleeps until something may be there in one of the streams that the last `read` of it did not see, `signal`
    /// fires, or `timeout` passes.
    [[nodiscard]] virtual base::wake_reason wait(base::wake_signal& signal, duration timeout) = 0;
    /// Says that this member lives, which keeps its claims for the claim time. Call at least every third of that while
    /// messages are held. A broker that has a clock of its own goes by that; else the time is `now`.
    virtual void heartbeat(date_time now) = 0;
    /// Gives the claims up: other members may take at once what this one holds.
    virtual void release() = 0;

    /// The messages are settled: the group gets them no more.
    virtual void ack(std::size_t stream, std::span<const std::string> entries) = 0;

    /// Where the broker itself keeps what failed: the keeper of what this reader hands out, which lives as long as the
    /// reader. Null where `capabilities::keeps_failed` is false.
    [[nodiscard]] virtual keeper* own_keeper() noexcept = 0;
};

}  // namespace sluice::broker
