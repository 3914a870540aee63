#include "cli/workers/reload_round.hpp"

#include <utility>

namespace sluice::cli {

void reload_round::begin(std::vector<pid_t> workers) {
    waiting_.assign(workers.begin(), workers.end());
    left_alone_.reset();
}

std::optional<pid_t> reload_round::next(instant now) {
    if (at_it_ || waiting_.empty()) return std::nullopt;
    at_it_ = waiting_.front();
    until_ = now + patience_;
    waiting_.pop_front();
    return at_it_;
}

void reload_round::answered(pid_t pid, bool taken_over) {
    if (at_it_ != pid) return;
    if (!taken_over) return fail();
    at_it_.reset();
    until_.reset();
}

void reload_round::ended(pid_t pid) {
    std::erase(waiting_, pid);  // its successor begins with the new configuration
    if (at_it_ == pid) fail();
}

void reload_round::time_is(instant now) {
    if (until_ && now >= *until_) fail();
}

std::optional<std::size_t> reload_round::left_alone() { return std::exchange(left_alone_, std::nullopt); }

void reload_round::fail() {
    at_it_.reset();
    until_.reset();
    left_alone_ = waiting_.size();
    waiting_.clear();
}

}  // namespace sluice::cli
