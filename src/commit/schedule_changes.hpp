#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "store/records.hpp"

namespace sluice::commit {

/// What a unit of work adds to the schedule and takes from it.
///
/// Thread safety: none.
class schedule_changes {
public:
    void add(store::scheduled_message message) { added_.push_back(std::move(message)); }

    /// A message that the same unit has added was never there.
    void cancel(const std::string& id) {
        const auto own = std::find_if(added_.begin(), added_.end(), [&](const auto& each) { return each.id == id; });
        if (own == added_.end()) {
            cancelled_.push_back({.id = id, .due = {}});
        } else {
            added_.erase(own);
        }
    }

    void move_to(store::commit_batch& batch) {
        batch.scheduled = std::move(added_);
        batch.cancelled = std::move(cancelled_);
    }

private:
    std::vector<store::scheduled_message> added_;
    std::vector<store::cancellation> cancelled_;
};

}  // namespace sluice::commit
