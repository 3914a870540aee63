#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/time.hpp>

namespace sluice::broker {

/// An entry that a broker keeps.
struct walked_entry {
    std::size_t part = 0;      ///< of the stream, each of which has an order of its own: a partition
    std::string message_id{};  ///< empty: no message of Sluice's form
};

/// One walk through what a broker keeps of one stream, for an audit. It belongs to no group and acknowledges nothing,
/// so consumers do not notice it. What its sender has not committed at the broker is passed over.
///
/// Thread safety and lifetime: those of the operations that opened it. Throws broker_error when the broker is away.
class stream_walk {
public:
    virtual ~stream_walk() = default;

    /// The next entries, at most `limit`: part after part, each in the broker's order. None when everything was seen
    /// that was there when the walk began; what came since may be among them.
    [[nodiscard]] virtual std::vector<walked_entry> next(std::size_t limit) = 0;

    /// Whether the broker's retention has removed, or was free to remove, what it had confirmed with this receipt at
    /// this time. Asked when `next` has come to the end; costs one question to the broker, whatever it is asked.
    [[nodiscard]] virtual bool has_expired(std::string_view receipt, date_time confirmed_at) = 0;
};

}  // namespace sluice::broker
