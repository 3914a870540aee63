#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include <sluice/time.hpp>

namespace sluice::commit {

/// Remembers which aggregates, streams and rows were lost to another writer a moment ago. A unit of work that needs one
/// of them locks it before it reads, so that writers take turns instead of racing.
///
/// A key stays hot for ten seconds after its last lost race; at most a thousand are remembered.
///
/// Thread safety: all members may be called concurrently. Pure but for its memory: the caller brings the time.
class hot_keys {
public:
    using time_point = instant;  ///< of the monotonic clock

    /// @param key  see `expected_version_error::contended`; an empty one is not remembered
    void lost(const std::string& key, time_point now);
    [[nodiscard]] bool is_hot(std::string_view key, time_point now) const;
    /// False when no key is hot: then nobody need ask. Cheap.
    [[nodiscard]] bool any() const noexcept { return count_.load(std::memory_order_relaxed) > 0; }

private:
    static constexpr std::size_t most = 1000;
    static constexpr std::chrono::seconds life{10};

    void forget_cold(time_point now);

    mutable std::mutex mutex_;
    std::map<std::string, time_point, std::less<>> until_;
    std::atomic<std::size_t> count_ = 0;
};

}  // namespace sluice::commit
