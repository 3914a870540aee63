#include "operate/lane_pauses.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/one_line.hpp"
#include "config/section.hpp"
#include "operate/open_databases.hpp"
#include "operate/request_error.hpp"

namespace sluice::operate {

namespace {

std::vector<std::string> brokers_with_lanes(const config::outbox_settings& outbox) {
    std::vector<std::string> names{outbox.broker};
    names.insert(names.end(), outbox.external_brokers.begin(), outbox.external_brokers.end());
    return names;
}

/// One that left the configuration may still be paused.
void require_lane(const installation& with, const std::string& broker, const std::vector<open_database>& databases) {
    const std::vector<std::string> names = brokers_with_lanes(with.configuration.outbox);
    if (std::ranges::find(names, broker) != names.end()) return;
    const bool is_paused = std::ranges::any_of(
        databases, [&](const open_database& each) { return each.session->paused_lanes().contains(broker); });
    if (is_paused) return;
    throw not_found(fmt::format("no lane leads to a broker `{}`; {}", base::one_line(broker, 100),
                                config::did_you_mean(broker, names, "lanes lead to")));
}

}  // namespace

lane_order pause_lanes(const installation& with, const std::string& broker, const std::string& reason, date_time now) {
    const std::vector<open_database> databases = open_all(with.parts);
    require_lane(with, broker, databases);
    lane_order order{.broker = broker, .rest = true};
    for (const open_database& each : databases) {
        each.session->pause_lanes(broker, {.since = now, .reason = base::one_line(reason)});
        order.databases.push_back(each.name);
    }
    return order;
}

lane_order resume_lanes(const installation& with, const std::string& broker) {
    const std::vector<open_database> databases = open_all(with.parts);
    require_lane(with, broker, databases);
    lane_order order{.broker = broker};
    for (const open_database& each : databases) {
        if (each.session->resume_lanes(broker)) order.databases.push_back(each.name);
    }
    if (order.databases.empty()) {
        throw conflict("not_paused", fmt::format("the lanes to {} are not paused by an operator; `sluice status` tells "
                                                 "what they wait for",
                                                 broker));
    }
    return order;
}

json::value to_json(const lane_order& order) {
    return json::object{{"broker", order.broker},
                        {"paused", order.rest},
                        {"databases", json::array(order.databases.begin(), order.databases.end())}};
}

}  // namespace sluice::operate
