#include "broker/redis/redis_reader.hpp"

#include <algorithm>
#include <span>
#include <vector>

namespace sluice::broker::redis {

base::wake_reason redis_reader::wait(base::wake_signal& signal, duration timeout) {
    bell::places where;
    std::vector<redis_consumer*> listening;
    for (redis_consumer& each : consumers()) {
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

}  // namespace sluice::broker::redis
