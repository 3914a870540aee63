#include "common/running_lane.hpp"

#include <utility>

namespace sluice::bench {

outbox::lane_settings lane_to(std::string broker, std::size_t batch) {
    outbox::lane_settings settings;
    settings.database = "default";
    settings.broker = std::move(broker);
    settings.external = true;
    settings.owner = "bench";
    settings.outbox.messages_per_tick = batch;
    return settings;
}

running_lane::running_lane(const outbox::lane_settings& settings, store::database& database, broker::broker& broker,
                           const observe::tracer& tracer)
    : lane_{settings, {database, broker, system_clock(), random_, tracer}},
      thread_{[this](const std::stop_token& stop) { lane_.run(stop); }} {}

}  // namespace sluice::bench
