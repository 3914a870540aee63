#include "broker/sqlite/streams.hpp"

namespace sluice::broker::sqlite {

std::int64_t ensure_stream(connection& db, std::string_view name) {
    statement known{db, "SELECT id FROM broker_stream WHERE name = ?"};
    if (auto found = known.query(name); found.next()) return found.integer(0);
    statement{db, "INSERT INTO broker_stream(name) VALUES (?)"}.run(name);
    return db.last_insert_id();
}

std::optional<group_row> find_group(connection& db, std::string_view stream, std::string_view group) {
    statement known{db,
                    "SELECT g.id, g.stream_id, g.domain, g.abandoned_at IS NOT NULL FROM broker_group AS g JOIN "
                    "broker_stream AS s ON s.id = g.stream_id "
                    "WHERE s.name = ? AND g.name = ?"};
    auto found = known.query(stream, group);
    if (!found.next()) return std::nullopt;
    return group_row{found.integer(0), found.integer(1), found.text(2), found.integer(3) != 0};
}

namespace {

/// The last entry that a new group passes over; 0 when it passes over none.
std::int64_t place_of(connection& db, std::int64_t stream_id, start from) {
    switch (from.where()) {
        case start::kind::beginning:
            break;
        case start::kind::now: {
            statement last{db, "SELECT COALESCE(MAX(id), 0) FROM broker_entry WHERE stream_id = ?"};
            auto found = last.query(stream_id);
            return found.next() ? found.integer(0) : 0;
        }
        case start::kind::time: {
            statement last{db,
                           "SELECT COALESCE(MAX(id), 0) FROM broker_entry WHERE stream_id = ? AND replayed = 0"
                           " AND created_at < ?"};
            auto found = last.query(stream_id, from.first().micros());
            return found.next() ? found.integer(0) : 0;
        }
    }
    return 0;
}

}  // namespace

group_row ensure_group(connection& db, std::string_view stream, const membership& member) {
    auto known = find_group(db, stream, member.group);
    if (!known && !member.former_group.empty()) {
        known = find_group(db, stream, member.former_group);
        if (known) statement{db, "UPDATE broker_group SET name = ? WHERE id = ?"}.run(member.group, known->id);
    }
    if (!known) {
        const auto stream_id = ensure_stream(db, stream);
        statement{db, "INSERT INTO broker_group(stream_id, name, cursor, domain) VALUES (?, ?, ?, ?)"}.run(
            stream_id, member.group, place_of(db, stream_id, member.from), member.domain);
        return {db.last_insert_id(), stream_id, member.domain};
    }
    statement{db, "UPDATE broker_group SET domain = ?, abandoned_at = NULL WHERE id = ?"}.run(member.domain, known->id);
    known->domain = member.domain;
    known->abandoned = false;
    return *std::move(known);
}

}  // namespace sluice::broker::sqlite
