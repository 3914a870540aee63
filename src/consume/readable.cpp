#include "consume/readable.hpp"

#include <set>
#include <string>

#include <sluice/error.hpp>

#include "broker/broker.hpp"

namespace sluice::consume {

void require_readable(const commit::environment& env, const std::vector<route>& routes) {
    std::set<std::string> problems;
    for (const route& each : routes) {
        const auto from = env.parts().brokers.find(each.broker);
        if (from == env.parts().brokers.end() || from->second->can().readable) continue;
        const bool internal = each.broker == env.configuration().outbox.broker;
        problems.insert(each.name + " reads stream `" + each.streams.front() + "` of broker `" + each.broker +
                        "`, and " + from->second->describe() + " takes messages but cannot be read; " +
                        (internal ? "name another broker in outbox.broker"
                                  : "subscribe to a broker that can be read, and keep this one for what leaves"));
    }
    if (problems.empty()) return;
    std::string text;
    for (const std::string& each : problems) text += (text.empty() ? "" : "\n") + each;
    throw configuration_error{text};
}

}  // namespace sluice::consume
