#include "outbox/lane_state.hpp"

#include <chrono>

namespace sluice::outbox {

namespace {

constexpr duration a_while = std::chrono::milliseconds{200};

bool is_urgent(lane_state state) { return state == lane_state::paused || state == lane_state::draining; }

}  // namespace

const char* to_string(lane_state state) noexcept {
    switch (state) {
        case lane_state::flowing:
            return "flowing";
        case lane_state::idle:
            return "idle";
        case lane_state::paused:
            return "paused";
        case lane_state::blocked:
            return "blocked";
        case lane_state::draining:
            return "draining";
        case lane_state::lost:
            break;
    }
    return "lost";
}

void state_clock::enter(lane_state state, base::moment now) {
    if (state == current_) return;
    const bool at_once = is_urgent(state) || is_urgent(current_);
    current_ = state;
    since_ = now.wall;
    if (state == told_) {
        tell_at_.reset();
    } else {
        tell_at_ = at_once ? now.steady : now.steady + a_while;
    }
}

void state_clock::told() noexcept {
    told_ = current_;
    tell_at_.reset();
}

}  // namespace sluice::outbox
