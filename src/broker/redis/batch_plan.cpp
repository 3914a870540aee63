#include "broker/redis/batch_plan.hpp"

#include <map>
#include <string_view>
#include <utility>

namespace sluice::broker::redis {

batch_plan::wave batch_plan::next(sending how, std::size_t max_bytes) {
    wave result;
    std::map<std::string_view, std::string_view> stream_of_key;
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < batch_.size(); ++i) {
        if (verdicts_[i]) continue;
        const auto& message = batch_[i];
        if (auto no = gate_.check(message)) {
            verdicts_[i] = *std::move(no);
            continue;
        }
        if (!result.empty() && bytes + message.body.size() > max_bytes) break;
        if (!message.key.empty()) {
            const auto [known, is_new] = stream_of_key.try_emplace(message.key, message.stream);
            const bool is_other = known->second != message.stream;
            if (!is_new && (how == sending::one_by_one || (is_other && !streams_.contains(known->second)))) break;
            known->second = message.stream;
        }
        bytes += message.body.size();
        result.push_back(i);
    }
    return result;
}

void batch_plan::settle(std::size_t index, verdict v) {
    const bool arrived = std::holds_alternative<delivered>(v);
    if (arrived) {
        vouch_for(batch_[index].stream);
    } else {
        if (auto held_back = gate_.check(batch_[index])) v = *std::move(held_back);
        gate_.hold_back(batch_[index]);
    }
    verdicts_[index] = std::move(v);
}

void batch_plan::give_up(const unreachable& why) {
    for (auto& each : verdicts_) {
        if (!each) each = why;
    }
}

std::vector<std::size_t> batch_plan::open() const {
    std::vector<std::size_t> result;
    for (std::size_t i = 0; i < verdicts_.size(); ++i) {
        if (!verdicts_[i]) result.push_back(i);
    }
    return result;
}

std::vector<verdict> batch_plan::verdicts() && {
    std::vector<verdict> result;
    result.reserve(verdicts_.size());
    for (auto& each : verdicts_) result.push_back(*std::move(each));
    return result;
}

}  // namespace sluice::broker::redis
