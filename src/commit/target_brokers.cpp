#include "commit/target_brokers.hpp"

#include "config/lane_choice.hpp"

namespace sluice::commit {

std::vector<std::string> target_brokers(const config::outbox_settings& outbox, const detail::event_entry& event,
                                        const detail::aggregate_entry& aggregate) {
    std::vector<std::string> brokers = internal_target(outbox);
    if (!event.published) return brokers;
    for (const std::string& name : outbox.external_brokers) {
        const auto lane = outbox.lanes.find(name);
        if (lane == outbox.lanes.end() || config::wants(lane->second, event, aggregate)) brokers.push_back(name);
    }
    return brokers;
}

}  // namespace sluice::commit
