#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "broker/publisher.hpp"
#include "broker/sqlite/connection.hpp"

namespace sluice::broker::sqlite {

/// Who published last under a producer's name.
[[nodiscard]] inline std::optional<fence_state> read_fence(connection& db, std::string_view producer) {
    query known{db, "SELECT epoch, owner, place, timeline FROM broker_producer WHERE name = ?"};
    known.bind(producer);
    if (!known.next()) return std::nullopt;
    return fence_state{.epoch = static_cast<std::uint64_t>(known.integer(0)),
                       .owner = known.string(1),
                       .place = known.string(2),
                       .timeline = static_cast<std::uint64_t>(known.integer(3))};
}

}  // namespace sluice::broker::sqlite
