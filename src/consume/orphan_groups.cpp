#include "consume/orphan_groups.hpp"

#include <algorithm>

#include "broker/broker.hpp"

namespace sluice::consume {

broker_places places_of(const commit::environment& env) {
    broker_places places;
    for (const auto& [name, broker] : env.parts().brokers) places.emplace(name, broker->describe());
    return places;
}

std::vector<broker::known_group> orphan_groups(const std::vector<broker::known_group>& known,
                                               const std::vector<route>& routes, std::string_view broker,
                                               const broker_places& places, std::string_view domain) {
    const auto here = places.find(broker);
    const auto is_here = [&](const std::string& other) {
        const auto there = places.find(other);
        return other == broker || (here != places.end() && there != places.end() && there->second == here->second);
    };
    std::vector<broker::known_group> orphans;
    for (const broker::known_group& each : known) {
        if (each.domain.empty() || each.domain != domain) continue;
        const bool is_read = std::any_of(routes.begin(), routes.end(), [&](const route& by) {
            return is_here(by.broker) && by.group == each.group &&
                   std::find(by.streams.begin(), by.streams.end(), each.stream) != by.streams.end();
        });
        if (!is_read) orphans.push_back(each);
    }
    return orphans;
}

std::string remedy_for(const broker::known_group& orphan) {
    return "if its handler was renamed, give it .name = \"" + orphan.group +
           "\", or stop the servers and run: sluice subscriptions rename " + orphan.group +
           " NEW_NAME; if it was removed: sluice subscriptions retire " + orphan.group + " --stream " + orphan.stream;
}

}  // namespace sluice::consume
