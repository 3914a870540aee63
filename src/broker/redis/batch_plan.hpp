#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "broker/admission.hpp"
#include "broker/publisher.hpp"

namespace sluice::broker::redis {

/// How the messages of one wave reach the server.
enum class sending {
    as_one,     ///< a transaction: all or none, but a key that is no stream takes nothing and stops no other
    one_by_one  ///< a plain pipeline: any command may fail, whatever became of the ones before
};

/// Decides which messages of a batch are sent together, and collects the verdicts. Pure: no clock, no I/O.
///
/// A wave is sent at once; the next one only after its replies. So that no message of a key is sent behind one that
/// might fail, a wave ends before a message whose key is in it already and could fail on its own: one_by_one any,
/// as_one when it goes to another stream and the former one is not known to be a stream. What took a message is one.
///
/// Thread safety: used by one thread at a time. The batch must outlive it.
class batch_plan {
public:
    using wave = std::vector<std::size_t>;  ///< positions in the batch, ascending

    batch_plan(std::span<const outgoing> batch, std::size_t max_message_bytes)
        : batch_{batch}, gate_{max_message_bytes}, verdicts_(batch.size()) {}

    /// The next messages to send; empty when every message has its verdict.
    /// @param max_bytes  bodies in one wave, unless the first alone is larger
    [[nodiscard]] wave next(sending how, std::size_t max_bytes);
    /// The key is a stream: what is sent to it as one does not fail on its own.
    void vouch_for(std::string_view stream) { streams_.insert(stream); }
    /// Call for the messages of a wave in ascending order. Once a message of a key is not delivered, later ones of the
    /// wave are `unreachable`, unless they were delivered.
    void settle(std::size_t index, verdict v);
    /// Everything without a verdict is unreachable.
    void give_up(const unreachable& why);

    [[nodiscard]] const outgoing& message(std::size_t index) const { return batch_[index]; }
    [[nodiscard]] std::vector<std::size_t> open() const;
    /// One per message. Call when `next` is empty, or after `give_up`.
    [[nodiscard]] std::vector<verdict> verdicts() &&;

private:
    std::span<const outgoing> batch_;
    admission gate_;
    std::vector<std::optional<verdict>> verdicts_;
    std::set<std::string_view> streams_;
};

}  // namespace sluice::broker::redis
