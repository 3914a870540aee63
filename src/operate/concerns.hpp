#pragma once

#include <string>
#include <vector>

#include <sluice/json.hpp>

#include "operate/status.hpp"

namespace sluice::operate {

/// How much something needs a person.
enum class urgency {
    now,   ///< messages are lost to their readers, or nothing moves until somebody acts
    soon,  ///< it may mend itself, or somebody wants it so
    note   ///< it is left over
};

/// `now`, `soon`, `note`.
[[nodiscard]] const char* to_string(urgency how) noexcept;

/// Something about an installation that a person should look at.
struct concern {
    /// What it is about, so that whoever shows it can lead there.
    enum class about { lane, rows, dead_letters, schedule, group, outage };

    urgency how = urgency::now;
    about what = about::lane;
    std::string database{};  ///< of lanes and rows
    std::string broker{};
    std::string stream{};  ///< of groups
    std::string group{};
    std::string text{};    ///< one sentence
    std::string remedy{};  ///< one sentence
};

/// What needs a person, the most urgent first, in the order of the status. Pure.
[[nodiscard]] std::vector<concern> concerns_of(const status_view& status);
[[nodiscard]] json::value to_json(const concern& of);

}  // namespace sluice::operate
