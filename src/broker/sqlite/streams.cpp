#include "broker/sqlite/streams.hpp"

namespace sluice::broker::sqlite {

std::int64_t ensure_stream(connection& db, std::string_view name) {
    query known{db, "SELECT id FROM broker_stream WHERE name = ?"};
    if (known.bind(name).next()) return known.integer(0);
    query{db, "INSERT INTO broker_stream(name) VALUES (?)"}.bind(name).run();
    return db.last_insert_id();
}

std::optional<group_row> find_group(connection& db, std::string_view stream, std::string_view group) {
    query known{db,
                "SELECT g.id, g.stream_id FROM broker_group AS g JOIN broker_stream AS s ON s.id = g.stream_id "
                "WHERE s.name = ? AND g.name = ?"};
    if (!known.bind(stream, group).next()) return std::nullopt;
    return group_row{known.integer(0), known.integer(1)};
}

group_row ensure_group(connection& db, std::string_view stream, std::string_view group, std::string_view former) {
    if (const auto known = find_group(db, stream, group)) return *known;
    if (const auto known = former.empty() ? std::nullopt : find_group(db, stream, former)) {
        query{db, "UPDATE broker_group SET name = ? WHERE id = ?"}.bind(group, known->id).run();
        return *known;
    }
    const auto stream_id = ensure_stream(db, stream);
    query{db, "INSERT INTO broker_group(stream_id, name) VALUES (?, ?)"}.bind(stream_id, group).run();
    return {db.last_insert_id(), stream_id};
}

}  // namespace sluice::broker::sqlite
