#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "envelope/envelope.hpp"
#include "projection/projection.hpp"
#include "projection/row_unit.hpp"
#include "support/depot.hpp"

/// What is in a depot's read models, and what ought to be.
namespace sluice::testing {

/// The rows that the whole log makes, folded anew, by key.
[[nodiscard]] inline std::map<std::string, std::string> fold(depot::fixture& depot, const std::string& table) {
    const auto& projector = depot.projector(table);
    std::map<std::string, std::string> rows;
    projection::row_unit unit{[](std::string_view) { return std::optional<store::stored_row>{}; }};
    for (const auto& [seq, position, logged] : depot.log()) {
        const auto* event = depot.domain.declared().event_by_type(logged.type);
        const auto step = projector.on.find(event->cpp_name);
        if (step == projector.on.end()) continue;
        const auto m = message::decode(envelope::render_internal(logged.data, logged.metadata));
        step->second(m.data(), &m, unit);
    }
    for (const auto& write : unit.writes({}, depot.random)) {
        if (!write.row.empty()) rows[write.key] = write.row;
    }
    return rows;
}

/// The rows that count, by key.
[[nodiscard]] inline std::map<std::string, std::string> stored(depot::fixture& depot, const std::string& table) {
    const auto& projector = depot.projector(table);
    std::map<std::string, std::string> rows;
    for (const auto& row :
         projection::rows_of(*depot.env, projector)->select({.where = {}, .order = {}, .limit = 1'000'000})) {
        rows[json::parse(row).at(projector.table.key).as_string()] = row;
    }
    return rows;
}

}  // namespace sluice::testing
