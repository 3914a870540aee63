#include "broker/sqlite/sqlite_operations.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

#include "broker/group_is_taken.hpp"
#include "broker/sqlite/fence.hpp"
#include "broker/sqlite/retention.hpp"

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
    query q{db, ids_oldest_first};
    q.bind(filter.stream, filter.group, wanted_id(filter.id), limit_of(filter), after, last);
    while (q.next()) ids.push_back(q.integer(0));
    return ids;
}

void remove(connection& db, std::int64_t id) {
    query{db, "DELETE FROM broker_dead_letter WHERE id = ?"}.bind(id).run();
}

void hand_back_to_group(connection& db, std::int64_t id) {
    // An entry that was trimmed comes back under its old number, seen by nobody but groups that have it pending.
    query{db,
          "INSERT INTO broker_entry(id, stream_id, message_id, key, body, created_at, replayed) "
          "SELECT d.entry_id, g.stream_id, d.message_id, d.key, d.body, d.created_at, 1 "
          "FROM broker_dead_letter AS d JOIN broker_group AS g ON g.id = d.group_id WHERE d.id = ? "
          "ON CONFLICT(id) DO NOTHING"}
        .bind(id)
        .run();
    query{db,
          "INSERT INTO broker_pending(group_id, entry_id, key) "
          "SELECT group_id, entry_id, key FROM broker_dead_letter WHERE id = ? ON CONFLICT DO NOTHING"}
        .bind(id)
        .run();
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
        query q{db, newest_first};
        q.bind(filter.stream, filter.group, wanted_id(filter.id), limit_of(filter));
        while (q.next()) {
            found.push_back({.id = std::to_string(q.integer(0)),
                             .stream = q.string(1),
                             .original_entry = std::to_string(q.integer(2)),
                             .group = q.string(3),
                             .consumer = q.string(4),
                             .reason = q.string(5),
                             .code = q.string(6),
                             .attempts = static_cast<int>(q.integer(7)),
                             .failed_at = q.time(8),
                             .body = q.string(9)});
        }
        return found;
    });
}

std::size_t sqlite_operations::count(const dead_letter_filter& filter) {
    return guarded<std::size_t>([&](connection& db) -> std::size_t {
        if (const auto id = wanted_id(filter.id); id != 0) {
            return matching_ids(db, filter, 0, std::numeric_limits<std::int64_t>::max()).size();
        }
        query sum{
            db,
            "SELECT COALESCE(SUM(g.dead), 0) FROM broker_group AS g JOIN broker_stream AS s ON s.id = g.stream_id "
            "WHERE (?1 = '' OR s.name = ?1) AND (?2 = '' OR g.name = ?2)"};
        sum.bind(filter.stream, filter.group);
        return sum.next() ? static_cast<std::size_t>(sum.integer(0)) : 0;
    });
}

template <class Action>
letters_outcome sqlite_operations::for_each(const dead_letter_filter& filter, Action action) {
    return guarded<letters_outcome>([&](connection& db) {
        letters_outcome outcome;
        std::int64_t last = 0;
        if (query top{db, "SELECT COALESCE(MAX(id), 0) FROM broker_dead_letter"}; top.next()) {
            last = top.integer(0);
        }
        auto page = filter;
        for (std::int64_t after = 0; outcome.changed < filter.limit;) {
            page.limit = std::min(letters_in_a_transaction, filter.limit - outcome.changed);
            try {
                write_transaction transaction{db};
                const auto ids = matching_ids(db, page, after, last);
                for (const auto id : ids) action(db, id);
                transaction.commit();
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
        query q{db,
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
        q.bind(link_.file().now());
        while (q.next()) {
            found.push_back({.stream = q.string(0),
                             .group = q.string(1),
                             .length = q.integer(2),
                             .lag = q.integer(3),
                             .pending = q.integer(4),
                             .dead = q.integer(5),
                             .shared_name = q.is_null(6) ? std::string{} : q.string(6),
                             .domain = q.string(7)});
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
        query q{db,
                "SELECT message_id FROM broker_entry WHERE stream_id = (SELECT id FROM broker_stream WHERE name = ?) "
                "AND replayed = 0 ORDER BY id DESC LIMIT ?"};
        q.bind(stream, static_cast<std::int64_t>(limit));
        while (q.next()) ids.push_back(q.string(0));
        return ids;
    });
}

std::vector<known_group> sqlite_operations::known_groups() {
    return guarded<std::vector<known_group>>([&](connection& db) {
        std::vector<known_group> found;
        query q{db,
                "SELECT s.name, g.name, g.domain FROM broker_group AS g JOIN broker_stream AS s ON s.id = g.stream_id "
                "ORDER BY s.name, g.name"};
        while (q.next()) found.push_back({.stream = q.string(0), .group = q.string(1), .domain = q.string(2)});
        return found;
    });
}

std::size_t sqlite_operations::rename_group(std::string_view from, std::string_view to) {
    return guarded<std::size_t>([&](connection& db) {
        write_transaction transaction{db};
        query taken{db,
                    "SELECT s.name FROM broker_group AS g JOIN broker_stream AS s ON s.id = g.stream_id "
                    "WHERE g.name = ?2 AND EXISTS (SELECT 1 FROM broker_group AS o"
                    "                              WHERE o.stream_id = g.stream_id AND o.name = ?1)"};
        if (taken.bind(from, to).next()) throw group_is_taken(to, taken.string(0));
        query{db, "UPDATE broker_group SET name = ?2, abandoned_at = NULL WHERE name = ?1"}.bind(from, to).run();
        const auto renamed = static_cast<std::size_t>(db.changes());
        transaction.commit();
        return renamed;
    });
}

std::size_t sqlite_operations::retire_group(std::string_view stream, std::string_view group) {
    return guarded<std::size_t>([&](connection& db) {
        write_transaction transaction{db};
        std::vector<std::int64_t> ids;
        query named{db,
                    "SELECT g.id FROM broker_group AS g JOIN broker_stream AS s ON s.id = g.stream_id "
                    "WHERE g.name = ?1 AND (?2 = '' OR s.name = ?2)"};
        named.bind(group, stream);
        while (named.next()) ids.push_back(named.integer(0));
        for (const auto id : ids) {
            query{db, "DELETE FROM broker_pending WHERE group_id = ?"}.bind(id).run();
            query{db, "DELETE FROM broker_consumer WHERE group_id = ?"}.bind(id).run();
            query{db, "DELETE FROM broker_dead_letter WHERE group_id = ?"}.bind(id).run();
            query{db, "DELETE FROM broker_group WHERE id = ?"}.bind(id).run();
        }
        transaction.commit();
        return ids.size();
    });
}

void sqlite_operations::abandon_group(std::string_view stream, std::string_view group, date_time now) {
    guarded<bool>([&](connection& db) {
        query{db,
              "UPDATE broker_group SET abandoned_at = ? WHERE abandoned_at IS NULL AND name = ? "
              "AND stream_id = (SELECT id FROM broker_stream WHERE name = ?)"}
            .bind(now, group, stream)
            .run();
        return true;
    });
}

void sqlite_operations::trim(date_time now) {
    guarded<bool>([&](connection& db) {
        const retention keeper{link_.file().options()};
        for (bool more = true; more;) {
            write_transaction transaction{db};
            more = keeper.trim_once(db, now);
            transaction.commit();
        }
        return true;
    });
}

}  // namespace sluice::broker::sqlite
