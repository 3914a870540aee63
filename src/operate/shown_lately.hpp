#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <utility>

#include "store/records.hpp"

namespace sluice::operate {

/// What was shown of the newest numbers of a log, so that nothing is shown twice and every change is. Pure.
///
/// Thread safety: none.
class shown_lately {
public:
    /// @param most  entries that are remembered; those with the lowest numbers are forgotten first
    explicit shown_lately(std::size_t most) : most_{most} {}

    enum class news { unknown, changed, same };

    /// Remembers the state of an entry, and says what that means to a reader who has seen what was remembered before.
    /// @param part  tells entries of one number apart
    news see(store::sequence number, const std::string& part, std::string state);

private:
    using key = std::pair<store::sequence, std::string>;

    std::size_t most_;
    std::map<key, std::string> states_{};
};

}  // namespace sluice::operate
