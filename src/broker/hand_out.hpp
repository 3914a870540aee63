#pragma once

#include <cstddef>
#include <functional>
#include <set>
#include <string>
#include <string_view>

namespace sluice::broker {

/// Who has a pending message, as seen by the consumer that reads.
enum class holder {
    reader,        ///< handed out by this very object and not yet settled
    nobody,        ///< ours from before a restart, left by a silent consumer, replayed, or passed over earlier
    somebody_else  ///< another consumer of the group that is alive
};

/// What to do with one message during a read.
enum class hand_out_step {
    take,   ///< hand it to the reader
    leave,  ///< not for this reader now; it stays where it is
    park,   ///< pass over it, and keep it pending with nobody until its key is free
    stop    ///< look no further
};

/// Decides which messages one read hands to one consumer of a group, so that the messages of a key are handed out in
/// order although several consumers share the group. Pure: no clock, no I/O.
///
/// Offer first every pending message of the group, then the new ones, each in entry order. A message whose key is busy
/// with another consumer is passed over, so one slow key does not stop the others; `max_parked` bounds how many.
///
/// Thread safety: used by one thread at a time; lives for one read.
class hand_out {
public:
    static constexpr std::size_t default_max_parked = 1000;

    /// @param max_bytes  of all that is taken, but one message in any case; 0: no limit
    explicit hand_out(std::size_t limit, std::size_t max_parked = default_max_parked, std::size_t max_bytes = 0)
        : limit_{limit}, max_parked_{max_parked}, max_bytes_{max_bytes} {}

    /// @param bytes  of the message's body
    [[nodiscard]] hand_out_step pending(std::string_view key, holder by, std::size_t bytes = 0);
    [[nodiscard]] hand_out_step fresh(std::string_view key, std::size_t bytes = 0);

private:
    [[nodiscard]] bool busy(std::string_view key) const { return busy_keys_.contains(key); }
    [[nodiscard]] hand_out_step take(std::size_t bytes);

    std::size_t limit_;
    std::size_t max_parked_;
    std::size_t max_bytes_;
    std::size_t taken_ = 0;
    std::size_t bytes_ = 0;
    std::size_t parked_ = 0;
    std::set<std::string, std::less<>> busy_keys_;
};

}  // namespace sluice::broker
