#include "projection/rebuild_plan.hpp"

#include <algorithm>

namespace sluice::projection {

rebuild_next rebuild_plan::next(time_point now) {
    if (locked_) return next_under_lock(now);
    if (position_ < log_.settled())
        return rebuild_action::apply{position_, std::min(position_ + window, log_.settled())};
    if (!fresh_) return rebuild_action::look{};
    if (log_.head() - position_ <= most_left && now >= next_lock_) return rebuild_action::lock{};
    return rest();
}

rebuild_next rebuild_plan::next_under_lock(time_point now) {
    if (!fresh_) return rebuild_action::look{};
    if (*end_ - position_ > most_left) return rebuild_action::unlock{};
    if (log_.settled() >= *end_) return rebuild_action::finish{position_, *end_};
    if (now >= lock_ends_) return rebuild_action::unlock{};
    return rest();
}

rebuild_next rebuild_plan::rest() {
    fresh_ = false;
    return rebuild_action::rest{between_looks.delay(++rests_)};
}

void rebuild_plan::looked(const store::log_end& end) {
    fresh_ = true;
    log_.looked(end);
    if (locked_ && !end_) end_ = end.head;
}

void rebuild_plan::applied(store::sequence upto) {
    position_ = upto;
    fresh_ = false;
    rests_ = 0;
}

void rebuild_plan::locked(time_point now) {
    locked_ = true;
    fresh_ = false;
    rests_ = 0;
    end_.reset();
    lock_ends_ = now + longest_lock;
    // Who writes now may have written before somebody that the projector has handled: wait for all of them.
    log_.begin_anew();
}

void rebuild_plan::unlocked(time_point now) {
    locked_ = false;
    fresh_ = false;
    next_lock_ = now + between_locks.delay(++locks_);
}

}  // namespace sluice::projection
