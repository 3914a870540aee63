#include "store/operations.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <iterator>
#include <utility>

#include "store/bare_type.hpp"
#include "store/discard_record.hpp"
#include "store/postgresql/exchange.hpp"
#include "store/postgresql/failure.hpp"
#include "store/postgresql/inside_sql.hpp"
#include "store/postgresql/migrations.hpp"
#include "store/postgresql/readable_json.hpp"
#include "store/postgresql/row_reader.hpp"
#include "store/postgresql/server_time.hpp"
#include "store/postgresql/sessions.hpp"
#include "store/row_sample.hpp"
#include "store/stream_names.hpp"

namespace sluice::store::postgresql {
namespace {

enum class order { newest_first, oldest_first };

/// What an operator's write takes: rows in these states.
constexpr std::string_view given_up = "('failed', 'abandoned')";
constexpr std::string_view unpublished = "('pending', 'processing', 'failed', 'abandoned')";

/// A select of the rows that match a filter. Every condition has the same parameter whether it is used or not: $1
/// broker, $2 status, $3 stream, $4 message id, $5 created before, $6 limit. The ends of a range of numbers follow
/// where there are any.
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
    const auto require_number = [&](std::string_view compared, sequence number) {
        with.add(number);
        require(fmt::format("o.seq {} ${}", compared, with.count()));
    };
    if (filter.after > 0) require_number(">", filter.after);
    if (filter.upto) require_number("<=", *filter.upto);
    const auto* const down = direction == order::newest_first ? " DESC" : "";
    from_where_order_limit = fmt::format(
        "FROM @outbox AS o JOIN @event_log AS e ON e.seq = o.seq WHERE {} ORDER BY o.seq{}, o.target_broker LIMIT $6",
        where, down);
}

/// A select of the events that match a filter. Here only what is needed has a parameter.
/// @param is_stream  the filter's stream is one aggregate's: within it, position and number rise together
struct event_query {
    event_query(const event_filter& filter, bool is_stream);

    std::string select;
    parameters with;

private:
    /// @param condition  with `{}` for the value
    template <class Value>
    void require(std::string_view condition, const Value& value) {
        with.add(value);
        select += " AND " + fmt::format(fmt::runtime(condition), fmt::format("${}", with.count()));
    }
};

event_query::event_query(const event_filter& filter, bool is_stream)
    : select{fmt::format("SELECT {} FROM @event_log AS e WHERE e.seq > $1", event_columns)}, with{filter.after} {
    if (!filter.stream.empty()) require(is_stream ? "e.stream = {}" : "e.stream_category = {}", filter.stream);
    if (!filter.stream_categories.empty()) {
        array<std::string_view> categories;
        for (const auto& category : filter.stream_categories) categories.push(std::string_view{category});
        require("e.stream_category = ANY ({})", categories);
    }
    if (is_bare_type(filter.type)) {
        require("split_part(e.type, '.', 2) = {}", filter.type);
    } else if (!filter.type.empty()) {
        require("e.type = {}", filter.type);
    }
    if (!filter.correlation_id.empty()) {
        require("(" + readable_json("e.metadata") + ") -> 'domain' ->> 'correlation_id' = {}", filter.correlation_id);
    }
    if (filter.upto) require("e.seq <= {}", *filter.upto);
    if (filter.created_from) require("e.created_at >= {}", *filter.created_from);
    if (filter.created_before) require("e.created_at < {}", *filter.created_before);
    with.add(static_cast<std::int64_t>(filter.limit));
    fmt::format_to(std::back_inserter(select), " ORDER BY {}{} LIMIT ${}", is_stream ? "e.position" : "e.seq",
                   filter.newest_first ? " DESC" : "", with.count());
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

constexpr auto marks_sql = R"sql(
WITH RECURSIVE broker (name) AS (
    (SELECT target_broker FROM @outbox ORDER BY target_broker LIMIT 1)
    UNION ALL
    SELECT (SELECT o.target_broker FROM @outbox AS o WHERE o.target_broker > broker.name
            ORDER BY o.target_broker LIMIT 1)
    FROM broker WHERE broker.name IS NOT NULL
)
SELECT name, coalesce((SELECT min(mark) FROM @lease AS held WHERE held.broker = name), 0)
FROM broker WHERE name IS NOT NULL)sql";

// Counts are to walk the keys, also where the statistics know nothing of a bulk load yet.
constexpr auto walk_keys_sql =
    "SELECT set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true)";

constexpr auto count_above_sql = R"sql(
SELECT above.status, above.count, (SELECT created_at FROM @event_log AS log WHERE log.seq = above.first)
FROM (SELECT status, count(*), min(seq) AS first FROM @outbox WHERE target_broker = $1 AND seq > $2
      GROUP BY status) AS above)sql";

constexpr auto count_below_sql = R"sql(
SELECT count(*), min(seq),
       (SELECT count(*) FROM @outbox WHERE target_broker = $1 AND seq <= $2 AND abandoned_at IS NOT NULL)
FROM (SELECT seq FROM @outbox WHERE target_broker = $1 AND seq <= $2 ORDER BY seq LIMIT $3) AS below)sql";

constexpr auto sample_sql = R"sql(
SELECT count(*) FROM generate_series($2::bigint, $3::bigint, $4::bigint) AS beginning
CROSS JOIN LATERAL (SELECT FROM @outbox WHERE target_broker = $1 AND seq >= beginning AND seq < beginning + $5
                    AND seq <= $6 ORDER BY seq OFFSET 0) AS row)sql";

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
constexpr auto give_up =
    "status = 'abandoned', next_retry_at = NULL, last_error = $7::json, abandoned_at = $8::timestamptz + " SLUICE_SHIFT(
        "$9");

class postgresql_operations_session final : public operations_session {
public:
    explicit postgresql_operations_session(shared_state& shared) : shared_{shared} {}

    std::map<std::string, outbox_counts> outbox_summary() override;
    std::vector<outbox_row> list(const outbox_filter& filter) override;
    std::optional<logged_event> event(std::string_view message_id) override;
    std::vector<stream_event> events(const event_filter& filter) override;
    std::vector<std::string> streams(std::string_view category, std::string_view after, std::size_t limit) override;
    std::vector<lane_status> lanes() override;
    std::vector<open_writer> open_writers() override;
    std::size_t retry(const outbox_filter& filter) override;
    std::size_t discard(const outbox_filter& filter, std::string_view reason, date_time now) override;
    void pause_lanes(std::string_view broker, const lane_pause& pause) override;
    bool resume_lanes(std::string_view broker) override;
    lane_pauses paused_lanes() override;
    std::size_t rename_handler(std::string_view from, std::string_view to) override;
    std::size_t forget_handler(std::string_view name) override;
    std::size_t purge_inbox(date_time before, std::size_t limit) override;
    std::size_t purge_outcomes(date_time before, std::size_t limit) override;

private:
    /// A statement that is not prepared: what operators ask for is asked rarely, or planned by its values.
    [[nodiscard]] statement sql(std::string_view text) const { return {"", in_schema(text, shared_.options.schema)}; }
    [[nodiscard]] result ask(connection& db, std::string_view text, const parameters& with = parameters{}) const;
    /// A filter's stream is one aggregate's or a category; each is found in its own way.
    [[nodiscard]] bool is_stream(connection& db, const std::string& stream) const;
    [[nodiscard]] outbox_counts count(connection& db, std::string_view broker, sequence mark) const;
    /// How many rows the broker has from one number up to another, from a sample.
    [[nodiscard]] std::int64_t estimate_rows(connection& db, std::string_view broker, sequence from,
                                             sequence upto) const;
    [[nodiscard]] std::size_t change(const outbox_filter& filter, std::string_view statuses, std::string_view how,
                                     const std::optional<std::pair<std::string, date_time>>& record);

    shared_state& shared_;
};

result postgresql_operations_session::ask(connection& db, std::string_view text, const parameters& with) const {
    exchange trip{db};
    const auto place = trip.add(sql(text), with);
    trip.run();
    return trip.take(place);
}

std::map<std::string, outbox_counts> postgresql_operations_session::outbox_summary() {
    const auto db = shared_.pool.borrow();
    const auto brokers = ask(*db, marks_sql);
    std::map<std::string, outbox_counts> summary;
    for (int row = 0; row < brokers.rows(); ++row) {
        summary.emplace(brokers.text(row, 0), count(*db, brokers.view(row, 0), brokers.integer(row, 1)));
    }
    return summary;
}

/// At and below its mark a broker's rows are all settled: published, or abandoned, and those have an index.
outbox_counts postgresql_operations_session::count(connection& db, std::string_view broker, sequence mark) const {
    exchange trip{db};
    trip.begin_snapshot();
    trip.add(sql(walk_keys_sql));
    const auto above_place = trip.add(sql(count_above_sql), parameters{broker, mark});
    const auto below_place = trip.add(sql(count_below_sql), parameters{broker, mark, most_counted_rows + 1});
    trip.run();

    outbox_counts counts;
    const auto& above = trip[above_place];
    for (int row = 0; row < above.rows(); ++row) {
        const auto status = row_status_from(above.view(row, 0));
        counts.by_status[status] = above.integer(row, 1);
        const auto created_at = above.optional_time(row, 2);
        if (!is_open(status) || !created_at) continue;
        counts.oldest_open = std::min(counts.oldest_open.value_or(*created_at), *created_at);
    }
    const auto& below = trip[below_place];
    auto settled = below.integer(0, 0);
    const auto abandoned = below.integer(0, 2);
    if (settled > most_counted_rows) {
        settled = std::max(settled, estimate_rows(db, broker, below.integer(0, 1), mark));
        counts.published_is_estimated = true;
    }
    if (abandoned != 0) counts.by_status[row_status::abandoned] += abandoned;
    if (settled > abandoned) counts.by_status[row_status::published] += settled - abandoned;
    return counts;
}

std::int64_t postgresql_operations_session::estimate_rows(connection& db, std::string_view broker, sequence from,
                                                          sequence upto) const {
    const auto sample = row_sample::over(from, upto);
    exchange trip{db};
    trip.begin_snapshot();
    trip.add(sql(walk_keys_sql));
    const auto found =
        trip.add(sql(sample_sql), parameters{broker, sample.first, sample.last, sample.step, row_sample::width, upto});
    trip.run();
    return sample.estimate(trip[found].integer(0, 0));
}

bool postgresql_operations_session::is_stream(connection& db, const std::string& stream) const {
    if (stream.empty()) return false;
    return ask(db, "SELECT EXISTS (SELECT FROM @event_log WHERE stream = $1)", parameters{stream}).boolean(0, 0);
}

std::vector<outbox_row> postgresql_operations_session::list(const outbox_filter& filter) {
    const auto db = shared_.pool.borrow();
    const row_query query{filter, is_stream(*db, filter.stream), "",
                          filter.oldest_first ? order::oldest_first : order::newest_first};
    const auto found = ask(*db,
                           "SELECT o.seq, o.message_id, o.target_broker, o.stream, o.status, o.priority, o.retry_count,"
                           " o.next_retry_at, o.last_error, o.published_at, o.receipt, e.type, e.created_at " +
                               query.from_where_order_limit,
                           query.with);
    std::vector<outbox_row> rows;
    rows.reserve(static_cast<std::size_t>(found.rows()));
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

std::vector<stream_event> postgresql_operations_session::events(const event_filter& filter) {
    const auto db = shared_.pool.borrow();
    const event_query query{filter, is_stream(*db, filter.stream)};
    const auto found = ask(*db, query.select, query.with);
    std::vector<stream_event> events;
    events.reserve(static_cast<std::size_t>(found.rows()));
    for (int row = 0; row < found.rows(); ++row) events.push_back(read_stream_event(found, row));
    return events;
}

std::vector<std::string> postgresql_operations_session::streams(std::string_view category, std::string_view after,
                                                                std::size_t limit) {
    const auto range = names_of_category(category, after);
    const auto db = shared_.pool.borrow();
    const auto found =
        ask(*db, streams_sql, parameters{category, range.after, range.before, static_cast<std::int64_t>(limit)});
    std::vector<std::string> names;
    names.reserve(static_cast<std::size_t>(found.rows()));
    for (int row = 0; row < found.rows(); ++row) names.push_back(found.text(row, 0));
    return names;
}

std::vector<lane_status> postgresql_operations_session::lanes() {
    const auto db = shared_.pool.borrow();
    const auto found = ask(*db,
                           "SELECT lane, owner, epoch, expires_at - " SLUICE_SHIFT("$1") ", mark, state, detail, published, refused, rate,"
                           " since, horizon, overtaken FROM @lease ORDER BY lane",
                           parameters{shared_.our_time()});
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
                       .since = found.time(row, 10),
                       .overtaken = found.integer(row, 12)});
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
    assert(filter.after == 0 && !filter.upto);  // their parameters would stand where those of the record do
    row_query query{filter, is_stream(*db, filter.stream), statuses, order::oldest_first};
    if (record) {
        query.with.add(record->first);
        query.with.add(record->second);
        query.with.add(shared_.our_time());
    }
    exchange trip{*db};
    trip.add(sql(lock_leases_sql));
    const auto place = trip.add(sql(fmt::format(change_sql, query.from_where_order_limit, how)), query.with);
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

void postgresql_operations_session::pause_lanes(std::string_view broker, const lane_pause& pause) {
    const auto db = shared_.pool.borrow();
    static_cast<void>(ask(*db,
                          "INSERT INTO @sluice_meta (key, value) VALUES ($1 || $2, $3)"
                          " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                          parameters{pause_prefix, broker, to_text(pause)}));
}

bool postgresql_operations_session::resume_lanes(std::string_view broker) {
    const auto db = shared_.pool.borrow();
    return ask(*db, "DELETE FROM @sluice_meta WHERE key = $1 || $2", parameters{pause_prefix, broker}).affected() > 0;
}

lane_pauses postgresql_operations_session::paused_lanes() {
    const auto db = shared_.pool.borrow();
    const auto found =
        ask(*db, "SELECT substr(key, length($1) + 1), value FROM @sluice_meta WHERE starts_with(key, $1)",
            parameters{pause_prefix});
    lane_pauses pauses;
    for (int row = 0; row < found.rows(); ++row) pauses[found.text(row, 0)] = pause_from(found.view(row, 1));
    return pauses;
}

std::size_t postgresql_operations_session::rename_handler(std::string_view from, std::string_view to) {
    const auto db = shared_.pool.borrow();
    exchange trip{*db};
    const auto place = trip.add(sql("WITH moved AS (DELETE FROM @inbox WHERE handler = $1"
                                    " RETURNING message_id, content, processed_at), kept AS (INSERT INTO @inbox"
                                    " (message_id, handler, content, processed_at)"
                                    " SELECT message_id, $2, content, processed_at FROM moved"
                                    " ON CONFLICT DO NOTHING) SELECT count(*) FROM moved"),
                                parameters{from, to});
    trip.add(sql("DELETE FROM @lease WHERE lane = 'sequential/' || $1"), parameters{from});
    trip.add(sql("UPDATE @projection SET reader = $2 WHERE reader = $1"), parameters{from, to});
    trip.run();
    return static_cast<std::size_t>(trip[place].integer(0, 0));
}

std::size_t postgresql_operations_session::forget_handler(std::string_view name) {
    const auto db = shared_.pool.borrow();
    exchange trip{*db};
    const auto place = trip.add(sql("DELETE FROM @inbox WHERE handler = $1"), parameters{name});
    trip.add(sql("DELETE FROM @lease WHERE lane = 'sequential/' || $1"), parameters{name});
    trip.run();
    return trip[place].affected();
}

std::size_t postgresql_operations_session::purge_inbox(date_time before, std::size_t limit) {
    const auto db = shared_.pool.borrow();
    return ask(*db,
               "DELETE FROM @inbox WHERE (message_id, handler, content) IN (SELECT message_id, handler, content FROM "
               "@inbox"
               " WHERE processed_at < $1::timestamptz + " SLUICE_SHIFT("$3") " ORDER BY processed_at LIMIT $2)",
               parameters{before, static_cast<std::int64_t>(limit), shared_.our_time()})
        .affected();
}

/// Each row is looked at again when it is locked: a key that expired may belong to another command by then. Rows that
/// are locked are passed over, so that this never waits for a unit that waits for this.
std::size_t postgresql_operations_session::purge_outcomes(date_time before, std::size_t limit) {
    const auto db = shared_.pool.borrow();
    return ask(*db,
               "DELETE FROM @command_outcome WHERE key IN (SELECT key FROM @command_outcome"
               " WHERE expires_at < $1::timestamptz + " SLUICE_SHIFT(
                   "$3") " ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)",
               parameters{before, static_cast<std::int64_t>(limit), shared_.our_time()})
        .affected();
}

}  // namespace

std::unique_ptr<operations_session> make_operations_session(shared_state& shared) {
    return std::make_unique<postgresql_operations_session>(shared);
}

}  // namespace sluice::store::postgresql
