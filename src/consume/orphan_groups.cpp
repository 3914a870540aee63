#include "consume/orphan_groups.hpp"

#include <algorithm>

namespace sluice::consume {

std::vector<broker::known_group> orphan_groups(const std::vector<broker::known_group>& known,
                                               const std::vector<route>& routes, std::string_view broker,
                                               std::string_view domain) {
    std::vector<broker::known_group> orphans;
    for (const broker::known_group& each : known) {
        if (each.domain.empty() || each.domain != domain) continue;
        const bool is_read = std::any_of(routes.begin(), routes.end(), [&](const route& by) {
            return by.broker == broker && by.group == each.group &&
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
