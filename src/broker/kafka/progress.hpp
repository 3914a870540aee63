#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <vector>

namespace sluice::broker::kafka {

/// What of one partition is settled. Kafka keeps one number for a group: the first offset that it gets again. That is
/// the floor, below which everything is settled; what is settled behind it is remembered beside it. Pure.
///
/// Offsets ascend, but not without gaps: transactions and compaction leave some.
class progress {
public:
    /// @param next  the first offset that comes
    /// @param done  offsets from there on that are settled already
    explicit progress(std::int64_t next, std::span<const std::int64_t> done = {})
        : next_{next}, done_{done.begin(), done.end()} {}

    /// A message came. False when it is settled already, and must not be handed out.
    [[nodiscard]] bool arrived(std::int64_t offset);
    /// False when it is not in hand.
    bool settled(std::int64_t offset);

    [[nodiscard]] std::int64_t floor() const noexcept { return open_.empty() ? next_ : *open_.begin(); }
    /// Behind everything that arrived.
    [[nodiscard]] std::int64_t next() const noexcept { return next_; }
    [[nodiscard]] std::size_t in_hand() const noexcept { return open_.size(); }
    /// Settled, but not below the floor; ascending.
    [[nodiscard]] std::vector<std::int64_t> done_behind() const;

private:
    void tidy();

    std::int64_t next_;
    std::set<std::int64_t> open_{};  ///< handed out, not settled
    std::set<std::int64_t> done_;    ///< settled, not below the floor
};

}  // namespace sluice::broker::kafka
