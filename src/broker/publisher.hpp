#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/time.hpp>

#include "broker/verdict.hpp"
#include "envelope/header.hpp"

namespace sluice::broker {

/// One message to send. The views must live until `publish` returns.
struct outgoing {
    std::string_view stream;                   ///< category, or `{category}:backfill`
    std::string_view message_id;               ///< `headers.id`: the key of every deduplication
    std::string_view key;                      ///< per-aggregate stream: the unit of order
    std::string_view body;                     ///< the whole JSON message
    std::int64_t position = 0;                 ///< in the outbox, ascending; 0: not known
    std::optional<date_time> raised_at{};      ///< no entry that is older can be a copy; none: not known
    std::span<const envelope::header> head{};  ///< beside the body; brokers that carry none leave it out
    std::string_view content_type{};           ///< of the body; empty: not told
};

/// Who publishes: a lane of one database under one lease epoch. A broker that can do so refuses an older epoch of the
/// same name, so that a frozen former owner cannot publish behind its successor.
struct producer {
    std::string name{};  ///< `{database identity}/{lane}`; empty: unfenced
    std::uint64_t epoch = 0;
    /// Names that sent these messages before, with lower epochs, and shall not any more. Whoever publishes under one of
    /// them is refused like an older epoch, and what was sent under them is known as far as one's own is.
    std::vector<std::string> former{};
    /// Of the batches before this one so many may not be settled in the database, the latest: should this owner die
    /// now, the next one sends them again. A broker that recognises them must remember at least these.
    std::size_t unsettled_batches = 0;
    std::int64_t settled_upto = 0;  ///< everything up to this position is settled, whoever sent it; 0: not known
    std::string owner{};  ///< of the lease; two owners never have one epoch, unless the database lost its history
    std::string place{};  ///< where the database is kept, see store::database_history
    std::uint64_t timeline = 0;
};

/// Who published last under a producer's name, as the broker knows it.
struct fence_state {
    std::uint64_t epoch = 0;
    std::string owner{};  ///< empty: the broker does not know
    std::string place{};  ///< the same
    std::uint64_t timeline = 0;
};

/// True when the broker must refuse `from`. Pure.
[[nodiscard]] bool is_fenced(const producer& from, const fence_state& last) noexcept;
/// Why, and what to do: one line.
[[nodiscard]] std::string fenced_text(const producer& from, const fence_state& last);

/// Sends batches over one connection of its own.
///
/// Thread safety: used by one thread at a time, but for `hurry`.
class publisher {
public:
    virtual ~publisher() = default;

    /// Sends the batch pipelined and reads every confirmation: exactly one verdict per message, in order.
    /// Never throws for the broker's or the network's behaviour. Returns within `timeout`; messages without
    /// confirmation by then are `unreachable`. Once a message of a `key` was not delivered, later messages of the same
    /// key in the batch are not sent after it (they get the same kind of verdict, or `unreachable`), so that order
    /// holds. A message that the broker already has (same stream and id) is `delivered` with the first receipt, where
    /// the broker can know.
    [[nodiscard]] virtual std::vector<verdict> publish(std::span<const outgoing> batch, const producer& from,
                                                       duration timeout) = 0;

    /// Cheap check that the broker answers; empty when it does, else the reason. Used to probe a paused lane.
    [[nodiscard]] virtual std::string probe(duration timeout) = 0;

    /// Who has taken the producer's name at the broker, when the last `publish` or `probe` failed for that reason.
    [[nodiscard]] virtual std::optional<fence_state> rival() const { return std::nullopt; }

    /// There is no more time: from now on no call waits for the broker longer than `patience`, not even the one under
    /// way. What is not confirmed by then is `unreachable`. Any thread may call it. For brokers that can keep somebody
    /// waiting; the others have nothing to do.
    virtual void hurry(duration /*patience*/) noexcept {}
};

}  // namespace sluice::broker
