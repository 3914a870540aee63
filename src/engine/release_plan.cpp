#include "engine/release_plan.hpp"

#include <algorithm>
#include <utility>

namespace sluice::engine {

namespace {

constexpr duration put_off_time = std::chrono::minutes{1};

}  // namespace

std::vector<store::scheduled_message> release_plan::choose(std::vector<store::scheduled_message> due, instant now) {
    std::erase_if(put_off_, [&](const auto& each) { return each.second <= now; });
    std::erase_if(due, [&](const auto& each) { return put_off_.contains(each.id); });
    if (due.size() > round_) due.resize(round_);
    return due;
}

void release_plan::contested(const std::vector<store::scheduled_message>& chosen, instant now) {
    if (chosen.size() == 1) {
        const std::string& id = chosen.front().id;
        if (id == contested_alone_) put_off(id, now);
        contested_alone_ = id;
    }
    halve();
}

bool release_plan::refused(const std::vector<store::scheduled_message>& chosen, instant now) {
    halve();
    if (chosen.size() != 1) return false;
    put_off(chosen.front().id, now);
    return true;
}

release_plan::next_step release_plan::hindered(const std::vector<store::scheduled_message>& chosen, instant now) {
    halve();
    if (chosen.size() > 1) return next_step::go_on;
    const std::string& id = chosen.front().id;
    if (std::exchange(hindered_alone_, id) != id) return next_step::pause;
    put_off(id, now);
    return next_step::put_off;
}

void release_plan::put_off(const std::string& id, instant now) { put_off_.insert_or_assign(id, now + put_off_time); }

duration release_plan::rest(std::optional<date_time> next_due, date_time now) const {
    if (!next_due || *next_due <= now) return poll_;
    return std::min(*next_due - now, poll_);
}

}  // namespace sluice::engine
