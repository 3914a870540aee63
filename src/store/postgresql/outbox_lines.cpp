#include "store/postgresql/outbox_lines.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "store/bare_type.hpp"
#include "store/postgresql/exchange.hpp"
#include "store/postgresql/ledger_sql.hpp"
#include "store/postgresql/migrations.hpp"
#include "store/postgresql/server_time.hpp"
#include "store/row_sample.hpp"

namespace sluice::store::postgresql {
namespace {

/// Which lines a question is about.
enum class kinds { all, given_up, unpublished };

bool wants(kinds which, row_status status) {
    switch (which) {
        case kinds::given_up:
            return status == row_status::failed || status == row_status::abandoned;
        case kinds::unpublished:
            return status != row_status::published;
        case kinds::all:
            break;
    }
    return true;
}

/// The lines that a filter lets through, as two selects, one of lines with a row and one of those without, and one over
/// both. Each condition has a parameter only where it is used.
class line_query {
public:
    /// @param with  what the statement around it has for parameters of its own, from $1 on
    line_query(const outbox_filter& filter, bool is_stream, kinds which, bool oldest_first,
               parameters with = parameters{});

    /// Lines as `outbox_row` has them, in order.
    [[nodiscard]] std::string lines() const;
    /// `target_broker` and `seq` of rows, in order.
    [[nodiscard]] std::string rows() const;
    [[nodiscard]] const parameters& with() const noexcept { return with_; }

private:
    template <class Value>
    std::string value(const Value& what) {
        with_.add(what);
        return fmt::format("${}", with_.count());
    }
    void add_conditions(const outbox_filter& filter, bool is_stream);
    void add_statuses(const outbox_filter& filter, kinds which);
    [[nodiscard]] std::string row_leg(std::string_view columns) const;
    [[nodiscard]] std::string event_leg() const;

    parameters with_;
    /// Within one aggregate's stream position and number rise together, and an index has that order.
    const char* order_of_events_;
    std::string order_;
    std::string limit_;
    std::string of_rows_ = "true";    ///< conditions on o, e and b
    std::string of_events_ = "true";  ///< conditions on e and b
    bool has_rows_ = true;
    bool has_published_ = true;  ///< of those without a row
    bool has_pending_ = true;
};

line_query::line_query(const outbox_filter& filter, bool is_stream, kinds which, bool oldest_first, parameters with)
    : with_{std::move(with)},
      order_of_events_{is_stream ? "e.position" : "e.seq"},
      order_{oldest_first ? "" : " DESC"} {
    limit_ = value(static_cast<std::int64_t>(filter.limit));
    add_conditions(filter, is_stream);
    add_statuses(filter, which);
}

void line_query::add_conditions(const outbox_filter& filter, bool is_stream) {
    const auto require = [this](std::string_view of_rows, std::string_view of_events, const std::string& compared) {
        fmt::format_to(std::back_inserter(of_rows_), " AND {} {}", of_rows, compared);
        fmt::format_to(std::back_inserter(of_events_), " AND {} {}", of_events, compared);
    };
    if (!filter.target_broker.empty()) require("o.target_broker", "b.name", "= " + value(filter.target_broker));
    const auto* const stream = is_stream ? "e.stream" : "e.stream_category";
    if (!filter.stream.empty()) require(stream, stream, "= " + value(filter.stream));
    if (!filter.message_id.empty()) {
        require("e.message_id", "e.message_id", "= " + value(filter.message_id));
    }
    if (is_bare_type(filter.type)) {
        require("split_part(e.type, '.', 2)", "split_part(e.type, '.', 2)", "= " + value(filter.type));
    } else if (!filter.type.empty()) {
        require("e.type", "e.type", "= " + value(filter.type));
    }
    if (!filter.error.empty()) {
        of_rows_ += fmt::format(" AND strpos(lower(o.last_error::text), lower({})) > 0", value(filter.error));
    }
    if (filter.created_before) require("e.created_at", "e.created_at", "< " + value(*filter.created_before));
    if (filter.after > 0) require("o.seq", "e.seq", "> " + value(filter.after));
    if (filter.upto) require("o.seq", "e.seq", "<= " + value(*filter.upto));
}

void line_query::add_statuses(const outbox_filter& filter, kinds which) {
    const auto is_wanted = [&](row_status status) {
        return wants(which, status) && (!filter.status || *filter.status == status);
    };
    std::string words;
    for (const auto status : {row_status::pending, row_status::processing, row_status::published, row_status::failed,
                              row_status::abandoned}) {
        if (is_wanted(status)) words += fmt::format("{}'{}'", words.empty() ? "" : ", ", to_string(status));
    }
    has_rows_ = !words.empty();
    of_rows_ += fmt::format(" AND o.status IN ({})", words);
    // Those in this state have an index of their own.
    if (filter.status == row_status::abandoned) of_rows_ += " AND o.abandoned_at IS NOT NULL";
    // Without a row there is no error.
    has_published_ = is_wanted(row_status::published) && filter.error.empty();
    has_pending_ = is_wanted(row_status::pending) && filter.error.empty();
}

std::string line_query::row_leg(std::string_view columns) const {
    return fmt::format(
        "SELECT {} FROM @event_log AS e CROSS JOIN (SELECT name FROM @outbox_broker LIMIT 63) AS b"
        " JOIN @outbox_row AS o ON o.target_broker = b.name AND o.seq = e.seq WHERE {}"
        " ORDER BY o.seq{}, o.target_broker LIMIT {}",
        columns, of_rows_, order_, limit_);
}

// Only what lies above the lowest mark of a broker's lanes can be pending, and only what is in the ledger is published.
std::string line_query::event_leg() const {
    std::string where = of_events_;
    if (!has_published_) {
        where +=
            " AND e.seq > (SELECT min(greatest(known.floor, coalesce((SELECT min(mark) FROM @lease AS held"
            " WHERE held.broker = known.name), 0))) FROM @outbox_broker AS known) AND line.published_at IS NULL";
    }
    if (!has_pending_) where += " AND line.published_at IS NOT NULL";
    return fmt::format(
        "SELECT e.seq, e.message_id, b.name AS target_broker, e.stream,"
        " CASE WHEN line.published_at IS NULL THEN 'pending' ELSE 'published' END AS status,"
        " e.priority, 0 AS retry_count, NULL::timestamptz AS next_retry_at, NULL::json AS last_error,"
        " line.published_at, line.receipt, e.type, e.created_at"
        " FROM @event_log AS e JOIN @outbox_broker AS b ON e.targets & (1::bigint << b.number) <> 0"
        " LEFT JOIN " SLUICE_LEDGER_LINE
        " AS line ON true"
        " WHERE {} AND (line.published_at IS NOT NULL OR e.seq > b.floor)"
        " AND NOT EXISTS (SELECT FROM @outbox_row AS o WHERE o.target_broker = b.name AND o.seq = e.seq)"
        " ORDER BY {}{}, b.name LIMIT {}",
        where, order_of_events_, order_, limit_);
}

std::string line_query::lines() const {
    constexpr auto columns =
        "o.seq, o.message_id, o.target_broker, o.stream, o.status, o.priority, o.retry_count, o.next_retry_at,"
        " o.last_error, o.published_at, o.receipt, e.type, e.created_at";
    std::string legs;
    const auto add = [&legs](const std::string& leg) {
        fmt::format_to(std::back_inserter(legs), "{}({})", legs.empty() ? "" : " UNION ALL ", leg);
    };
    if (has_rows_) add(row_leg(columns));
    if (has_published_ || has_pending_) add(event_leg());
    if (legs.empty()) return {};
    return fmt::format("SELECT * FROM ({}) AS lines ORDER BY seq{}, target_broker LIMIT {}", legs, order_, limit_);
}

std::string line_query::rows() const { return row_leg("o.target_broker, o.seq"); }

outbox_row read_line(const result& found, int row) {
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

// Who has rows may have no number: they may be of a broker that has left the configuration.
constexpr auto brokers_sql = R"sql(
WITH RECURSIVE with_rows (name) AS (
    (SELECT target_broker FROM @outbox_row ORDER BY target_broker LIMIT 1)
    UNION ALL
    SELECT (SELECT o.target_broker FROM @outbox_row AS o WHERE o.target_broker > with_rows.name
            ORDER BY o.target_broker LIMIT 1)
    FROM with_rows WHERE with_rows.name IS NOT NULL
)
SELECT name, coalesce((SELECT min(mark) FROM @lease AS held WHERE held.broker = name), 0)
FROM (SELECT name FROM with_rows UNION SELECT name FROM @outbox_broker) AS all_names WHERE name IS NOT NULL)sql";

// Counts are to walk the keys, also where the statistics know nothing of a bulk load yet.
constexpr auto walk_keys_sql =
    "SELECT set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true)";

constexpr auto rows_above_sql = R"sql(
SELECT above.status, above.count, (SELECT created_at FROM @event_log AS log WHERE log.seq = above.first)
FROM (SELECT status, count(*), min(seq) AS first FROM @outbox_row WHERE target_broker = $1 AND seq > $2
      GROUP BY status) AS above)sql";

constexpr auto rows_below_sql = R"sql(
SELECT count(*), min(seq),
       (SELECT count(*) FROM @outbox_row WHERE target_broker = $1 AND seq <= $2 AND abandoned_at IS NOT NULL)
FROM (SELECT seq FROM @outbox_row WHERE target_broker = $1 AND seq <= $2 ORDER BY seq LIMIT $3) AS below)sql";

constexpr auto sample_sql = R"sql(
SELECT count(*) FROM generate_series($2::bigint, $3::bigint, $4::bigint) AS beginning
CROSS JOIN LATERAL (SELECT FROM @outbox_row WHERE target_broker = $1 AND seq >= beginning AND seq < beginning + $5
                    AND seq <= $6 ORDER BY seq OFFSET 0) AS row)sql";

// How many are listed, and where what is pending lies: above $2 and the floor, up to the last of the log.
constexpr auto extent_sql = R"sql(
SELECT coalesce(sum(r.count), 0)::bigint, greatest(b.floor, $2), coalesce(max(r.upto), 0),
       coalesce((SELECT max(seq) FROM @event_log), 0)
FROM @outbox_broker AS b LEFT JOIN @outbox_ledger AS r ON r.broker = b.number AND r.part = ANY (b.parts)
WHERE b.name = $1 GROUP BY b.floor)sql";

// What is pending above $2 and up to $3: meant for the broker, not listed, and without a row.
constexpr auto count_pending_sql = R"sql(
WITH b AS MATERIALIZED (
    SELECT number, parts, 1::bigint << number AS bit FROM @outbox_broker WHERE name = $1
), listed AS (
    SELECT CASE WHEN r.after >= $2 AND r.upto <= $3 THEN r.count
                WHEN r.seqs IS NULL THEN least(r.upto, $3) - greatest(r.after, $2)
                ELSE (SELECT count(*) FROM unnest(r.seqs) AS n WHERE r.after + n > $2 AND r.after + n <= $3) END AS count
    FROM b JOIN @outbox_ledger AS r ON r.broker = b.number AND r.part = ANY (b.parts) AND r.upto > $2 AND r.after < $3
)
SELECT (SELECT count(*) FROM b JOIN @event_log AS e ON e.seq > $2 AND e.seq <= $3 AND e.targets & b.bit <> 0)
       - coalesce((SELECT sum(count) FROM listed), 0)::bigint
       - (SELECT count(*) FROM b JOIN @outbox_row AS o ON o.target_broker = $1 AND o.seq > $2 AND o.seq <= $3
          JOIN @event_log AS e ON e.seq = o.seq AND e.targets & b.bit <> 0))sql";

constexpr auto sample_pending_sql = R"sql(
SELECT count(*) FROM generate_series($2::bigint, $3::bigint, $4::bigint) AS beginning
CROSS JOIN LATERAL (SELECT FROM @event_log AS e WHERE e.seq >= beginning AND e.seq < beginning + $5 AND e.seq <= $6
                    AND e.targets & )sql" SLUICE_BIT("$1") R"sql( <> 0
                    AND NOT EXISTS (SELECT FROM @outbox_row AS o WHERE o.target_broker = $1 AND o.seq = e.seq)
                    AND NOT )sql" SLUICE_IN_LEDGER("$1") " ORDER BY e.seq OFFSET 0) AS line";

// Of those that are pending, up to the first that has an open row: behind it nothing is older.
constexpr auto oldest_pending_sql = R"sql(
SELECT e.created_at FROM @event_log AS e
WHERE e.seq > greatest($2, )sql" SLUICE_FLOOR("$1") R"sql()
  AND e.seq < coalesce((SELECT min(seq) FROM @outbox_row AS o WHERE o.target_broker = $1
                        AND )sql" SLUICE_OPEN_STATUS("o.status") R"sql(), 9223372036854775807)
  AND e.targets & )sql" SLUICE_BIT("$1") R"sql( <> 0
  AND NOT EXISTS (SELECT FROM @outbox_row AS o WHERE o.target_broker = $1 AND o.seq = e.seq)
  AND NOT )sql" SLUICE_IN_LEDGER("$1") " ORDER BY e.seq LIMIT 1";

// Those of a broker's lanes that read it without a lock of their own must not be overtaken, so the leases are locked
// first, here as when a lane settles.
constexpr auto lock_leases_sql = "SELECT FROM @lease WHERE broker <> '' ORDER BY lane FOR UPDATE";

// The lanes begin again below the lowest row that is open anew.
constexpr auto retry_sql = R"sql(
WITH picked AS MATERIALIZED (
    {}
), changed AS (
    UPDATE @outbox_row AS o SET status = 'pending', retry_count = 0, next_retry_at = NULL, abandoned_at = NULL
    FROM picked WHERE o.target_broker = picked.target_broker AND o.seq = picked.seq
    RETURNING o.target_broker, o.seq
), first AS (
    SELECT target_broker, min(seq) AS seq, count(*) AS count FROM changed GROUP BY target_broker
), moved AS (
    UPDATE @lease AS held SET mark = least(held.mark, first.seq - 1), rescan = held.rescan + 1
    FROM first WHERE held.broker = first.target_broker
)
SELECT count, pg_notify(@sluice_channel(target_broker), 'rescan') FROM first)sql";

constexpr auto look_again_sql = R"sql(
WITH moved AS (
    UPDATE @lease AS held SET mark = least(held.mark, $2 - 1), rescan = held.rescan + 1 WHERE held.broker = $1
)
SELECT pg_notify(@sluice_channel($1), 'rescan'))sql";

constexpr auto discard_sql = R"sql(
WITH picked AS MATERIALIZED (
    {}
), changed AS (
    INSERT INTO @outbox_row AS o (target_broker, seq, message_id, stream, priority, status, last_error, abandoned_at)
    SELECT target_broker, seq, message_id, stream, priority, 'abandoned', $1::json, $2::timestamptz + )sql" SLUICE_SHIFT(
    "$3") R"sql( FROM picked
    ON CONFLICT (target_broker, seq) DO UPDATE SET status = 'abandoned', next_retry_at = NULL,
        last_error = excluded.last_error, abandoned_at = excluded.abandoned_at
    RETURNING o.target_broker
), counted AS (
    SELECT target_broker, count(*) AS count FROM changed GROUP BY target_broker
), moved AS (
    UPDATE @lease AS held SET rescan = held.rescan + 1 FROM counted WHERE held.broker = counted.target_broker
)
SELECT count, pg_notify(@sluice_channel(target_broker), 'rescan') FROM counted)sql";

}  // namespace

statement outbox_lines::sql(std::string_view text) const { return {"", in_schema(text, schema_)}; }

result outbox_lines::ask(std::string_view text, const parameters& with) const {
    exchange trip{db_};
    const auto place = trip.add(sql(text), with);
    trip.run();
    return trip.take(place);
}

result outbox_lines::ask_by_key(std::string_view text, const parameters& with) const {
    exchange trip{db_};
    trip.begin_snapshot();
    trip.add(sql(walk_keys_sql));
    const auto place = trip.add(sql(text), with);
    trip.run();
    return trip.take(place);
}

std::map<std::string, outbox_counts> outbox_lines::summary() const {
    const auto brokers = ask(brokers_sql);
    std::map<std::string, outbox_counts> all;
    for (int row = 0; row < brokers.rows(); ++row) {
        outbox_counts counts;
        count_rows(brokers.view(row, 0), brokers.integer(row, 1), counts);
        count_events(brokers.view(row, 0), brokers.integer(row, 1), counts);
        // A broker of which nothing is left is not shown, as if it had never been there.
        if (!counts.by_status.empty()) all.emplace(brokers.text(row, 0), std::move(counts));
    }
    return all;
}

std::vector<std::string> outbox_lines::brokers() const {
    const auto found = ask(brokers_sql);
    std::vector<std::string> names;
    names.reserve(static_cast<std::size_t>(found.rows()));
    for (int row = 0; row < found.rows(); ++row) names.push_back(found.text(row, 0));
    std::ranges::sort(names);
    return names;
}

/// At and below its mark a broker's rows are all settled: published, or abandoned, and those have an index.
void outbox_lines::count_rows(std::string_view broker, sequence low, outbox_counts& counts) const {
    exchange trip{db_};
    trip.begin_snapshot();
    trip.add(sql(walk_keys_sql));
    const auto above_place = trip.add(sql(rows_above_sql), parameters{broker, low});
    const auto below_place = trip.add(sql(rows_below_sql), parameters{broker, low, most_counted_rows + 1});
    trip.run();

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
        settled = std::max(settled, estimate_rows(broker, below.integer(0, 1), low));
        counts.published_is_estimated = true;
    }
    if (abandoned != 0) counts.by_status[row_status::abandoned] += abandoned;
    if (settled > abandoned) counts.by_status[row_status::published] += settled - abandoned;
}

void outbox_lines::count_events(std::string_view broker, sequence low, outbox_counts& counts) const {
    const auto extent = ask_by_key(extent_sql, parameters{broker, low});
    if (extent.rows() == 0) return;
    if (const auto listed = extent.integer(0, 0); listed > 0) counts.by_status[row_status::published] += listed;
    std::int64_t pending = 0;
    for (const auto& each : pending_ranges(extent.integer(0, 1), extent.integer(0, 2), extent.integer(0, 3))) {
        pending += count_pending(broker, each);
        counts.pending_is_estimated |= !is_counted(each);
    }
    if (pending <= 0 && !counts.pending_is_estimated) return;
    const auto oldest = ask(oldest_pending_sql, parameters{broker, low});
    // A sample may have missed the few that there are.
    if (oldest.rows() > 0) pending = std::max<std::int64_t>(pending, 1);
    if (pending > 0) counts.by_status[row_status::pending] += pending;
    if (oldest.rows() == 0) return;
    counts.oldest_open = std::min(counts.oldest_open.value_or(oldest.time(0, 0)), oldest.time(0, 0));
}

std::int64_t outbox_lines::count_pending(std::string_view broker, const number_range& range) const {
    if (is_counted(range)) {
        return ask_by_key(count_pending_sql, parameters{broker, range.after, range.upto}).integer(0, 0);
    }
    const auto sample = row_sample::over(range.after + 1, range.upto);
    return sample.estimate(ask_by_key(sample_pending_sql, parameters{broker, sample.first, sample.last, sample.step,
                                                                     row_sample::width, range.upto})
                               .integer(0, 0));
}

std::int64_t outbox_lines::estimate_rows(std::string_view broker, sequence from, sequence upto) const {
    const auto sample = row_sample::over(from, upto);
    return sample.estimate(
        ask_by_key(sample_sql, parameters{broker, sample.first, sample.last, sample.step, row_sample::width, upto})
            .integer(0, 0));
}

std::vector<outbox_row> outbox_lines::list(const outbox_filter& filter, bool is_stream) const {
    const line_query query{filter, is_stream, kinds::all, filter.oldest_first};
    const auto found = ask_by_key(query.lines(), query.with());
    std::vector<outbox_row> lines;
    lines.reserve(static_cast<std::size_t>(found.rows()));
    for (int row = 0; row < found.rows(); ++row) lines.push_back(read_line(found, row));
    return lines;
}

std::size_t outbox_lines::change(std::string_view text, const parameters& with) const {
    exchange trip{db_};
    trip.add(sql(lock_leases_sql));
    const auto place = trip.add(sql(text), with);
    trip.run();
    std::size_t count = 0;
    for (int row = 0; row < trip[place].rows(); ++row) count += static_cast<std::size_t>(trip[place].integer(row, 0));
    return count;
}

std::size_t outbox_lines::retry(const outbox_filter& filter, bool is_stream) const {
    if (filter.status && !wants(kinds::given_up, *filter.status)) return 0;
    const line_query query{filter, is_stream, kinds::given_up, true};
    return change(fmt::format(retry_sql, query.rows()), query.with());
}

std::size_t outbox_lines::discard(const outbox_filter& filter, bool is_stream, const discarding& how) const {
    if (filter.status && !wants(kinds::unpublished, *filter.status)) return 0;
    const line_query query{filter, is_stream, kinds::unpublished, true, parameters{how.error, how.at, how.our_time}};
    return change(fmt::format(discard_sql, query.lines()), query.with());
}

void outbox_lines::look_again(std::string_view broker, sequence from) const {
    exchange trip{db_};
    add_look_again(trip, broker, from);
    trip.run();
}

void outbox_lines::add_look_again(exchange& trip, std::string_view broker, sequence from) const {
    trip.add(sql(lock_leases_sql));
    trip.add(sql(look_again_sql), parameters{broker, from});
}

}  // namespace sluice::store::postgresql
