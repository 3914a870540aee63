#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "broker/publisher.hpp"
#include "broker/sqlite/driver.hpp"

namespace sluice::broker::sqlite {

/// Who published last under a producer's name.
[[nodiscard]] inline std::optional<fence_state> read_fence(connection& db, std::string_view producer) {
    statement known{db, "SELECT epoch, owner, place, timeline FROM broker_producer WHERE name = ?"};
    auto found = known.query(producer);
    if (!found.next()) return std::nullopt;
    return fence_state{.epoch = static_cast<std::uint64_t>(found.integer(0)),
                       .owner = found.text(1),
                       .place = found.text(2),
                       .timeline = static_cast<std::uint64_t>(found.integer(3))};
}

}  // namespace sluice::broker::sqlite
