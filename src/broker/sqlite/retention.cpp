#include "broker/sqlite/retention.hpp"

#include <vector>

namespace sluice::broker::sqlite {

void retention::trim(connection& db, date_time now) {
    if (now >= next_ && !trim_once(db, now)) next_ = now + pause;
}

bool retention::trim_once(connection& db, date_time now) const {
    std::vector<std::int64_t> streams;
    statement all{db, "SELECT id FROM broker_stream ORDER BY id"};
    for (auto found = all.query(); found.next();) streams.push_back(found.integer(0));

    std::int64_t budget = step;
    for (const auto stream_id : streams) {
        if (budget == 0) return true;
        budget -= trim_stream(db, stream_id, budget, now);
    }
    return budget == 0;
}

// Only the oldest entries are looked at, so that the cost of a step does not depend on the length of the stream.
std::int64_t retention::trim_stream(connection& db, std::int64_t stream_id, std::int64_t budget, date_time now) const {
    const auto bound = last_beyond_maxlen(db, stream_id);
    return statement{
        db,
        "DELETE FROM broker_entry WHERE id IN ("
        "  SELECT e.id FROM (SELECT id, created_at FROM broker_entry WHERE stream_id = ?1 ORDER BY id LIMIT ?4) AS e"
        "  WHERE (e.created_at < ?2 OR e.id <= ?3)"
        "    AND NOT EXISTS (SELECT 1 FROM broker_group AS g WHERE g.stream_id = ?1"
        "                    AND (g.abandoned_at IS NULL OR g.abandoned_at >= ?2"
        "                         OR EXISTS (SELECT 1 FROM broker_consumer AS c"
        "                                    WHERE c.group_id = g.id AND c.alive_until > ?5))"
        "                    AND (g.cursor < e.id OR EXISTS (SELECT 1 FROM broker_pending AS p"
        "                                                    WHERE p.group_id = g.id AND p.entry_id = e.id))))"}
        .run(stream_id, (now - keep_).micros(), bound, budget, now.micros());
}

bool retention::may_have_removed(connection& db, std::int64_t stream_id, std::int64_t entry, date_time published_at,
                                 date_time now) const {
    if (published_at < now - keep_) return true;
    if (maxlen_ == 0) return false;
    // An old entry that a group still needs stays, and others behind it go.
    statement newer{db, "SELECT count(*) FROM (SELECT 1 FROM broker_entry WHERE stream_id = ?1 AND id > ?2 LIMIT ?3)"};
    auto found = newer.query(stream_id, entry, maxlen_);
    return found.next() && found.integer(0) >= maxlen_;
}

std::int64_t retention::last_beyond_maxlen(connection& db, std::int64_t stream_id) const {
    if (maxlen_ == 0) return 0;
    statement last{db, "SELECT id FROM broker_entry WHERE stream_id = ? ORDER BY id DESC LIMIT 1 OFFSET ?"};
    auto found = last.query(stream_id, maxlen_);
    return found.next() ? found.integer(0) : 0;
}

}  // namespace sluice::broker::sqlite
