#pragma once

#include <span>
#include <string>
#include <vector>

#include "store/records.hpp"

namespace sluice::store {

/// An event that a broker has confirmed, with what its lane decides by where it goes.
struct confirmation {
    sequence seq = 0;
    std::string stream_category{};
    std::string type{};
    int priority = 0;
    date_time confirmed_at{};
    std::string receipt{};  ///< the broker's own id or offset; empty: it gave none
};

/// The place of a message in the log.
struct located_event {
    std::string message_id{};
    sequence seq = 0;
    std::string stream{};  ///< per aggregate: the unit of order
};

/// Joins events of the log with the settlements that tell of them.
/// @param events   by `seq`; what is known of them without their settlements
/// @param settled  published ones, in any order; those of other events are left out
[[nodiscard]] std::vector<confirmation> confirmations_of(std::vector<confirmation> events,
                                                         std::vector<settlement> settled);

}  // namespace sluice::store
