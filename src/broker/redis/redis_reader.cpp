#include "broker/redis/redis_reader.hpp"

#include <algorithm>
#include <span>

namespace sluice::broker::redis {

redis_reader::redis_reader(const std::shared_ptr<server>& at, const std::vector<std::string>& streams,
                           const membership& member)
    : claim_{member.claim}, bell_{at} {
    for (const std::string& stream : streams) consumers_.emplace_back(at, stream, member);
}

base::wake_reason redis_reader::wait(base::wake_signal& signal, duration timeout) {
    bell::places where;
    std::vector<redis_consumer*> listening;
    for (redis_consumer& each : consumers_) {
        if (each.has_backlog()) return base::wake_reason::file_changed;
        if (!each.is_reading()) {
            // While another member reads, only time can change that.
            timeout = std::min(timeout, claim_ / 3);
            continue;
        }
        const auto places = each.places();
        where.insert(where.end(), places.begin(), places.end());
        listening.push_back(&each);
    }
    if (where.empty()) return base::wait_any(signal, nullptr, timeout);
    const auto reason = bell_.wait(signal, timeout, where);
    if (reason == base::wake_reason::file_changed) {
        const std::span<const bell::place> rung{where};
        const std::size_t each = rung.size() / listening.size();
        for (std::size_t i = 0; i < listening.size(); ++i) listening[i]->heard(rung.subspan(i * each, each));
    }
    return reason;
}

void redis_reader::heartbeat(date_time now) {
    for (redis_consumer& each : consumers_) each.heartbeat(now);
}

void redis_reader::release() {
    for (redis_consumer& each : consumers_) each.release();
}

}  // namespace sluice::broker::redis
