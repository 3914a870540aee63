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
                "SELECT g.id, g.stream_id, g.domain, g.abandoned_at IS NOT NULL FROM broker_group AS g JOIN "
                "broker_stream AS s ON s.id = g.stream_id "
                "WHERE s.name = ? AND g.name = ?"};
    if (!known.bind(stream, group).next()) return std::nullopt;
    return group_row{known.integer(0), known.integer(1), known.string(2), known.integer(3) != 0};
}

namespace {

/// The last entry that a new group passes over; 0 when it passes over none.
std::int64_t place_of(connection& db, std::int64_t stream_id, start from) {
    switch (from.where()) {
        case start::kind::beginning:
            break;
        case start::kind::now: {
            query last{db, "SELECT COALESCE(MAX(id), 0) FROM broker_entry WHERE stream_id = ?"};
            return last.bind(stream_id).next() ? last.integer(0) : 0;
        }
        case start::kind::time: {
            query last{db,
                       "SELECT COALESCE(MAX(id), 0) FROM broker_entry WHERE stream_id = ? AND replayed = 0"
                       " AND created_at < ?"};
            return last.bind(stream_id, from.first()).next() ? last.integer(0) : 0;
        }
    }
    return 0;
}

}  // namespace

group_row ensure_group(connection& db, std::string_view stream, const membership& member) {
    auto known = find_group(db, stream, member.group);
    if (!known && !member.former_group.empty()) {
        known = find_group(db, stream, member.former_group);
        if (known) query{db, "UPDATE broker_group SET name = ? WHERE id = ?"}.bind(member.group, known->id).run();
    }
    if (!known) {
        const auto stream_id = ensure_stream(db, stream);
        query{db, "INSERT INTO broker_group(stream_id, name, cursor, domain) VALUES (?, ?, ?, ?)"}
            .bind(stream_id, member.group, place_of(db, stream_id, member.from), member.domain)
            .run();
        return {db.last_insert_id(), stream_id, member.domain};
    }
    query{db, "UPDATE broker_group SET domain = ?, abandoned_at = NULL WHERE id = ?"}
        .bind(member.domain, known->id)
        .run();
    known->domain = member.domain;
    known->abandoned = false;
    return *std::move(known);
}

}  // namespace sluice::broker::sqlite
