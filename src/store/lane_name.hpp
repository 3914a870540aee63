#pragma once

#include <string>
#include <string_view>

namespace sluice::store {

/// Name of the lane that carries one database's rows to one broker: `default:partner_events`.
[[nodiscard]] inline std::string make_lane_name(std::string_view database, std::string_view broker) {
    std::string name{database};
    name += ':';
    name += broker;
    return name;
}

/// The broker a lane carries to: what follows the first `:`, without the number of a shard (`#2`).
/// Empty when the text is no lane's name.
[[nodiscard]] constexpr std::string_view broker_of(std::string_view lane) noexcept {
    const auto colon = lane.find(':');
    if (colon == std::string_view::npos) return {};
    lane.remove_prefix(colon + 1);
    return lane.substr(0, lane.find('#'));
}

}  // namespace sluice::store
