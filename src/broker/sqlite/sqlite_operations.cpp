#include "broker/sqlite/sqlite_operations.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

#include "broker/group_is_taken.hpp"
#include "broker/sqlite/fence.hpp"
#include "broker/sqlite/retention.hpp"
#include "broker/sqlite/sqlite_walk.hpp"

namespace sluice::broker::sqlite {
namespace {

// The filter's parameters: ?1 stream, ?2 group, ?3 id (0: any), ?4 limit.
constexpr const char* newest_first =
    "SELECT d.id, s.name, d.entry_id, g.name, d.consumer, d.reason, d.code, d.attempts, d.failed_at, d.body "
    "FROM broker_dead_letter AS d JOIN broker_group AS g ON g.id = d.group_id "
    "JOIN broker_stream AS s ON s.id = g.stream_id "
    "WHERE (?1 = '' OR s.name = ?1) AND (?2 = '' OR g.name = ?2) AND (?3 = 0 OR d.id = ?3) "
    "ORDER BY d.id DESC LIMIT ?4";
constexpr const char* ids_oldest_first =
    "SELECT d.id FROM broker_dead_letter AS d JOIN broker_group AS g ON g.id = d.group_id "
    "JOIN broker_stream AS s ON s.id = g.stream_id "
    "WHERE (?1 = '' OR s.name = ?1) AND (?2 = '' OR g.name = ?2) AND (?3 = 0 OR d.id = ?3) "
    "AND d.id > ?5 AND d.id <= ?6 ORDER BY d.id LIMIT ?4";

constexpr std::size_t letters_in_a_transaction = 500;

/// 0 means any; -1 is nobody's id.
std::int64_t wanted_id(const std::string& text) {
    if (text.empty()) return 0;
    std::int64_t id = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), id);
    return failure == std::errc{} && end == text.data() + text.size() && id > 0 ? id : -1;
}

std::int64_t limit_of(const dead_letter_filter& filter) {
    constexpr auto most = static_cast<std::size_t>(std::numeric_limits<std::int64_t>::max());
    return static_cast<std::int64_t>(std::min(filter.limit, most));
}

std::vector<std::int64_t> matching_ids(connection& db, const dead_letter_filter& filter, std::int64_t after,
                                       std::int64_t last) {
    std::vector<std::int64_t> ids;
    statement matching{db, ids_oldest_first};
    auto found = matching.query(filter.stream, filter.group, wanted_id(filter.id), limit_of(filter), after, last);
    while (found.next()) ids.push_back(found.integer(0));
    return ids;
}

void remove(connection& db, std::int64_t id) { statement{db, "DELETE FROM broker_dead_letter WHERE id = ?"}.run(id); }

void hand_back_to_group(connection& db, std::int64_t id) {
    // An entry that was trimmed comes back under its old number, seen by nobody but groups that have it pending.
    statement{
        db,
        "INSERT INTO broker_entry(id, stream_id, message_id, key, body, created_at, replayed, head, content_type) "
        "SELECT d.entry_id, g.stream_id, d.message_id, d.key, d.body, d.created_at, 1, d.head, d.content_type "
        "FROM broker_dead_letter AS d JOIN broker_group AS g ON g.id = d.group_id WHERE d.id = ? "
        "ON CONFLICT(id) DO NOTHING"}
        .run(id);
    statement{db,
              "INSERT INTO broker_pending(group_id, entry_id, key) "
              "SELECT group_id, entry_id, key FROM broker_dead_letter WHERE id = ? ON CONFLICT DO NOTHING"}
        .run(id);
}

}  // namespace

/// Runs an action on the file's connection; a broker that was never used has nothing to act on.
template <class Result, class Action>
Result sqlite_operations::guarded(Action action) {
    if (link_.untouched()) return Result{};
    try {
        return action(link_.open());
    } catch (const outage& failure) {
        link_.after(failure);
        throw;
    }
}

std::vector<dead_letter_entry> sqlite_operations::dead_letters(const dead_letter_filter& filter) {
    return guarded<std::vector<dead_letter_entry>>([&](connection& db) {
        std::vector<dead_letter_entry> found;
        statement select{db, newest_first};
        auto q = select.query(filter.stream, filter.group, wanted_id(filter.id), limit_of(filter));
        while (q.next()) {
            found.push_back({.id = std::to_string(q.integer(0)),
                             .stream = q.text(1),
                             .original_entry = std::to_string(q.integer(2)),
                             .group = q.text(3),
                             .consumer = q.text(4),
                             .reason = q.text(5),
                             .code = q.text(6),
                             .attempts = static_cast<int>(q.integer(7)),
                             .failed_at = date_time::from_micros(q.integer(8)),
                             .body = std::string{q.bytes(9)}});
        }
        return found;
    });
}

std::size_t sqlite_operations::count(const dead_letter_filter& filter) {
    return guarded<std::size_t>([&](connection& db) -> std::size_t {
        if (const auto id = wanted_id(filter.id); id != 0) {
            return matching_ids(db, filter, 0, std::numeric_limits<std::int64_t>::max()).size();
        }
        statement sum{
            db,
            "SELECT COALESCE(SUM(g.dead), 0) FROM broker_group AS g JOIN broker_stream AS s ON s.id = g.stream_id "
            "WHERE (?1 = '' OR s.name = ?1) AND (?2 = '' OR g.name = ?2)"};
        auto found = sum.query(filter.stream, filter.group);
        return found.next() ? static_cast<std::size_t>(found.integer(0)) : 0;
    });
}

template <class Action>
letters_outcome sqlite_operations::for_each(const dead_letter_filter& filter, Action action) {
    return guarded<letters_outcome>([&](connection& db) {
        letters_outcome outcome;
        std::int64_t last = 0;
        statement top{db, "SELECT COALESCE(MAX(id), 0) FROM broker_dead_letter"};
        if (auto found = top.query(); found.next()) last = found.integer(0);
        auto page = filter;
        for (std::int64_t after = 0; outcome.changed < filter.limit;) {
            page.limit = std::min(letters_in_a_transaction, filter.limit - outcome.changed);
            try {
                transaction writing{db, transaction::kind::write};
                const auto ids = matching_ids(db, page, after, last);
                for (const auto id : ids) action(db, id);
                writing.commit();
                outcome.changed += ids.size();
                if (ids.size() < page.limit) break;
                after = ids.back();
            } catch (const outage& trouble) {
                if (outcome.changed == 0) throw;
                outcome.interrupted = trouble.what();
                link_.after(trouble);
                break;
            }
        }
        return outcome;
    });
}

letters_outcome sqlite_operations::replay(const dead_letter_filter& filter) {
    return for_each(filter, [](connection& db, std::int64_t id) {
        hand_back_to_group(db, id);
        remove(db, id);
    });
}

letters_outcome sqlite_operations::purge(const dead_letter_filter& filter) {
    return for_each(filter, [](connection& db, std::int64_t id) { remove(db, id); });
}

std::vector<group_status> sqlite_operations::groups() {
    return guarded<std::vector<group_status>>([&](connection& db) {
        std::vector<group_status> found;
        statement select{
            db,
            "SELECT s.name, g.name,"
            "  (SELECT COUNT(*) FROM broker_entry WHERE stream_id = s.id AND replayed = 0),"
            "  (SELECT COUNT(*) FROM broker_entry WHERE stream_id = s.id AND replayed = 0 AND id > g.cursor)"
            "    + (SELECT COUNT(*) FROM broker_pending WHERE group_id = g.id AND consumer IS NULL),"
            "  (SELECT COUNT(*) FROM broker_pending WHERE group_id = g.id AND consumer IS NOT NULL),"
            "  g.dead,"
            "  (SELECT a.consumer FROM broker_consumer AS a JOIN broker_consumer AS b"
            "     ON b.group_id = a.group_id AND b.consumer = a.consumer AND b.name > a.name"
            "   WHERE a.group_id = g.id AND a.alive_until > ?1 AND b.alive_until > ?1"
            "     AND (a.place = '' OR a.place <> b.place)), g.domain "
            "FROM broker_group AS g JOIN broker_stream AS s ON s.id = g.stream_id ORDER BY s.name, g.name"};
        auto q = select.query(link_.file().now().micros());
        while (q.next()) {
            found.push_back({.stream = q.text(0),
                             .group = q.text(1),
                             .length = q.integer(2),
                             .lag = q.integer(3),
                             .pending = q.integer(4),
                             .dead = q.integer(5),
                             .shared_name = q.null(6) ? std::string{} : q.text(6),
                             .domain = q.text(7)});
        }
        return found;
    });
}

std::optional<fence_state> sqlite_operations::fence_of(std::string_view producer) {
    return guarded<std::optional<fence_state>>([&](connection& db) { return read_fence(db, producer); });
}

std::vector<std::string> sqlite_operations::newest_ids(std::string_view stream, std::size_t limit) {
    return guarded<std::vector<std::string>>([&](connection& db) {
        std::vector<std::string> ids;
        statement select{
            db,
            "SELECT message_id FROM broker_entry WHERE stream_id = (SELECT id FROM broker_stream WHERE name = ?) "
            "AND replayed = 0 ORDER BY id DESC LIMIT ?"};
        auto q = select.query(stream, limit);
        while (q.next()) ids.push_back(q.text(0));
        return ids;
    });
}

std::unique_ptr<stream_walk> sqlite_operations::walk(std::string_view stream, std::optional<date_time> from) {
    return std::make_unique<sqlite_walk>(link_, stream, from);
}

std::vector<known_group> sqlite_operations::known_groups() {
    return guarded<std::vector<known_group>>([&](connection& db) {
        std::vector<known_group> found;
        statement select{
            db,
            "SELECT s.name, g.name, g.domain FROM broker_group AS g JOIN broker_stream AS s ON s.id = g.stream_id "
            "ORDER BY s.name, g.name"};
        auto q = select.query();
        while (q.next()) found.push_back({.stream = q.text(0), .group = q.text(1), .domain = q.text(2)});
        return found;
    });
}

std::size_t sqlite_operations::rename_group(std::string_view from, std::string_view to) {
    return guarded<std::size_t>([&](connection& db) {
        transaction writing{db, transaction::kind::write};
        statement taken{db,
                        "SELECT s.name FROM broker_group AS g JOIN broker_stream AS s ON s.id = g.stream_id "
                        "WHERE g.name = ?2 AND EXISTS (SELECT 1 FROM broker_group AS o"
                        "                              WHERE o.stream_id = g.stream_id AND o.name = ?1)"};
        if (auto found = taken.query(from, to); found.next()) throw group_is_taken(to, found.text(0));
        const auto renamed = static_cast<std::size_t>(
            statement{db, "UPDATE broker_group SET name = ?2, abandoned_at = NULL WHERE name = ?1"}.run(from, to));
        writing.commit();
        return renamed;
    });
}

std::size_t sqlite_operations::retire_group(std::string_view stream, std::string_view group) {
    return guarded<std::size_t>([&](connection& db) {
        transaction writing{db, transaction::kind::write};
        std::vector<std::int64_t> ids;
        statement named{db,
                        "SELECT g.id FROM broker_group AS g JOIN broker_stream AS s ON s.id = g.stream_id "
                        "WHERE g.name = ?1 AND (?2 = '' OR s.name = ?2)"};
        auto found = named.query(group, stream);
        while (found.next()) ids.push_back(found.integer(0));
        for (const auto id : ids) {
            statement{db, "DELETE FROM broker_pending WHERE group_id = ?"}.run(id);
            statement{db, "DELETE FROM broker_consumer WHERE group_id = ?"}.run(id);
            statement{db, "DELETE FROM broker_dead_letter WHERE group_id = ?"}.run(id);
            statement{db, "DELETE FROM broker_group WHERE id = ?"}.run(id);
        }
        writing.commit();
        return ids.size();
    });
}

void sqlite_operations::abandon_group(std::string_view stream, std::string_view group, date_time now) {
    guarded<bool>([&](connection& db) {
        statement{db,
                  "UPDATE broker_group SET abandoned_at = ? WHERE abandoned_at IS NULL AND name = ? "
                  "AND stream_id = (SELECT id FROM broker_stream WHERE name = ?)"}
            .run(now.micros(), group, stream);
        return true;
    });
}

void sqlite_operations::trim(date_time now) {
    guarded<bool>([&](connection& db) {
        const retention keeper{link_.file().options()};
        for (bool more = true; more;) {
            transaction writing{db, transaction::kind::write};
            more = keeper.trim_once(db, now);
            writing.commit();
        }
        return true;
    });
}

}  // namespace sluice::broker::sqlite
