#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

namespace sluice::broker::rabbitmq {

/// The deliveries of one channel that are not settled, in the order of their tags. Pure.
///
/// Thread safety: used by one thread at a time.
class open_deliveries {
public:
    struct acknowledgement {
        std::uint64_t tag = 0;
        bool multiple = false;  ///< and all before it

        friend bool operator==(const acknowledgement&, const acknowledgement&) = default;
    };

    void came(std::uint64_t tag, std::size_t place) { open_.emplace(tag, place); }
    /// What to tell the server so that these are settled and no others: as little as possible, as each of them is a
    /// command to a quorum queue. Tags that are not open, or belong to another place, are passed over: the server
    /// closes the channel for one that it does not know.
    [[nodiscard]] std::vector<acknowledgement> settle(std::size_t place, std::span<const std::uint64_t> tags);
    void clear() noexcept { open_.clear(); }
    [[nodiscard]] std::size_t size() const noexcept { return open_.size(); }

private:
    std::map<std::uint64_t, std::size_t> open_;  ///< by tag: the place
};

}  // namespace sluice::broker::rabbitmq
