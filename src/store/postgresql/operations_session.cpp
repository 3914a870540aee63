#include "store/operations.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "store/discard_record.hpp"
#include "store/postgresql/exchange.hpp"
#include "store/postgresql/failure.hpp"
#include "store/postgresql/migrations.hpp"
#include "store/postgresql/sessions.hpp"

namespace sluice::store::postgresql {
namespace {

/// Up to this size the rows of the outbox are counted one by one.
constexpr std::int64_t countable_bytes = 64 * 1024 * 1024;

enum class order { newest_first, oldest_first };

/// What an operator's write takes: rows in these states.
constexpr std::string_view given_up = "('failed', 'abandoned')";
constexpr std::string_view unpublished = "('pending', 'processing', 'failed', 'abandoned')";

/// A select of the rows that match a filter. Every condition has the same parameter whether it is used or not: $1
/// broker, $2 status, $3 stream, $4 message id, $5 created before, $6 limit.
struct row_query {
    row_query(const outbox_filter& filter, bool is_stream, std::string_view statuses, order direction);

    std::string from_where_order_limit;
    parameters with;
};

row_query::row_query(const outbox_filter& filter, bool is_stream, std::string_view statuses, order direction)
    : with{filter.target_broker,  filter.status ? to_string(*filter.status) : "", filter.stream, filter.message_id,
           filter.created_before, static_cast<std::int64_t>(filter.limit)} {
    std::string where =
        "$1::text IS NOT NULL AND $2::text IS NOT NULL AND $3::text IS NOT NULL AND $4::text IS NOT NULL"
        " AND ($5::timestamptz IS NULL OR true)";
    const auto require = [&where](std::string_view condition) { where.append(" AND ").append(condition); };
    if (!filter.target_broker.empty()) require("o.target_broker = $1");
    if (filter.status) require("o.status = $2");
    // Those in this state have an index of their own.
    if (filter.status == row_status::abandoned) require("o.abandoned_at IS NOT NULL");
    if (!filter.stream.empty()) require(is_stream ? "e.stream = $3" : "e.stream_category = $3");
    if (!filter.message_id.empty()) require("e.message_id = $4 AND o.message_id = $4");
    if (filter.created_before) require("e.created_at < $5");
    if (!statuses.empty()) require(fmt::format("o.status IN {}", statuses));
    const auto* const down = direction == order::newest_first ? " DESC" : "";
    from_where_order_limit = fmt::format(
        "FROM @outbox AS o JOIN @event_log AS e ON e.seq = o.seq WHERE {} ORDER BY o.seq{}, o.target_broker LIMIT $6",
        where, down);
}

outbox_row read_row(const result& found, int row) {
    return {.seq = found.integer(row, 0),
            .message_id = found.text(row, 1),
            .target_broker = found.text(row, 2),
            .stream = found.text(row, 3),
            .status = row_status_from(found.view(row, 4)),
            .priority = static_cast<int>(found.integer(row, 5)),
            .retry_count = static_cast<int>(found.integer(row, 6)),
            .next_retry_at = found.optional_time(row, 7),
            .last_error = found.text(row, 8),
            .published_at = found.optional_time(row, 9),
            .receipt = found.text(row, 10),
            .type = found.text(row, 11),
            .created_at = found.time(row, 12)};
}

// The marks bound the search: at and below the lowest mark of its lanes, a broker's rows are all settled. Among those,
// abandoned ones have an index; the published ones are what remains of the whole.
constexpr auto summary_sql = R"sql(
WITH RECURSIVE broker (name) AS (
    (SELECT target_broker FROM @outbox ORDER BY target_broker LIMIT 1)
    UNION ALL
    SELECT (SELECT o.target_broker FROM @outbox AS o WHERE o.target_broker > broker.name
            ORDER BY o.target_broker LIMIT 1)
    FROM broker WHERE broker.name IS NOT NULL
), marked AS (
    SELECT name, coalesce((SELECT min(mark) FROM @lease AS held WHERE held.broker = name), 0) AS mark
    FROM broker WHERE name IS NOT NULL
)
SELECT marked.name, above.status, above.count, first_open.created_at
FROM marked
CROSS JOIN LATERAL (
    SELECT o.status, count(*), min(o.seq) AS first FROM @outbox AS o
    WHERE o.target_broker = marked.name AND o.seq > marked.mark AND o.status IN ('pending', 'processing', 'failed')
    GROUP BY o.status
    UNION ALL
    SELECT 'abandoned', count(*), NULL FROM @outbox AS o
    WHERE o.target_broker = marked.name AND o.abandoned_at IS NOT NULL
) AS above
LEFT JOIN LATERAL (SELECT created_at FROM @event_log AS log WHERE log.seq = above.first) AS first_open ON true)sql";

constexpr auto count_published_sql =
    "SELECT target_broker, count(*) FROM @outbox WHERE status = 'published' GROUP BY target_broker";

// What the statistics say of each broker's share of all rows.
constexpr auto estimate_rows_sql = R"sql(
SELECT share.broker, (share.part * size.rows)::bigint
FROM (SELECT CASE WHEN relpages > 0 THEN reltuples / relpages ELSE 30 END
             * (pg_relation_size('@outbox') / current_setting('block_size')::bigint) AS rows
      FROM pg_class WHERE oid = '@outbox'::regclass) AS size
CROSS JOIN (SELECT unnest(most_common_vals::text::text[]) AS broker, unnest(most_common_freqs) AS part
            FROM pg_stats WHERE schemaname = $1 AND tablename = 'outbox' AND attname = 'target_broker') AS share)sql";

// Those of a broker's lanes that read it without a lock of their own must not be overtaken, so the leases are locked
// first, here as when a lane settles.
constexpr auto lock_leases_sql = "SELECT FROM @lease WHERE broker <> '' ORDER BY lane FOR UPDATE";

constexpr auto change_sql = R"sql(
WITH picked AS MATERIALIZED (
    SELECT o.target_broker, o.seq {}
), changed AS (
    UPDATE @outbox AS o SET {}
    FROM picked WHERE o.target_broker = picked.target_broker AND o.seq = picked.seq
    RETURNING o.target_broker, o.seq
), first AS (
    SELECT target_broker, min(seq) AS seq, count(*) AS count FROM changed GROUP BY target_broker
), moved AS (
    UPDATE @lease AS held SET mark = least(held.mark, first.seq - 1), rescan = held.rescan + 1
    FROM first WHERE held.broker = first.target_broker
)
SELECT count, pg_notify(@sluice_channel(target_broker), 'rescan') FROM first)sql";

constexpr auto renew_budget = "status = 'pending', retry_count = 0, next_retry_at = NULL, abandoned_at = NULL";
constexpr auto give_up = "status = 'abandoned', next_retry_at = NULL, last_error = $7::json, abandoned_at = $8";

class postgresql_operations_session final : public operations_session {
public:
    explicit postgresql_operations_session(shared_state& shared) : shared_{shared} {}

    std::map<std::string, outbox_counts> outbox_summary() override;
    std::vector<outbox_row> list(const outbox_filter& filter) override;
    std::optional<logged_event> event(std::string_view message_id) override;
    std::vector<lane_status> lanes() override;
    std::vector<open_writer> open_writers() override;
    std::size_t retry(const outbox_filter& filter) override;
    std::size_t discard(const outbox_filter& filter, std::string_view reason, date_time now) override;
    std::size_t purge_inbox(date_time before, std::size_t limit) override;

private:
    [[nodiscard]] result ask(connection& db, std::string_view sql, const parameters& with = parameters{}) const;
    /// A filter's stream is one aggregate's or a category; each is found in its own way.
    [[nodiscard]] bool is_stream(connection& db, const outbox_filter& filter) const;
    void estimate_published(connection& db, std::map<std::string, outbox_counts>& summary) const;
    [[nodiscard]] std::size_t change(const outbox_filter& filter, std::string_view statuses, std::string_view how,
                                     const std::optional<std::pair<std::string, date_time>>& record);

    shared_state& shared_;
};

result postgresql_operations_session::ask(connection& db, std::string_view sql, const parameters& with) const {
    exchange trip{db};
    const auto place = trip.add({"", in_schema(sql, shared_.options.schema)}, with);
    trip.run();
    return trip.take(place);
}

std::map<std::string, outbox_counts> postgresql_operations_session::outbox_summary() {
    const auto db = shared_.pool.borrow();
    const auto found = ask(*db, summary_sql);
    std::map<std::string, outbox_counts> summary;
    for (int row = 0; row < found.rows(); ++row) {
        auto& counts = summary[found.text(row, 0)];
        if (const auto count = found.integer(row, 2); count != 0) {
            counts.by_status[row_status_from(found.view(row, 1))] = count;
        }
        if (const auto oldest = found.optional_time(row, 3); oldest) {
            counts.oldest_open = std::min(counts.oldest_open.value_or(*oldest), *oldest);
        }
    }
    if (ask(*db, "SELECT pg_relation_size('@outbox')").integer(0, 0) > countable_bytes) {
        estimate_published(*db, summary);
    } else {
        const auto published = ask(*db, count_published_sql);
        for (int row = 0; row < published.rows(); ++row) {
            summary[published.text(row, 0)].by_status[row_status::published] = published.integer(row, 1);
        }
    }
    return summary;
}

void postgresql_operations_session::estimate_published(connection& db,
                                                       std::map<std::string, outbox_counts>& summary) const {
    const auto estimates = ask(db, estimate_rows_sql, parameters{shared_.options.schema});
    for (int row = 0; row < estimates.rows(); ++row) {
        const auto counts = summary.find(estimates.text(row, 0));
        if (counts == summary.end()) continue;
        std::int64_t others = 0;
        for (const auto& [status, count] : counts->second.by_status) others += count;
        counts->second.by_status[row_status::published] = std::max<std::int64_t>(estimates.integer(row, 1) - others, 0);
        counts->second.published_is_estimated = true;
    }
}

bool postgresql_operations_session::is_stream(connection& db, const outbox_filter& filter) const {
    if (filter.stream.empty()) return false;
    return ask(db, "SELECT EXISTS (SELECT FROM @event_log WHERE stream = $1)", parameters{filter.stream}).boolean(0, 0);
}

std::vector<outbox_row> postgresql_operations_session::list(const outbox_filter& filter) {
    const auto db = shared_.pool.borrow();
    const row_query query{filter, is_stream(*db, filter), "", order::newest_first};
    const auto found = ask(*db,
                           "SELECT o.seq, o.message_id, o.target_broker, o.stream, o.status, o.priority, o.retry_count,"
                           " o.next_retry_at, o.last_error, o.published_at, o.receipt, e.type, e.created_at " +
                               query.from_where_order_limit,
                           query.with);
    std::vector<outbox_row> rows;
    for (int row = 0; row < found.rows(); ++row) rows.push_back(read_row(found, row));
    return rows;
}

std::optional<logged_event> postgresql_operations_session::event(std::string_view message_id) {
    const auto db = shared_.pool.borrow();
    const auto found = ask(*db,
                           "SELECT message_id, stream, stream_category, type, data, metadata, created_at"
                           " FROM @event_log WHERE message_id = $1",
                           parameters{message_id});
    if (found.rows() == 0) return std::nullopt;
    return logged_event{.message_id = found.text(0, 0),
                        .stream = found.text(0, 1),
                        .stream_category = found.text(0, 2),
                        .type = found.text(0, 3),
                        .data = found.text(0, 4),
                        .metadata = found.text(0, 5),
                        .created_at = found.time(0, 6)};
}

std::vector<lane_status> postgresql_operations_session::lanes() {
    const auto db = shared_.pool.borrow();
    const auto found = ask(*db,
                           "SELECT lane, owner, epoch, expires_at, mark, state, detail, published, refused, rate,"
                           " since, horizon FROM @lease ORDER BY lane");
    std::vector<lane_status> all;
    for (int row = 0; row < found.rows(); ++row) {
        all.push_back({.lane = found.text(row, 0),
                       .owner = found.text(row, 1),
                       .epoch = static_cast<std::uint64_t>(found.integer(row, 2)),
                       .expires_at = found.time(row, 3),
                       .mark = found.integer(row, 4),
                       .state = found.text(row, 5),
                       .detail = found.text(row, 6),
                       .published = found.integer(row, 7),
                       .refused = found.integer(row, 8),
                       .rate = found.real(row, 9),
                       .since = found.time(row, 10)});
        if (!found.null(row, 11)) all.back().horizon = found.integer(row, 11);
    }
    return all;
}

std::vector<open_writer> postgresql_operations_session::open_writers() {
    const auto db = shared_.pool.borrow();
    // A prepared transaction has no process; another user's session hides its start.
    const auto found = ask(*db, R"sql(
SELECT held.pid, extract(epoch FROM clock_timestamp() - session.xact_start)::float8, session.application_name,
       session.state
FROM (SELECT DISTINCT pid FROM pg_locks
      WHERE locktype = 'relation' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND relation = '@event_log'::regclass AND mode = 'RowExclusiveLock') AS held
LEFT JOIN pg_stat_activity AS session ON session.pid = held.pid
ORDER BY session.xact_start NULLS LAST)sql");
    std::vector<open_writer> writers;
    for (int row = 0; row < found.rows(); ++row) {
        open_writer writer{.pid = static_cast<int>(found.integer(row, 0)),
                           .application = found.text(row, 2),
                           .state = found.text(row, 3)};
        if (!found.null(row, 1)) {
            writer.age = std::chrono::round<duration>(std::chrono::duration<double>{found.real(row, 1)});
        }
        writers.push_back(std::move(writer));
    }
    return writers;
}

std::size_t postgresql_operations_session::change(const outbox_filter& filter, std::string_view statuses,
                                                  std::string_view how,
                                                  const std::optional<std::pair<std::string, date_time>>& record) {
    const auto db = shared_.pool.borrow();
    row_query query{filter, is_stream(*db, filter), statuses, order::oldest_first};
    if (record) {
        query.with.add(record->first);
        query.with.add(record->second);
    }
    exchange trip{*db};
    trip.add({"", in_schema(lock_leases_sql, shared_.options.schema)});
    const auto place =
        trip.add({"", in_schema(fmt::format(change_sql, query.from_where_order_limit, how), shared_.options.schema)},
                 query.with);
    trip.run();
    std::size_t count = 0;
    for (int row = 0; row < trip[place].rows(); ++row) count += static_cast<std::size_t>(trip[place].integer(row, 0));
    return count;
}

std::size_t postgresql_operations_session::retry(const outbox_filter& filter) {
    return change(filter, given_up, renew_budget, std::nullopt);
}

std::size_t postgresql_operations_session::discard(const outbox_filter& filter, std::string_view reason,
                                                   date_time now) {
    return change(filter, unpublished, give_up, std::pair{discard_record(reason, now), now});
}

std::size_t postgresql_operations_session::purge_inbox(date_time before, std::size_t limit) {
    const auto db = shared_.pool.borrow();
    return ask(*db,
               "DELETE FROM @inbox WHERE (message_id, handler) IN (SELECT message_id, handler FROM @inbox"
               " WHERE processed_at < $1 ORDER BY processed_at LIMIT $2)",
               parameters{before, static_cast<std::int64_t>(limit)})
        .affected();
}

}  // namespace

std::unique_ptr<operations_session> make_operations_session(shared_state& shared) {
    return std::make_unique<postgresql_operations_session>(shared);
}

}  // namespace sluice::store::postgresql
