#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "broker/reader.hpp"
#include "broker/sqlite/driver.hpp"

/// Rows that more than one part of the adapter looks up.
namespace sluice::broker::sqlite {

/// The stream's row, made when it is new. Call within a write transaction.
[[nodiscard]] std::int64_t ensure_stream(connection& db, std::string_view name);

struct group_row {
    std::int64_t id = 0;
    std::int64_t stream_id = 0;
    std::string domain{};
    bool abandoned = false;
};
[[nodiscard]] std::optional<group_row> find_group(connection& db, std::string_view stream, std::string_view group);
/// The group's row, owned by the member's domain; made where the member wants to start when it is new. Call within a
/// write transaction.
[[nodiscard]] group_row ensure_group(connection& db, std::string_view stream, const membership& member);

}  // namespace sluice::broker::sqlite
