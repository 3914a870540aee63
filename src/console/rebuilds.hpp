#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "projection/rebuild.hpp"

namespace sluice::console {

/// Rebuilds of read models that were begun here, each on a thread of its own. How far one is stands in the database,
/// where everybody looks it up. Those that are not through when this goes away end early; the next rebuild goes on
/// where they were. They log where the thread logs that begins them.
///
/// Thread safety: all members may be called concurrently. Lifetime: what `work` uses outlives it.
class rebuilds {
public:
    /// Rebuilds one read model; may throw. Called on a thread of its own.
    using work =
        std::function<projection::rebuild_report(const std::string& read_model, projection::rebuild_host& host)>;

    explicit rebuilds(work how) : work_{std::move(how)} {}
    rebuilds(const rebuilds&) = delete;
    rebuilds& operator=(const rebuilds&) = delete;
    ~rebuilds() = default;

    /// @throws request_error (conflict) when one of that read model is under way here
    void begin(const std::string& read_model);
    /// Why the last one of each read model failed, by name.
    [[nodiscard]] std::map<std::string, std::string> failures() const;

private:
    struct job {
        std::atomic<bool> ended = false;
        std::string error{};    ///< not read before it has ended
        std::jthread thread{};  // last: uses the rest
    };
    void run(const std::string& read_model, job& own, const std::stop_token& stop) const;

    work work_;
    mutable std::mutex mutex_;
    std::map<std::string, std::unique_ptr<job>> jobs_;  // last: gone before what they use
};

}  // namespace sluice::console
