#include "store/postgresql/lane_sql.hpp"

#include "store/postgresql/backfill_sql.hpp"
#include "store/postgresql/history.hpp"
#include "store/postgresql/ledger_sql.hpp"
#include "store/postgresql/log_writers_sql.hpp"
#include "store/postgresql/migrations.hpp"
#include "store/postgresql/record_reader.hpp"
#include "store/postgresql/server_time.hpp"

namespace sluice::store::postgresql {
namespace {

#define SLUICE_COLUMNS_WITH(data, metadata)                                                              \
    "e.seq, coalesce(o.status, 'pending') AS status, coalesce(o.priority, e.priority) AS priority, "     \
    "coalesce(o.retry_count, 0) AS retry_count, o.next_retry_at, o.last_error, e.message_id, e.stream, " \
    "e.stream_category, e.type, " data " AS data, " metadata                                             \
    " AS metadata, e.created_at, o.seq IS NOT NULL AS has_row"
#define SLUICE_ROW_COLUMNS SLUICE_COLUMNS_WITH("e.data", "e.metadata")

#define SLUICE_ROW_NAMES                                                                                               \
    "seq, status, priority, retry_count, next_retry_at, last_error, message_id, stream, stream_category, type, data, " \
    "metadata, created_at, has_row"

#define SLUICE_BEFORE "OVER (ORDER BY seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)"

// Of `rows`, in ascending order, as many as their bytes let through, and always the first. What a value has when it is
// read is known by reading it only, so first those are left out that are too many by what they take on disk, which is
// less; and a small one is not read for its size.
#define SLUICE_SMALL "600"
#define SLUICE_BYTES(value)                                                                                          \
    "CASE WHEN pg_column_size(" value ") < " SLUICE_SMALL " THEN pg_column_size(" value ") ELSE octet_length(" value \
    "::text) END"
#define SLUICE_UP_TO_BYTES(rows, bytes)                                                                              \
    "SELECT " SLUICE_ROW_NAMES " FROM (SELECT *, sum(" SLUICE_BYTES("data") " + " SLUICE_BYTES(                      \
        "metadata") ") " SLUICE_BEFORE                                                                               \
                    " AS before FROM (SELECT *, sum(pg_column_size(data) + pg_column_size(metadata)) " SLUICE_BEFORE \
                    " AS before_on_disk FROM (" rows                                                                 \
                    ") AS r) AS s WHERE before_on_disk IS NULL OR before_on_disk < " bytes                           \
                    ") AS b WHERE before IS NULL OR before < " bytes

// An event that nothing is known of is open when it is meant for the broker.
#define SLUICE_OPEN_UNLESS(broker, listed)                                                                          \
    "CASE WHEN o.seq IS NULL THEN e.targets & " SLUICE_BIT(broker) " <> 0 AND e.seq > " SLUICE_FLOOR(broker) listed \
        " ELSE " SLUICE_OPEN_STATUS("o.status") " END"
#define SLUICE_OPEN_UNLISTED(broker) SLUICE_OPEN_UNLESS(broker, "")
#define SLUICE_OPEN(broker) SLUICE_OPEN_UNLESS(broker, " AND NOT " SLUICE_IN_LEDGER(broker))

#define SLUICE_TIME(now) "coalesce(" now ", clock_timestamp())"

// See lease_row::is_owned.
#define SLUICE_OWNED(expiry, now, ttl)                                                     \
    "(" expiry " > " SLUICE_TIME(now) " AND " expiry " <= " SLUICE_TIME(now) " + 2 * " ttl \
                                                                             " * interval '1 microsecond')"

// Those who stand by ask often and mostly in vain; reading takes no lock. What is in the way is the owner of the lane,
// or a lane of another layout, or an engine that has been chosen for it.
constexpr auto read_lease_sql = R"sql(
SELECT held.owner, held.epoch, other.lane, other.owner, held.mark, held.history,
       coalesce((SELECT max(seq) FROM @event_log), 0),
       coalesce((SELECT value FROM @sluice_meta WHERE key = 'incarnation'), '0'), heir.owner
FROM (SELECT 1) AS one
LEFT JOIN @lease AS held ON held.lane = $1
LEFT JOIN LATERAL (
    SELECT owner FROM @stand_by
    WHERE lane = $1 AND owner <> $3 AND heir_of <> 0 AND heir_of = held.epoch AND held.owner <> $3
      AND )sql" SLUICE_OWNED("expires_at", "$4", "$6") R"sql(
    LIMIT 1
) AS heir ON true
LEFT JOIN LATERAL (
    SELECT lane, owner FROM @lease
    WHERE (lane = $1 AND owner <> $3 OR broker = $2 AND broker <> '' AND lane <> ALL ($5::text[]))
      AND owner <> '' AND )sql" SLUICE_OWNED("expires_at", "$4", "$6") R"sql(
    ORDER BY lane <> $1, lane LIMIT 1
) AS other ON true)sql";

// One at a time for each broker, whether or not it has rows yet.
constexpr auto lock_layout_sql = "SELECT pg_advisory_xact_lock('@lease'::regclass::oid::integer, hashtext($1))";

// What lane_layout says, as one statement: when no lane of another layout is owned, those of this one take their place.
constexpr auto change_layout_sql = R"sql(
WITH other AS MATERIALIZED (
    SELECT lane, epoch, mark, rescan, former, owner <> '' AND )sql" SLUICE_OWNED("expires_at", "$3",
                                                                                 "$5") R"sql( AS owned
    FROM @lease WHERE broker = $1 AND broker <> '' AND lane <> ALL ($2::text[]) ORDER BY lane FOR UPDATE
), legacy AS MATERIALIZED (
    SELECT coalesce(min(mark), 0) AS mark, coalesce(max(epoch), 0) AS epoch, coalesce(max(rescan), 0) AS rescan,
           coalesce(bool_or(owned), false) AS owned
    FROM other
), retired AS (
    DELETE FROM @lease AS held USING other, legacy WHERE held.lane = other.lane AND NOT legacy.owned
)
INSERT INTO @lease (lane, broker, owner, epoch, expires_at, mark, rescan, former, state, since)
SELECT name, $1, '',
       greatest(legacy.epoch, (SELECT value::bigint FROM @sluice_meta WHERE key = 'incarnation')), $4, legacy.mark, legacy.rescan, former.names, 'idle', $4
FROM legacy, unnest($2::text[]) AS name,
     (SELECT coalesce(string_agg(DISTINCT one, ' '), '') AS names
      FROM other, unnest(string_to_array(other.lane || ' ' || other.former, ' ')) AS one
      WHERE one <> '' AND one <> ALL ($2::text[])) AS former
WHERE NOT legacy.owned
ON CONFLICT (lane) DO NOTHING)sql";

constexpr auto acquire_sql = R"sql(
UPDATE @lease AS held SET
    owner = $4, epoch = held.epoch + CASE WHEN held.owner = $4 THEN 0 ELSE 1 END,
    expires_at = )sql" SLUICE_TIME("$5") R"sql( + $6 * interval '1 microsecond',
    state = 'idle', since = $7, detail = '', published = 0, refused = 0, rate = 0, horizon = NULL, overtaken = 0,
    mark = least(held.mark, $8), history = $9
WHERE held.lane = $1 AND (held.owner IN ('', $4) OR NOT )sql" SLUICE_OWNED("held.expires_at", "$5", "$6") R"sql()
  AND NOT EXISTS (SELECT FROM @lease AS other
                  WHERE other.broker = $2 AND other.broker <> '' AND other.lane <> ALL ($3::text[]))
RETURNING epoch, mark, rescan, former)sql";

constexpr auto renew_sql = R"sql(
UPDATE @lease SET expires_at = coalesce($4, clock_timestamp()) + $5 * interval '1 microsecond',
    state = $6, detail = $7, published = $8, refused = $9, rate = $10, since = $11, horizon = nullif($12, 0),
    overtaken = $13
WHERE lane = $1 AND owner = $2 AND epoch = $3
RETURNING EXISTS (SELECT FROM @stand_by AS waits WHERE waits.lane = $1))sql";

// Those who stand by wait for this word.
constexpr auto release_sql = R"sql(
WITH released AS (
    UPDATE @lease SET owner = '', state = $4, detail = $5, published = $6, refused = $7, rate = $8, since = $9,
        horizon = NULL, overtaken = $10
    WHERE lane = $1 AND owner = $2 AND epoch = $3
    RETURNING broker
)
SELECT pg_notify(@sluice_channel(broker), 'released') FROM released)sql";

// Who died while standing by is forgotten by the next who does.
constexpr auto stand_by_sql = R"sql(
WITH ended AS MATERIALIZED (
    SELECT lane, owner FROM @stand_by
    WHERE expires_at <= )sql" SLUICE_TIME("$3") R"sql( AND (lane, owner) <> ($1, $2)
    ORDER BY lane, owner LIMIT 100 FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM @stand_by AS former USING ended WHERE former.lane = ended.lane AND former.owner = ended.owner
)
INSERT INTO @stand_by (lane, owner, expires_at)
VALUES ($1, $2, )sql" SLUICE_TIME("$3") R"sql( + $4 * interval '1 microsecond')
ON CONFLICT (lane, owner) DO UPDATE SET expires_at = excluded.expires_at)sql";

constexpr auto withdraw_sql = "DELETE FROM @stand_by WHERE lane = $1 AND owner = $2";

constexpr auto withdraw_owner_sql = R"sql(
DELETE FROM @stand_by
WHERE lane = $1 AND owner = $2 AND EXISTS (SELECT FROM @lease WHERE lane = $1 AND owner = $2))sql";

// Of whole lanes: who owns them, and who stands by for them.
constexpr auto shares_sql = R"sql(
SELECT lane, owner, NULL::boolean AS is_heir
FROM @lease WHERE broker <> '' AND owner <> '' AND )sql" SLUICE_OWNED("expires_at", "$1", "$2") R"sql(
UNION ALL
SELECT waits.lane, waits.owner, waits.heir_of <> 0 AND coalesce(waits.heir_of = held.epoch, false)
FROM @stand_by AS waits LEFT JOIN @lease AS held ON held.lane = waits.lane
WHERE )sql" SLUICE_OWNED("waits.expires_at", "$1", "$2");

// Who hangs in the middle of a choice loses his connection: the lanes of others shall not wait for him.
constexpr auto lock_shares_sql =
    "SELECT set_config('idle_in_transaction_session_timeout', '2000', true),"
    " pg_advisory_xact_lock('@stand_by'::regclass::oid::integer, 0)";

constexpr auto choose_heir_sql = R"sql(
UPDATE @stand_by SET heir_of = CASE WHEN owner = $4 THEN $3 ELSE 0 END
WHERE lane = $1 AND (owner = $4 OR heir_of <> 0)
  AND EXISTS (SELECT FROM @lease WHERE lane = $1 AND owner = $2 AND epoch = $3))sql";

// One snapshot for the numbers looked at, the lease and the rows, and one line at least. The log is scanned from the
// highest number looked at so far; no row above what was scanned is handed out, so none can hide below a row that was.
#define SLUICE_DUE(rows)                                                                 \
    "WITH scan AS MATERIALIZED ("                                                        \
    " SELECT seq, lag(seq, 1, $7) OVER (ORDER BY seq) AS previous"                       \
    " FROM (SELECT seq FROM @event_log WHERE seq > $7 ORDER BY seq LIMIT $8) AS ahead"   \
    "), head AS MATERIALIZED ("                                                          \
    " SELECT greatest(max(seq), $7) AS upto, count(*) AS scanned,"                       \
    " array_agg(previous + 1 ORDER BY seq) FILTER (WHERE seq > previous + 1) AS firsts," \
    " array_agg(seq - 1 ORDER BY seq) FILTER (WHERE seq > previous + 1) AS lasts"        \
    " FROM scan) "                                                                       \
    "SELECT head.upto, head.scanned, head.firsts, head.lasts,"                           \
    " coalesce(held.owner = $2 AND held.epoch = $3, false), held.rescan, held.mark,"     \
    " filling.position, filling.upto, filling.state = 'paused', d.*"                     \
    " FROM head"                                                                         \
    " LEFT JOIN @lease AS held ON held.lane = $1"                                        \
    " LEFT JOIN @outbox_backfill AS filling ON " SLUICE_OPEN_BACKFILL(                   \
        "filling", "$4") " LEFT JOIN LATERAL (" rows ") AS d ON held.owner = $2 AND held.epoch = $3"

// While a backfill goes on, what is newer waits for it. `least` passes over NULL.
#define SLUICE_LAST "least(head.upto, filling.position)"

// Above the end of the ledger nothing is listed: the log is walked once.
#define SLUICE_AHEAD "(SELECT * FROM @event_log WHERE seq > $5 AND seq <= " SLUICE_LAST " ORDER BY seq OFFSET 0) AS e "
// Below it, what is listed is left out before anything else is looked at.
#define SLUICE_BEHIND \
    "(SELECT seq FROM @event_log WHERE seq > $5 AND seq <= least(" SLUICE_LAST ", $12) EXCEPT " SLUICE_LISTED("$4", "$5",  \
                                                                                                    "$12") \
    " ORDER BY seq OFFSET 0) AS n CROSS JOIN LATERAL (SELECT * FROM @event_log AS log WHERE log.seq = n.seq OFFSET 0)" \
    " AS e "

#define SLUICE_DUE_ROWS(columns, events)                                                       \
    "SELECT " columns " FROM " events SLUICE_ROW_OF_EVENT("$4") "WHERE " SLUICE_OPEN_UNLISTED( \
        "$4") " AND " SLUICE_CARRIES("e.stream", "$9", "$10") " ORDER BY e.seq LIMIT $6"

// Weighing costs more than reading small rows does. So rows are read unweighed, without the values that are large; a
// batch ends where one is missing, and the next is weighed.
#define SLUICE_UNLESS_LARGE_THAN(value, bytes)                                                       \
    "CASE WHEN pg_column_size(" value ") < " bytes " AND (pg_column_size(" value ") < " SLUICE_SMALL \
    " OR octet_length(" value "::text) < " bytes ") THEN " value " END"
#define SLUICE_UNLESS_LARGE(value) SLUICE_UNLESS_LARGE_THAN(value, "$11")
#define SLUICE_LIGHT_COLUMNS SLUICE_COLUMNS_WITH(SLUICE_UNLESS_LARGE("e.data"), SLUICE_UNLESS_LARGE("e.metadata"))

constexpr auto due_sql = SLUICE_DUE(SLUICE_DUE_ROWS(SLUICE_LIGHT_COLUMNS, SLUICE_AHEAD));
constexpr auto due_by_weight_sql =
    SLUICE_DUE(SLUICE_UP_TO_BYTES(SLUICE_DUE_ROWS(SLUICE_ROW_COLUMNS, SLUICE_AHEAD), "$11"));
constexpr auto due_behind_sql = SLUICE_DUE(SLUICE_DUE_ROWS(SLUICE_LIGHT_COLUMNS, SLUICE_BEHIND));
constexpr auto due_behind_by_weight_sql =
    SLUICE_DUE(SLUICE_UP_TO_BYTES(SLUICE_DUE_ROWS(SLUICE_ROW_COLUMNS, SLUICE_BEHIND), "$11"));

// The same for a lane that has nearly caught up, of all streams: one short walk from its cursor, one line at least. The
// lane finds by itself which numbers are missing and what is not for it. Setting up the larger statement would cost
// more than reading the few rows that there are.
#define SLUICE_OPEN_AT_HEAD                                                                      \
    "CASE WHEN o.seq IS NULL THEN e.targets & (1::bigint << b.number) <> 0 AND e.seq > b.floor " \
    "ELSE " SLUICE_OPEN_STATUS("o.status") " END"
#define SLUICE_UNLESS_LARGE_AT_HEAD(value) \
    "CASE WHEN " SLUICE_OPEN_AT_HEAD " THEN " SLUICE_UNLESS_LARGE_THAN(value, "$7") " END"
constexpr auto due_at_head_sql =
    "SELECT coalesce(held.owner = $2 AND held.epoch = $3, false), held.rescan, held.mark,"
    " filling.position, filling.upto, filling.state = 'paused', coalesce(" SLUICE_OPEN_AT_HEAD ", false), "
    SLUICE_COLUMNS_WITH(SLUICE_UNLESS_LARGE_AT_HEAD("e.data"), SLUICE_UNLESS_LARGE_AT_HEAD("e.metadata"))
    " FROM (SELECT 1) AS one"
    " LEFT JOIN @lease AS held ON held.lane = $1"
    " LEFT JOIN @outbox_broker AS b ON b.name = $4"
    " LEFT JOIN @outbox_backfill AS filling ON " SLUICE_OPEN_BACKFILL("filling", "$4")
    " LEFT JOIN LATERAL (SELECT * FROM @event_log WHERE seq > $5 ORDER BY seq LIMIT $6) AS e"
    " ON held.owner = $2 AND held.epoch = $3 " SLUICE_ROW_OF_EVENT("$4") "ORDER BY e.seq";

// What has appeared in the gaps, with what is due of it where something is.
constexpr auto late_sql = R"sql(
SELECT head.oldest, d.*
FROM (SELECT pg_snapshot_xmin(pg_current_snapshot()) AS oldest) AS head
LEFT JOIN LATERAL (
    SELECT found_seq, )sql" SLUICE_ROW_NAMES R"sql(, offered
    FROM (
    SELECT *, sum()sql" SLUICE_BYTES("data") " + " SLUICE_BYTES("metadata") R"sql()
                  OVER (ORDER BY found_seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
    FROM (
    SELECT found.seq AS found_seq, r.*, count(*) OVER () AS offered
    FROM (SELECT log.seq FROM unnest($2::bigint[], $3::bigint[]) AS gap (first, last)
          CROSS JOIN LATERAL (SELECT seq FROM @event_log WHERE seq BETWEEN gap.first AND gap.last
                              ORDER BY seq LIMIT $4) AS log
          ORDER BY log.seq LIMIT $4) AS found
    LEFT JOIN LATERAL (
        SELECT )sql" SLUICE_ROW_COLUMNS R"sql(
        FROM (SELECT * FROM @event_log AS log WHERE log.seq = found.seq OFFSET 0) AS e
        )sql" SLUICE_ROW_OF_EVENT("$1") " WHERE " SLUICE_OPEN("$1") " AND " SLUICE_CARRIES("e.stream", "$5",
                                                                                           "$6") R"sql(
        OFFSET 0
    ) AS r ON true
    ) AS s
    ) AS b WHERE before IS NULL OR before < $7
    ORDER BY found_seq
) AS d ON true)sql";

// Within one stream, position and number rise together. The caller's limit is a row of the stream or stands right
// before one, which gives the position to begin at; otherwise the stream is walked from its beginning.
constexpr auto due_in_stream_sql = R"sql(
SELECT NULL::bigint, NULL::bigint, NULL::bigint[], NULL::bigint[],
       coalesce(held.owner = $2 AND held.epoch = $3, false), held.rescan, held.mark,
       NULL::bigint, NULL::bigint, NULL::boolean, d.*
FROM (SELECT coalesce(min(position), 0) AS position FROM @event_log
      WHERE seq IN ($6, $6 + 1) AND stream = $5) AS start
LEFT JOIN @lease AS held ON held.lane = $1
LEFT JOIN LATERAL (
    )sql" SLUICE_UP_TO_BYTES(R"sql(
    SELECT )sql" SLUICE_ROW_COLUMNS R"sql(
    FROM (SELECT * FROM @event_log AS log WHERE log.stream = $5 AND log.position >= start.position
          ORDER BY log.position OFFSET 0) AS e
    )sql" SLUICE_ROW_OF_EVENT("$4") "WHERE e.seq > $6 AND e.seq <= $7 AND " SLUICE_OPEN("$4") R"sql(
    ORDER BY e.position LIMIT $8)sql",
                             "$9") R"sql(
) AS d ON held.owner = $2 AND held.epoch = $3)sql";

// The lease's row is locked before any other, here and by operators; what follows sees what they have done until then.
constexpr auto fence_sql = "SELECT rescan FROM @lease WHERE lane = $1 AND owner = $2 AND epoch = $3 FOR UPDATE";

#define SLUICE_FENCE "@lease WHERE lane = $1 AND owner = $2 AND epoch = $3"

// What was discarded on its way and has been delivered all the same is delivered. A record that would lie below the end
// of its part ends the transaction: a settlement whose answer was lost has been written meanwhile.
constexpr auto add_record_sql = R"sql(
WITH fence AS MATERIALIZED (
    SELECT )sql" SLUICE_SHIFT("$14") " AS shift FROM " SLUICE_FENCE R"sql(
), b AS MATERIALIZED (
    SELECT number, CASE WHEN EXISTS (SELECT FROM @outbox_ledger AS l WHERE l.broker = x.number AND l.part = $5 AND l.upto > $6)
                        THEN @sluice_refuse()sql" SLUICE_LEDGER_MOVED R"sql() END AS refused
    FROM @outbox_broker AS x WHERE name = $4
), delivered AS (
    DELETE FROM @outbox_row AS o USING fence
    WHERE o.target_broker = $4 AND o.seq > $6 AND o.seq <= $7
      AND ($9::integer[] = '{}' OR (o.seq - $6)::integer = ANY ($9))
)
INSERT INTO @outbox_ledger (broker, part, after, upto, count, seqs, settled_at, times, owner, epoch, receipt_head, receipts)
SELECT b.number, $5, $6, $7, $8, nullif($9::integer[], '{}'), $10::timestamptz + fence.shift,
       nullif($11::integer[], '{}'), $2, $3, $12, $13
FROM fence, b WHERE b.refused IS NULL)sql";

// What a settlement whose answer was lost has listed is not written again, nor what was purged since. What was
// published stays so; a discarded row changes only when it turns out to have been published; a row whose budget an
// operator renewed meanwhile is left alone, also when this settlement was written before that and is repeated.
constexpr auto settle_sql = R"sql(
WITH fence AS MATERIALIZED (
    SELECT rescan <> $4 AS reopened, )sql" SLUICE_SHIFT("$14") " AS shift FROM " SLUICE_FENCE R"sql(
)
INSERT INTO @outbox_row AS o (target_broker, seq, message_id, stream, priority, status, retry_count, next_retry_at,
                              last_error, published_at, abandoned_at, receipt)
SELECT $5, s.seq, e.message_id, e.stream, e.priority, s.status, s.retry_count, s.next_retry_at, s.last_error::json,
       s.published_at + fence.shift, s.abandoned_at + fence.shift, s.receipt
FROM fence
CROSS JOIN unnest($6::bigint[], $7::text[], $8::integer[], $9::timestamptz[], $10::text[], $11::timestamptz[],
                  $12::timestamptz[], $13::text[])
     AS s (seq, status, retry_count, next_retry_at, last_error, published_at, abandoned_at, receipt)
CROSS JOIN LATERAL (SELECT seq, message_id, stream, priority FROM @event_log AS log WHERE log.seq = s.seq OFFSET 0) AS e
WHERE NOT )sql" SLUICE_IN_LEDGER("$5") R"sql(
  AND (s.seq > )sql" SLUICE_FLOOR("$5") R"sql(
       OR EXISTS (SELECT FROM @outbox_row AS there WHERE there.target_broker = $5 AND there.seq = s.seq))
ON CONFLICT (target_broker, seq) DO UPDATE SET
    status = excluded.status, retry_count = excluded.retry_count, next_retry_at = excluded.next_retry_at,
    last_error = excluded.last_error, published_at = excluded.published_at, abandoned_at = excluded.abandoned_at,
    receipt = excluded.receipt
WHERE o.status <> 'published'
  AND (excluded.status = 'published'
       OR (o.status <> 'abandoned'
           AND ((SELECT NOT reopened FROM fence)
                OR (o.status <> 'pending' AND o.retry_count >= excluded.retry_count - 1)))))sql";

constexpr auto records_sql = "SELECT " SLUICE_RECORD_COLUMNS R"sql(, r.owner, r.epoch
FROM (SELECT mark FROM )sql" SLUICE_FENCE R"sql() AS held
CROSS JOIN @outbox_broker AS b
CROSS JOIN LATERAL (SELECT * FROM @outbox_ledger AS l WHERE l.broker = b.number AND l.part = $5 AND l.upto > $6
                    AND l.upto <= held.mark ORDER BY l.upto LIMIT $7) AS r
WHERE b.name = $4 ORDER BY r.upto)sql";

constexpr auto remove_records_sql = R"sql(
DELETE FROM @outbox_ledger AS l USING @outbox_broker AS b
WHERE b.name = $4 AND l.broker = b.number AND l.part = $5 AND l.upto > $6 AND l.upto <= $7
  AND EXISTS (SELECT FROM )sql" SLUICE_FENCE ")";

constexpr auto write_record_sql = R"sql(
INSERT INTO @outbox_ledger (broker, part, after, upto, count, seqs, settled_at, times, receipt_head, receipts, owner,
                            epoch)
SELECT b.number, $5, $6, $7, $8, nullif($9::integer[], '{}'), $10, nullif($11::integer[], '{}'), $12, $13, $14, $15
FROM @outbox_broker AS b WHERE b.name = $4 AND EXISTS (SELECT FROM )sql" SLUICE_FENCE ")";

// What lies behind the end of the log is about another one, whose events had these numbers.
constexpr auto trim_ledger_sql = R"sql(
DELETE FROM @outbox_ledger AS l USING @outbox_broker AS b
WHERE b.name = $1 AND l.broker = b.number AND l.part = ANY (b.parts)
  AND l.upto > (SELECT coalesce(max(seq), 0) FROM @event_log))sql";

// Where the ledger ends, for all parts and for one.
constexpr auto ledger_end_sql = R"sql(
SELECT $2 = ANY (b.parts),
       coalesce((SELECT max(last.upto) FROM unnest(b.parts) AS p (part) CROSS JOIN LATERAL (
                     SELECT upto FROM @outbox_ledger AS l WHERE l.broker = b.number AND l.part = p.part
                     ORDER BY upto DESC LIMIT 1) AS last), 0),
       coalesce((SELECT upto FROM @outbox_ledger AS l WHERE l.broker = b.number AND l.part = $2
                 ORDER BY upto DESC LIMIT 1), 0)
FROM @outbox_broker AS b WHERE b.name = $1)sql";

// Of the lane's own part; the first lane takes those of former layouts as well. Not above the lowest mark of all lanes.
// The floor keeps what was listed there from looking as if it were pending; what is listed still stays so. A time that
// has not come yet says nothing: such a record is passed.
constexpr auto purge_ledger_sql = R"sql(
WITH fence AS MATERIALIZED (
    SELECT )sql" SLUICE_SHIFT("$7") R"sql( AS shift,
           CASE WHEN $7::timestamptz IS NULL THEN 'infinity' ELSE statement_timestamp() END AS now
    FROM )sql" SLUICE_FENCE R"sql( FOR UPDATE
), b AS MATERIALIZED (
    SELECT x.number, x.parts, fence.now, $5::timestamptz + fence.shift AS cut,
           (SELECT min(mark) FROM @lease AS held WHERE held.broker = $4) AS low
    FROM fence CROSS JOIN @outbox_broker AS x WHERE x.name = $4 FOR NO KEY UPDATE OF x
), page AS MATERIALIZED (
    SELECT r.part, r.upto, r.count, sum(r.count) OVER (ORDER BY r.upto) - r.count AS before
    FROM b JOIN LATERAL unnest(b.parts) AS p (part) ON p.part = $8 OR ($8 % 100 = 1 AND p.part / 100 <> $8 / 100)
    CROSS JOIN LATERAL (SELECT part, upto, count, settled_at FROM @outbox_ledger AS l
                        WHERE l.broker = b.number AND l.part = p.part AND l.upto <= b.low AND l.settled_at <= b.now
                        ORDER BY l.upto LIMIT $6) AS r
    WHERE r.settled_at < b.cut
), doomed AS MATERIALIZED (
    SELECT part, upto, count FROM page WHERE before < $6
), gone AS (
    DELETE FROM @outbox_ledger AS l USING b, doomed
    WHERE l.broker = b.number AND l.part = doomed.part AND l.upto = doomed.upto
), raised AS (
    UPDATE @outbox_broker AS x SET floor = greatest(x.floor, total.upto), confirmed = x.confirmed + total.count
    FROM b, (SELECT max(upto) AS upto, sum(count) AS count FROM doomed) AS total
    WHERE x.number = b.number AND total.count > 0
)
SELECT coalesce(sum(count), 0)::bigint FROM doomed)sql";

constexpr auto raise_mark_sql = R"sql(
UPDATE @lease SET mark = $5
WHERE lane = $1 AND owner = $2 AND epoch = $3 AND rescan = $4 AND mark < $5)sql";

// Not above the lowest mark of the broker's lanes; and the floor keeps an event whose row is gone from looking as if it
// were pending. What was written and settled after the later cut has nothing old behind it, so the walk ends there. A
// time that has not come yet says nothing: such a row is passed.
constexpr auto purge_sql = R"sql(
WITH fence AS MATERIALIZED (
    SELECT mark FROM @lease WHERE lane = $1 AND owner = $2 AND epoch = $3 FOR UPDATE
), low AS MATERIALIZED (
    SELECT min(held.mark) AS mark FROM fence CROSS JOIN @lease AS held WHERE held.broker = $4
), cut AS MATERIALIZED (
    SELECT $5::timestamptz + shift AS published, $6::timestamptz + shift AS abandoned,
           greatest($5, $6)::timestamptz + shift AS later,
           CASE WHEN $12::timestamptz IS NULL THEN 'infinity' ELSE statement_timestamp() END AS now
    FROM (SELECT )sql" SLUICE_SHIFT("$12") R"sql( AS shift) AS clock
), page AS MATERIALIZED (
    SELECT o.seq, ((o.status = 'published' AND o.published_at < cut.published) OR
                   (o.status = 'abandoned' AND o.abandoned_at < cut.abandoned))
                  AND )sql" SLUICE_CARRIES("o.stream", "$10", "$11") R"sql( AS expired,
           (e.created_at >= cut.later AND e.created_at <= cut.now
            AND coalesce(o.published_at, o.abandoned_at) >= cut.later
            AND coalesce(o.published_at, o.abandoned_at) <= cut.now) AS young
    FROM low
    CROSS JOIN cut
    CROSS JOIN LATERAL (SELECT seq, stream, status, published_at, abandoned_at FROM @outbox_row
                        WHERE target_broker = $4 AND seq > $7 AND seq <= low.mark ORDER BY seq LIMIT $8) AS o
    CROSS JOIN LATERAL (SELECT created_at FROM @event_log AS log WHERE log.seq = o.seq OFFSET 0) AS e
), walked AS MATERIALIZED (
    SELECT seq, expired FROM page
    WHERE seq < coalesce((SELECT min(seq) FROM page WHERE young), 9223372036854775807)
), doomed AS MATERIALIZED (
    SELECT seq FROM walked WHERE expired ORDER BY seq LIMIT $9
), gone AS (
    DELETE FROM @outbox_row AS o USING doomed WHERE o.target_broker = $4 AND o.seq = doomed.seq
      AND o.status IN ('published', 'abandoned')
), raised AS (
    UPDATE @outbox_broker AS b SET floor = total.upto FROM (SELECT max(seq) AS upto FROM doomed) AS total
    WHERE b.name = $4 AND b.floor < total.upto
)
SELECT (SELECT count(*) FROM doomed), (SELECT max(seq) FROM doomed), (SELECT count(*) FROM walked),
       (SELECT max(seq) FROM walked))sql";

// The question about the transactions that it waits for is dear, and asked at its beginning only.
constexpr auto open_backfill_sql = R"sql(
SELECT f.number, f.position, f.state = 'running', f.rate, f.paced_at, f.writers <> '{}',
       CASE WHEN f.writers <> '{}'
            THEN EXISTS (SELECT FROM pg_locks AS held WHERE )sql" SLUICE_WRITES_TO_LOG("held") R"sql(
                         AND held.virtualtransaction = ANY (f.writers))
            ELSE false END,
       (SELECT count(*) FROM (SELECT FROM @outbox_row AS o WHERE o.target_broker = $1
                              AND )sql" SLUICE_OPEN_STATUS("o.status") R"sql( ORDER BY o.seq LIMIT $2) AS open)
FROM @outbox_backfill AS f WHERE )sql" SLUICE_OPEN_BACKFILL("f", "$1");

// Those who did not know of the broker have ended: what they have written lies below the end of the log.
constexpr auto end_backfill_wait_sql = R"sql(
UPDATE @outbox_backfill SET writers = '{}', upto = greatest(upto, (SELECT coalesce(max(seq), 0) FROM @event_log))
WHERE number = $4 AND EXISTS (SELECT FROM )sql" SLUICE_FENCE ")";

// Another lane of the broker may have moved it meanwhile: then nothing happens.
constexpr auto give_backfill_sql = R"sql(
WITH f AS MATERIALIZED (
    SELECT b.* FROM @outbox_backfill AS b
    WHERE b.number = $4 AND b.position = $5 AND b.state = 'running' AND EXISTS (SELECT FROM )sql" SLUICE_FENCE R"sql()
    FOR NO KEY UPDATE
), page AS MATERIALIZED (
    SELECT e.*, f.types, f.streams
    FROM f CROSS JOIN LATERAL (SELECT seq, message_id, stream, stream_category, type, priority, targets
                               FROM @event_log AS log WHERE log.seq > f.position AND log.seq <= f.upto
                               ORDER BY log.seq LIMIT $6) AS e
), chosen AS MATERIALIZED (
    SELECT seq, message_id, stream, priority FROM page AS e
    WHERE )sql" SLUICE_ORDERED("e.types", "e.streams") " AND " SLUICE_UNKNOWN_TO("$7") R"sql( ORDER BY seq LIMIT $8
), given AS (
    INSERT INTO @outbox_row (target_broker, seq, message_id, stream, status, priority)
    SELECT $7, seq, message_id, stream, 'pending', priority FROM chosen ON CONFLICT DO NOTHING
), reached AS MATERIALIZED (
    SELECT (SELECT count(*) FROM chosen) AS count,
           CASE WHEN (SELECT count(*) FROM chosen) = $8 THEN (SELECT max(seq) FROM chosen)
                WHEN (SELECT count(*) FROM page) = $6 THEN (SELECT max(seq) FROM page)
                ELSE f.upto END AS position
    FROM f
)
UPDATE @outbox_backfill AS b SET position = reached.position, given = b.given + reached.count,
    paced_at = $10::timestamptz + reached.count * $11 * interval '1 microsecond',
    state = CASE WHEN reached.position = b.upto THEN 'done' ELSE b.state END,
    ended_at = CASE WHEN reached.position = b.upto THEN $9::timestamptz END
FROM reached WHERE b.number = $4)sql";

// Who writes to the log holds this lock from before the number is drawn to the end of the transaction. A prepared
// transaction has no process and does nothing any more; what another user's process does may be hidden. The sequence is
// read last: what is drawn later than that has a higher number. Who may not read it learns nothing of idle ones.
constexpr auto writers_sql = R"sql(
WITH holding AS MATERIALIZED (
    SELECT DISTINCT held.virtualtransaction AS name,
           CASE WHEN held.pid IS NULL THEN 'prepared'
                WHEN session.state IN ('idle in transaction', 'idle in transaction (aborted)')
                THEN extract(epoch FROM session.state_change)::text ELSE '' END AS idle_since
    FROM pg_locks AS held LEFT JOIN pg_stat_activity AS session ON session.pid = held.pid
    WHERE )sql" SLUICE_WRITES_TO_LOG("held") R"sql(
), all_of_them AS MATERIALIZED (
    SELECT coalesce(array_agg(name), '{}') AS names, coalesce(array_agg(idle_since), '{}') AS idle FROM holding
)
SELECT names, idle, coalesce(CASE WHEN has_sequence_privilege(numbers, 'USAGE, SELECT')
                             THEN pg_sequence_last_value(numbers::regclass) END, 9223372036854775807)
FROM all_of_them, pg_get_serial_sequence('@event_log', 'seq') AS numbers)sql";

constexpr auto fall_asleep_sql = "SELECT pg_try_advisory_lock('@outbox'::regclass::oid::integer, hashtext($1))";
constexpr auto wake_up_sql = "SELECT pg_advisory_unlock('@outbox'::regclass::oid::integer, hashtext($1))";

constexpr auto look_sql = R"sql(
SELECT (SELECT max(seq) FROM @event_log), held.owner, held.epoch, held.rescan
FROM (SELECT 1) AS one LEFT JOIN @lease AS held ON held.lane = $1)sql";

// The end of the log, and the event of one number.
constexpr auto witness_sql = R"sql(
SELECT coalesce((SELECT max(seq) FROM @event_log), 0), log.message_id, log.created_at
FROM (SELECT 1) AS one LEFT JOIN @event_log AS log ON log.seq = $1)sql";

// 0 stands for a standby, which has none of its own.
constexpr auto require_timeline_sql = R"sql(
SELECT CASE WHEN now.timeline IS DISTINCT FROM $1 THEN @sluice_refuse(coalesce(now.timeline, '0')::bigint) END
FROM (SELECT )sql";
constexpr auto end_of_require_timeline_sql = " AS timeline) AS now";

}  // namespace

lane_statements::lane_statements(const std::string& schema)
    : read_lease{"sluice_read_lease", in_schema(read_lease_sql, schema)},
      lock_layout{"sluice_lock_layout", in_schema(lock_layout_sql, schema)},
      change_layout{"sluice_change_layout", in_schema(change_layout_sql, schema)},
      acquire{"sluice_acquire", in_schema(acquire_sql, schema)},
      renew{"sluice_renew", in_schema(renew_sql, schema)},
      release{"sluice_release", in_schema(release_sql, schema)},
      stand_by{"sluice_stand_by", in_schema(stand_by_sql, schema)},
      withdraw{"sluice_withdraw", in_schema(withdraw_sql, schema)},
      withdraw_owner{"sluice_withdraw_owner", in_schema(withdraw_owner_sql, schema)},
      shares{"sluice_shares", in_schema(shares_sql, schema)},
      lock_shares{"sluice_lock_shares", in_schema(lock_shares_sql, schema)},
      choose_heir{"sluice_choose_heir", in_schema(choose_heir_sql, schema)},
      due{"sluice_due", in_schema(due_sql, schema)},
      due_by_weight{"sluice_due_by_weight", in_schema(due_by_weight_sql, schema)},
      due_behind{"sluice_due_behind", in_schema(due_behind_sql, schema)},
      due_behind_by_weight{"sluice_due_behind_by_weight", in_schema(due_behind_by_weight_sql, schema)},
      due_at_head{"sluice_due_at_head", in_schema(due_at_head_sql, schema)},
      late{"sluice_late", in_schema(late_sql, schema)},
      due_in_stream{"sluice_due_in_stream", in_schema(due_in_stream_sql, schema)},
      fence{"sluice_fence", in_schema(fence_sql, schema)},
      list{"sluice_list", in_schema(add_record_sql, schema)},
      settle{"sluice_settle", in_schema(settle_sql, schema)},
      records{"sluice_records", in_schema(records_sql, schema)},
      remove_records{"sluice_remove_records", in_schema(remove_records_sql, schema)},
      write_record{"sluice_write_record", in_schema(write_record_sql, schema)},
      trim_ledger{"sluice_trim_ledger", in_schema(trim_ledger_sql, schema)},
      ledger_end{"sluice_ledger_end", in_schema(ledger_end_sql, schema)},
      raise_mark{"sluice_raise_mark", in_schema(raise_mark_sql, schema)},
      purge{"sluice_purge", in_schema(purge_sql, schema)},
      purge_ledger{"sluice_purge_ledger", in_schema(purge_ledger_sql, schema)},
      open_backfill{"sluice_open_backfill", in_schema(open_backfill_sql, schema)},
      end_backfill_wait{"sluice_end_backfill_wait", in_schema(end_backfill_wait_sql, schema)},
      give_backfill{"sluice_give_backfill", in_schema(give_backfill_sql, schema)},
      next_transaction{"sluice_transaction", "SELECT pg_current_xact_id()"},
      writers{"sluice_writers", in_schema(writers_sql, schema)},
      channel{"", in_schema("SELECT @sluice_channel($1)", schema)},
      fall_asleep{"sluice_fall_asleep", in_schema(fall_asleep_sql, schema)},
      wake_up{"sluice_wake_up", in_schema(wake_up_sql, schema)},
      look{"sluice_look", in_schema(look_sql, schema)},
      witness{"sluice_witness", in_schema(witness_sql, schema)},
      require_timeline{
          "sluice_require_timeline",
          in_schema(std::string{require_timeline_sql} + timeline_sql + end_of_require_timeline_sql, schema)} {}

}  // namespace sluice::store::postgresql
