#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <vector>

#include <sluice/time.hpp>

namespace sluice::consume {

/// Messages of which the inbox has just said that it has no mark of them. One look for all that a read brought takes
/// the place of one for each, which costs a round trip to the database before each handler.
///
/// The answer counts for a moment, and once: another consumer may handle a copy meanwhile, and another copy in this
/// process's hand may be the first. What is known here saves a look and promises nothing; the commit meets a mark that
/// has come since.
///
/// Thread safety: none; it belongs to the thread of its subscription.
class inbox_preview {
public:
    static constexpr duration lasts = std::chrono::seconds{1};

    /// @param asked  ids of messages, as the inbox knows them
    /// @param marked  those that have a mark
    void learn(std::span<const std::string> asked, std::span<const std::string> marked, instant now);

    /// True when the message with this id was without a mark a moment ago. Nothing is known of it any more.
    [[nodiscard]] bool take(const std::string& id, instant now);

    /// A message with this id was handled, or may have been.
    void forget(const std::string& id) { unmarked_.erase(id); }
    void forget_all() noexcept { unmarked_.clear(); }

    [[nodiscard]] std::size_t size() const noexcept { return unmarked_.size(); }

private:
    std::map<std::string, instant, std::less<>> unmarked_;  ///< when that was asked
};

}  // namespace sluice::consume
