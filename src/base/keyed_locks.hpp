#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace sluice::base {

/// Locks by name within one process, each held by one at a time. A name that nobody holds costs nothing.
///
/// Thread safety: all members may be called concurrently. Lifetime: outlives its holds.
class keyed_locks {
public:
    /// A lock for as long as this lives.
    class hold {
    public:
        hold(hold&& other) noexcept : of_{std::exchange(other.of_, nullptr)}, key_{std::move(other.key_)} {}
        hold& operator=(hold&&) = delete;
        ~hold() {
            if (of_ != nullptr) of_->release(key_);
        }

    private:
        friend class keyed_locks;
        hold(keyed_locks& of, std::string key) : of_{&of}, key_{std::move(key)} {}

        keyed_locks* of_;
        std::string key_;
    };

    /// Waits for the lock, at most so long. Nothing when it was not free in time. Not recursive.
    [[nodiscard]] std::optional<hold> acquire(std::string_view key, std::chrono::steady_clock::duration wait) {
        std::string name{key};
        std::unique_lock lock{mutex_};
        if (!changed_.wait_for(lock, wait, [&] { return !held_.contains(name); })) return std::nullopt;
        held_.insert(name);
        return hold{*this, std::move(name)};
    }

private:
    void release(const std::string& key) noexcept {
        const std::lock_guard lock{mutex_};
        held_.erase(key);
        changed_.notify_all();
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::set<std::string> held_;
};

}  // namespace sluice::base
