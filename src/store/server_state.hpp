#pragma once

#include <cstdint>
#include <optional>

#include <sluice/time.hpp>

namespace sluice::store {

/// What a database's server says of itself at this moment.
struct server_state {
    date_time now;                                   ///< by its clock
    std::optional<std::int64_t> connections_open{};  ///< of all its clients together, ours included
    std::int64_t connections_offered = 0;            ///< to all clients that are no superusers together
};

}  // namespace sluice::store
