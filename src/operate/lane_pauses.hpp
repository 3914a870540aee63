#pragma once

#include <string>
#include <vector>

#include <sluice/json.hpp>
#include <sluice/time.hpp>

#include "operate/installation.hpp"
#include "store/lane_pause.hpp"

namespace sluice::operate {

/// What an operator told the lanes of one broker.
struct lane_order {
    std::string broker;
    bool rest = false;                     ///< else they may go on
    std::vector<std::string> databases{};  ///< where it changed something
};

/// Tells the lanes of a broker to rest, in every database: their owners settle what is on its way and send nothing
/// more, across restarts, until they are resumed. An owner notices within a third of `outbox.lease_seconds`.
/// @param broker  one of the configuration, or one that is paused
/// @param reason  one line for people; may be empty
/// @throws request_error (not_found), store_error
[[nodiscard]] lane_order pause_lanes(const installation& with, const std::string& broker, const std::string& reason,
                                     date_time now);
/// Lets them go on.
/// @throws request_error (not_found, conflict when they were not paused), store_error
[[nodiscard]] lane_order resume_lanes(const installation& with, const std::string& broker);

[[nodiscard]] json::value to_json(const lane_order& order);

}  // namespace sluice::operate
