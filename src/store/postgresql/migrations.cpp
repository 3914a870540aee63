#include "store/postgresql/migrations.hpp"

#include <fmt/format.h>

#include <array>
#include <span>

#include <sluice/error.hpp>

#include "store/postgresql/exchange.hpp"
#include "store/postgresql/failure.hpp"
#include "store/postgresql/ledger_sql.hpp"
#include "store/postgresql/long_transaction.hpp"

namespace sluice::store::postgresql {
namespace {

struct migration {
    int number;
    const char* name;
    std::span<const char* const> statements;
};

// Texts are compared byte by byte, as everywhere else in Sluice.
constexpr std::array first_tables{
    "CREATE TABLE @sluice_meta (key text COLLATE \"C\" PRIMARY KEY, value text NOT NULL)",

    "INSERT INTO @sluice_meta (key, value) VALUES ('identity', replace(gen_random_uuid()::text, '-', ''))",

    // The sequence must hand out numbers one by one: a session that kept some for later would break their order.
    R"sql(
CREATE TABLE @event_log (
    seq             bigint GENERATED ALWAYS AS IDENTITY (CACHE 1) PRIMARY KEY,
    message_id      text COLLATE "C" NOT NULL CONSTRAINT event_log_message_id UNIQUE,
    stream          text COLLATE "C" NOT NULL,
    stream_category text COLLATE "C" NOT NULL,
    position        bigint NOT NULL,
    type            text COLLATE "C" NOT NULL,
    created_at      timestamptz NOT NULL,
    data            json NOT NULL,
    metadata        json NOT NULL,
    CONSTRAINT event_log_position UNIQUE (stream, position)
))sql",

    // No index knows the status: a lane walks its own key upwards from its mark, and settling a row touches no index
    // (a HOT update), for which each page keeps room.
    R"sql(
CREATE TABLE @outbox (
    target_broker text COLLATE "C" NOT NULL,
    seq           bigint NOT NULL,
    message_id    text COLLATE "C" NOT NULL,
    stream        text COLLATE "C" NOT NULL,
    status        text COLLATE "C" NOT NULL DEFAULT 'pending'
                  CHECK (status IN ('pending', 'processing', 'published', 'failed', 'abandoned')),
    priority      integer NOT NULL DEFAULT 0,
    retry_count   integer NOT NULL DEFAULT 0,
    next_retry_at timestamptz,
    last_error    json,
    published_at  timestamptz,
    abandoned_at  timestamptz,
    receipt       text,
    PRIMARY KEY (target_broker, seq),
    CONSTRAINT outbox_message_id UNIQUE (message_id, target_broker)
) WITH (fillfactor = 45))sql",

    // Rows given up are few and asked for often. Publishing does not change abandoned_at, so it stays a HOT update.
    "CREATE INDEX outbox_abandoned ON @outbox (target_broker, seq) WHERE abandoned_at IS NOT NULL",

    R"sql(
CREATE TABLE @lease (
    lane       text COLLATE "C" PRIMARY KEY,
    broker     text COLLATE "C" NOT NULL,
    owner      text COLLATE "C" NOT NULL,
    epoch      bigint NOT NULL,
    expires_at timestamptz NOT NULL,
    mark       bigint NOT NULL DEFAULT 0,
    horizon    bigint,
    rescan     bigint NOT NULL DEFAULT 0,
    state      text NOT NULL,
    detail     text NOT NULL DEFAULT '',
    published  bigint NOT NULL DEFAULT 0,
    refused    bigint NOT NULL DEFAULT 0,
    rate       double precision NOT NULL DEFAULT 0,
    since      timestamptz NOT NULL
) WITH (fillfactor = 10))sql",

    R"sql(
CREATE TABLE @inbox (
    message_id   text COLLATE "C" NOT NULL,
    handler      text COLLATE "C" NOT NULL,
    processed_at timestamptz NOT NULL,
    CONSTRAINT inbox_mark PRIMARY KEY (message_id, handler)
))sql",

    "CREATE INDEX inbox_processed_at ON @inbox (processed_at)",

    R"sql(
CREATE TABLE @aggregate_state (
    aggregate text COLLATE "C" NOT NULL,
    id        text COLLATE "C" NOT NULL,
    version   bigint NOT NULL,
    state     json NOT NULL,
    PRIMARY KEY (aggregate, id)
) WITH (fillfactor = 80))sql",

    // A lane's owner that sleeps holds a lock named so, and is notified on a channel named so.
    R"sql(
CREATE FUNCTION @sluice_channel(broker text) RETURNS text LANGUAGE sql STABLE
AS $body$ SELECT format('sluice_%s_%s', '@outbox'::regclass::oid, hashtext(broker)) $body$)sql",

    // Lets a statement that finds the world not as expected end its transaction.
    R"sql(
CREATE FUNCTION @sluice_refuse(actual bigint) RETURNS void LANGUAGE plpgsql
AS $body$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'SL001', MESSAGE = 'not as expected', DETAIL = actual::text;
END
$body$)sql"};

// Who may still publish, under names that no lane has any more.
constexpr std::array former_lanes{R"sql(ALTER TABLE @lease ADD COLUMN former text COLLATE "C" NOT NULL DEFAULT '')sql"};

constexpr std::array inside{
    R"sql(
CREATE TABLE @snapshot (
    aggregate text COLLATE "C" NOT NULL,
    id        text COLLATE "C" NOT NULL,
    version   bigint NOT NULL,
    layout    text COLLATE "C" NOT NULL,
    state     json NOT NULL,
    PRIMARY KEY (aggregate, id)
) WITH (fillfactor = 80))sql",

    R"sql(
CREATE TABLE @command_outcome (
    key         text COLLATE "C" PRIMARY KEY,
    command     text COLLATE "C" NOT NULL,
    fingerprint text COLLATE "C" NOT NULL,
    succeeded   boolean NOT NULL,
    expires_at  timestamptz NOT NULL,
    content     json NOT NULL
))sql",

    "CREATE INDEX command_outcome_expires_at ON @command_outcome (expires_at)",

    R"sql(
CREATE TABLE @scheduled (
    id                text COLLATE "C" PRIMARY KEY,
    due_at            timestamptz NOT NULL,
    message_id        text COLLATE "C" NOT NULL,
    stream            text COLLATE "C" NOT NULL,
    stream_category   text COLLATE "C" NOT NULL,
    type              text COLLATE "C" NOT NULL,
    created_at        timestamptz NOT NULL,
    priority          integer NOT NULL,
    target_brokers    json NOT NULL,
    expected_position bigint,
    data              json NOT NULL,
    metadata          json NOT NULL
))sql",

    "CREATE INDEX scheduled_due_at ON @scheduled (due_at, id)"};

// One row for each read model: which of its tables counts, and how far a rebuild of it is.
constexpr std::array read_models{R"sql(
CREATE TABLE @projection (
    name               text COLLATE "C" PRIMARY KEY,
    generation         bigint NOT NULL,
    last_generation    bigint NOT NULL,
    layout             text COLLATE "C" NOT NULL,
    built              boolean NOT NULL,
    floor              bigint NOT NULL,
    rebuilt_at         timestamptz,
    rebuild_generation bigint,
    rebuild_layout     text COLLATE "C",
    rebuild_position   bigint,
    rebuild_started_at timestamptz,
    rebuild_updated_at timestamptz
) WITH (fillfactor = 10))sql"};

// A mark knows which of the messages of one id it stands for. What was marked before knows none: it stands for any.
constexpr std::array inbox_content{"ALTER TABLE @inbox ADD COLUMN content text COLLATE \"C\" NOT NULL DEFAULT ''",

                                   "ALTER TABLE @inbox DROP CONSTRAINT inbox_mark,"
                                   " ADD CONSTRAINT inbox_mark PRIMARY KEY (message_id, handler, content)"};

// Which history of the database the lane's last owner knew.
constexpr std::array lane_history{"ALTER TABLE @lease ADD COLUMN history text NOT NULL DEFAULT ''"};

// How often a lane went past a number whose transaction took long.
constexpr std::array overtaken_rows{"ALTER TABLE @lease ADD COLUMN overtaken bigint NOT NULL DEFAULT 0"};

// A read model belongs to the group that feeds it, whatever the projector is called.
constexpr std::array readers{R"sql(
ALTER TABLE @projection ADD COLUMN reader text COLLATE "C" NOT NULL DEFAULT '')sql"};

// Messages that failed, of brokers that keep none. A key has one first message among those that wait; the others are
// behind it, however many, and are not looked at.
constexpr std::array kept_messages{R"sql(
CREATE TABLE @kept_message (
    number         bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    broker         text COLLATE "C" NOT NULL,
    stream         text COLLATE "C" NOT NULL,
    consumer_group text COLLATE "C" NOT NULL,
    entry          text COLLATE "C" NOT NULL,
    key            text COLLATE "C",
    body           bytea NOT NULL,
    head           text NOT NULL,
    content_type   text NOT NULL,
    attempts       integer NOT NULL,
    not_before     timestamptz,
    reason         text NOT NULL,
    code           text NOT NULL,
    consumer       text NOT NULL,
    dead_since     timestamptz,
    behind         boolean NOT NULL,
    claimed_by     text COLLATE "C",
    claimed_until  timestamptz,
    CONSTRAINT kept_message_entry UNIQUE (broker, stream, consumer_group, entry)
))sql",

                                   "CREATE INDEX kept_message_first ON @kept_message"
                                   " (broker, stream, consumer_group, number) WHERE dead_since IS NULL AND NOT behind",

                                   "CREATE INDEX kept_message_key ON @kept_message"
                                   " (broker, stream, consumer_group, key, number) WHERE dead_since IS NULL",

                                   "CREATE INDEX kept_message_dead ON @kept_message"
                                   " (broker, number) WHERE dead_since IS NOT NULL"};

// Who waits for a lane, so that those who have more than their share give some away. What a lease is about stays in the
// lease.
constexpr std::array stand_bys{R"sql(
CREATE TABLE @stand_by (
    lane       text COLLATE "C" NOT NULL,
    owner      text COLLATE "C" NOT NULL,
    expires_at timestamptz NOT NULL,
    heir_of    bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (lane, owner)
) WITH (fillfactor = 50))sql"};

// An event knows the brokers that it goes to. The ledger of a lane knows which of them it has reached; a row is written
// for what takes another course. `outbox` shows the whole: one line for each event and broker. A build of before goes
// on writing its rows through it. Its lanes are to have ended: they can publish and not settle.
constexpr std::array store_once{
    // First, as operators' changes lock the leases first.
    "UPDATE @lease SET owner = '', epoch = epoch + 1, detail = 'the storage has changed' WHERE broker <> ''",

    R"sql(
CREATE TABLE @outbox_broker (
    number    smallint CONSTRAINT broker_number PRIMARY KEY CONSTRAINT broker_numbers CHECK (number BETWEEN 0 AND 62),
    name      text COLLATE "C" NOT NULL CONSTRAINT broker_name UNIQUE,
    parts     integer[] NOT NULL DEFAULT '{}',
    floor     bigint NOT NULL DEFAULT 0,
    confirmed bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50))sql",

    R"sql(
CREATE TABLE @outbox_ledger (
    broker       smallint NOT NULL,
    part         integer NOT NULL,
    after        bigint NOT NULL,
    upto         bigint NOT NULL,
    count        integer NOT NULL CHECK (count > 0),
    seqs         integer[],
    settled_at   timestamptz NOT NULL,
    times        integer[],
    owner        text COLLATE "C" NOT NULL,
    epoch        bigint NOT NULL,
    receipt_head text NOT NULL DEFAULT '',
    receipts     text,
    PRIMARY KEY (broker, part, upto),
    CHECK (after < upto)
))sql",

    R"sql(
ALTER TABLE @event_log ADD COLUMN targets bigint NOT NULL DEFAULT 0, ADD COLUMN priority integer NOT NULL DEFAULT 0
)sql",

    R"sql(
INSERT INTO @outbox_broker (number, name, floor)
WITH RECURSIVE found (name) AS (
    (SELECT target_broker FROM @outbox ORDER BY target_broker LIMIT 1)
    UNION ALL
    SELECT (SELECT o.target_broker FROM @outbox AS o WHERE o.target_broker > found.name
            ORDER BY o.target_broker LIMIT 1)
    FROM found WHERE found.name IS NOT NULL
)
SELECT row_number() OVER (ORDER BY name) - 1, name, coalesce((SELECT max(seq) FROM @event_log), 0)
FROM found WHERE name IS NOT NULL)sql",

    "ALTER TABLE @outbox RENAME TO outbox_row",

    // Its key finds a row by its event. An index that begins with something else would, while the table is nearly
    // empty, look as good to the planner, and be walked from end to end when it is not.
    "ALTER TABLE @outbox_row SET (fillfactor = 70), DROP CONSTRAINT outbox_message_id",

    "CREATE INDEX outbox_row_open ON @outbox_row (target_broker, seq)"
    " WHERE " SLUICE_OPEN_STATUS("status"),

    // Each leg names its status, so that a question for one status asks no leg of another. The limit tells the planner
    // how few brokers there are, also before it has statistics.
    R"sql(
CREATE VIEW @outbox AS
SELECT o.target_broker, o.seq, e.message_id, o.stream, o.status, o.priority, o.retry_count, o.next_retry_at,
       o.last_error, o.published_at, o.abandoned_at, o.receipt
FROM @event_log AS e
CROSS JOIN (SELECT name FROM @outbox_broker LIMIT 63) AS b
JOIN @outbox_row AS o ON o.target_broker = b.name AND o.seq = e.seq
UNION ALL
SELECT b.name, e.seq, e.message_id, e.stream, 'published'::text COLLATE "C", e.priority, 0, NULL, NULL,
       line.published_at, NULL, line.receipt
FROM @event_log AS e
JOIN @outbox_broker AS b ON e.targets & (1::bigint << b.number) <> 0
CROSS JOIN )sql" SLUICE_LEDGER_LINE R"sql( AS line
UNION ALL
SELECT b.name, e.seq, e.message_id, e.stream, 'pending'::text COLLATE "C", e.priority, 0, NULL, NULL, NULL, NULL, NULL
FROM @outbox_broker AS b
CROSS JOIN LATERAL (SELECT greatest(b.floor, coalesce((SELECT min(mark) FROM @lease AS held
                                                       WHERE held.broker = b.name), 0)) AS seq) AS low
JOIN @event_log AS e ON e.seq > low.seq AND e.targets & (1::bigint << b.number) <> 0
WHERE NOT EXISTS (SELECT FROM @outbox_row AS o WHERE o.target_broker = b.name AND o.seq = e.seq)
  AND NOT EXISTS (SELECT FROM )sql" SLUICE_RECORDS_AT_EVENT " WHERE " SLUICE_NTH_IN_RECORD R"sql( IS NOT NULL))sql",

    R"sql(
CREATE FUNCTION @sluice_outbox_insert() RETURNS trigger LANGUAGE plpgsql
AS $body$
BEGIN
    IF EXISTS (SELECT FROM @event_log AS e WHERE e.seq = NEW.seq AND )sql" SLUICE_IN_LEDGER("NEW.target_broker") R"sql()
    THEN
        RAISE EXCEPTION USING ERRCODE = 'unique_violation',
            MESSAGE = format('event %s has been published to %s', NEW.message_id, NEW.target_broker);
    END IF;
    IF NOT EXISTS (SELECT FROM @outbox_broker WHERE name = NEW.target_broker) THEN
        PERFORM pg_advisory_xact_lock('@outbox_broker'::regclass::oid::integer, 0);
        INSERT INTO @outbox_broker (number, name, floor)
        SELECT coalesce((SELECT max(number) FROM @outbox_broker), -1) + 1, NEW.target_broker,
               coalesce((SELECT max(seq) FROM @event_log), 0)
        WHERE NOT EXISTS (SELECT FROM @outbox_broker WHERE name = NEW.target_broker);
    END IF;
    -- The lanes may have gone past an event of an earlier transaction.
    IF EXISTS (SELECT FROM @event_log WHERE seq = NEW.seq AND xmin <> pg_current_xact_id()::xid) THEN
        PERFORM FROM @lease WHERE broker = NEW.target_broker ORDER BY lane FOR UPDATE;
        UPDATE @lease SET mark = least(mark, NEW.seq - 1), rescan = rescan + 1 WHERE broker = NEW.target_broker;
        PERFORM pg_notify(@sluice_channel(NEW.target_broker), 'rescan');
    END IF;
    INSERT INTO @outbox_row (target_broker, seq, message_id, stream, status, priority, retry_count, next_retry_at,
                             last_error, published_at, abandoned_at, receipt)
    VALUES (NEW.target_broker, NEW.seq, NEW.message_id, NEW.stream, coalesce(NEW.status, 'pending'),
            coalesce(NEW.priority, 0), coalesce(NEW.retry_count, 0), NEW.next_retry_at, NEW.last_error,
            NEW.published_at, NEW.abandoned_at, NEW.receipt);
    RETURN NEW;
END
$body$)sql",

    "CREATE TRIGGER sluice_outbox_insert INSTEAD OF INSERT ON @outbox"
    " FOR EACH ROW EXECUTE FUNCTION @sluice_outbox_insert()"};

// One at a time for a broker: what is newer waits for it. And a row by hand asks the ledger only when no lane can
// settle the event in between.
constexpr std::array backfills{R"sql(
CREATE OR REPLACE FUNCTION @sluice_outbox_insert() RETURNS trigger LANGUAGE plpgsql
AS $body$
DECLARE
    -- The lanes may have gone past an event of an earlier transaction.
    is_earlier boolean := EXISTS (SELECT FROM @event_log WHERE seq = NEW.seq AND xmin <> pg_current_xact_id()::xid);
BEGIN
    IF is_earlier THEN
        PERFORM FROM @lease WHERE broker = NEW.target_broker ORDER BY lane FOR UPDATE;
    END IF;
    IF EXISTS (SELECT FROM @event_log AS e WHERE e.seq = NEW.seq AND )sql" SLUICE_IN_LEDGER("NEW.target_broker") R"sql()
    THEN
        RAISE EXCEPTION USING ERRCODE = 'unique_violation',
            MESSAGE = format('event %s has been published to %s', NEW.message_id, NEW.target_broker);
    END IF;
    IF NOT EXISTS (SELECT FROM @outbox_broker WHERE name = NEW.target_broker) THEN
        PERFORM pg_advisory_xact_lock('@outbox_broker'::regclass::oid::integer, 0);
        INSERT INTO @outbox_broker (number, name, floor)
        SELECT coalesce((SELECT max(number) FROM @outbox_broker), -1) + 1, NEW.target_broker,
               coalesce((SELECT max(seq) FROM @event_log), 0)
        WHERE NOT EXISTS (SELECT FROM @outbox_broker WHERE name = NEW.target_broker);
    END IF;
    IF is_earlier THEN
        UPDATE @lease SET mark = least(mark, NEW.seq - 1), rescan = rescan + 1 WHERE broker = NEW.target_broker;
        PERFORM pg_notify(@sluice_channel(NEW.target_broker), 'rescan');
    END IF;
    INSERT INTO @outbox_row (target_broker, seq, message_id, stream, status, priority, retry_count, next_retry_at,
                             last_error, published_at, abandoned_at, receipt)
    VALUES (NEW.target_broker, NEW.seq, NEW.message_id, NEW.stream, coalesce(NEW.status, 'pending'),
            coalesce(NEW.priority, 0), coalesce(NEW.retry_count, 0), NEW.next_retry_at, NEW.last_error,
            NEW.published_at, NEW.abandoned_at, NEW.receipt);
    RETURN NEW;
END
$body$)sql",

                               R"sql(
CREATE TABLE @outbox_backfill (
    number        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    target_broker text COLLATE "C" NOT NULL,
    after         bigint NOT NULL,
    types         text[] NOT NULL,
    streams       text[] NOT NULL,
    rate          double precision NOT NULL CHECK (rate >= 0),
    state         text COLLATE "C" NOT NULL CHECK (state IN ('running', 'paused', 'done', 'cancelled')),
    position      bigint NOT NULL,
    upto          bigint NOT NULL,
    given         bigint NOT NULL DEFAULT 0,
    writers       text[] NOT NULL DEFAULT '{}',
    begun_at      timestamptz NOT NULL,
    paced_at      timestamptz NOT NULL,
    ended_at      timestamptz,
    CHECK (after <= position AND position <= upto)
) WITH (fillfactor = 50))sql",

                               R"sql(
CREATE UNIQUE INDEX outbox_backfill_open ON @outbox_backfill (target_broker) WHERE state IN ('running', 'paused')
)sql"};

constexpr std::array all_migrations{migration{1, "first tables", first_tables},
                                    migration{2, "former lanes", former_lanes},
                                    migration{3, "inside", inside},
                                    migration{4, "read models", read_models},
                                    migration{5, "content of inbox marks", inbox_content},
                                    migration{6, "history of lanes", lane_history},
                                    migration{7, "overtaken rows", overtaken_rows},
                                    migration{8, "readers of read models", readers},
                                    migration{9, "kept messages", kept_messages},
                                    migration{10, "stand-bys", stand_bys},
                                    migration{11, "store once", store_once},
                                    migration{12, "backfills", backfills}};

int expected_migration() { return all_migrations.back().number; }

constexpr int oldest_server = 130'000;

/// A migration that changes tables in use waits for those who use them so long, and then lets those go on who wait
/// behind it, before it tries again. Once it has the tables it takes the time that their size needs.
constexpr auto lock_timeout_sql =
    "SELECT set_config('lock_timeout', '1s', true), set_config('statement_timeout', '0', true)";
constexpr int most_tries = 600;

/// @param ask  runs a statement and returns its answer
template <class Ask>
int applied_migration(const std::string& schema, Ask ask) {
    const auto there = ask({"",
                            "SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = $1"
                            " AND tablename = 'sluice_migration')"},
                           parameters{schema});
    if (!there.boolean(0, 0)) return 0;
    const auto newest =
        ask({"", in_schema("SELECT coalesce(max(number), 0) FROM @sluice_migration", schema)}, parameters{});
    return static_cast<int>(newest.integer(0, 0));
}

void refuse_newer(const connection& db, int applied) {
    if (applied <= expected_migration()) return;
    throw store_error{fmt::format("{} has schema {}, newer than {} which this build knows; use the newer Sluice",
                                  db.server_name(), applied, expected_migration()),
                      error_nature::outage};
}

void create_schema_if_absent(long_transaction& writing, const std::string& schema) {
    const auto there =
        writing.run({"", "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)"}, parameters{schema});
    if (!there.boolean(0, 0)) writing.run({"", "CREATE SCHEMA \"" + schema + '"'});
}

/// False when somebody else used a table for too long; nothing was changed then.
bool try_to_apply(connection& db, const migration& step, const std::string& schema) {
    long_transaction writing{db};
    const auto in = [&schema](const char* sql) { return statement{"", in_schema(sql, schema)}; };
    // The first does it; the others wait here and then find it done.
    writing.run({"", "SELECT pg_advisory_xact_lock(hashtext('sluice_migration'), hashtext($1))"}, parameters{schema});
    const int now = applied_migration(
        schema, [&](const statement& what, const parameters& with) { return writing.run(what, with); });
    refuse_newer(db, now);
    if (now >= step.number) return true;
    create_schema_if_absent(writing, schema);
    writing.run(
        in("CREATE TABLE IF NOT EXISTS @sluice_migration ("
           "number integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL)"));
    writing.run({"", lock_timeout_sql});
    try {
        for (const auto* sql : step.statements) writing.run(in(sql));
    } catch (const statement_error& refusal) {
        const auto& state = refusal.sqlstate();
        if (state != "55P03" && state != "40P01") throw;  // lock_not_available, deadlock_detected
        return false;
    }
    writing.run(in("INSERT INTO @sluice_migration VALUES ($1, $2, clock_timestamp())"),
                parameters{std::int32_t{step.number}, step.name});
    writing.commit();
    return true;
}

}  // namespace

std::string in_schema(std::string_view sql, std::string_view schema) {
    std::string out;
    out.reserve(2 * sql.size());
    for (const char c : sql) {
        if (c == '@') {
            out.append("\"").append(schema).append("\".");
        } else {
            out += c;
        }
    }
    return out;
}

int migrations::applied(connection& db) const {
    return applied_migration(schema_, [&db](const statement& what, const parameters& with) {
        exchange trip{db};
        const auto place = trip.add(what, with);
        trip.run();
        return trip.take(place);
    });
}

schema_status migrations::read(connection& db) const {
    schema_status status{.applied = applied(db), .expected = expected_migration(), .pending = {}};
    for (const auto& step : all_migrations) {
        if (step.number > status.applied) status.pending.emplace_back(step.name);
    }
    return status;
}

void migrations::apply(connection& db) const {
    if (db.server_version() < oldest_server) {
        throw store_error{fmt::format("{} is version {}; Sluice needs PostgreSQL 13 or newer", db.server_name(),
                                      db.server_version() / 10'000)};
    }
    for (const auto& step : all_migrations) {
        for (int tries = 1; !try_to_apply(db, step, schema_); ++tries) {
            if (tries < most_tries) continue;
            throw store_error{
                fmt::format("{}: migration {} ({}) has found the tables in use all the time; end the transactions that "
                            "are open for long (pg_stat_activity) and repeat it",
                            db.server_name(), step.number, step.name),
                error_nature::retryable};
        }
    }
}

void migrations::require_current(connection& db) const {
    const int now = applied(db);
    refuse_newer(db, now);
    if (now == 0)
        throw store_error{db.server_name() + " has no Sluice tables; run `sluice db setup`", error_nature::outage};
    if (now < expected_migration()) {
        throw store_error{fmt::format("{} has schema {} and this build needs {}; run `sluice db setup`",
                                      db.server_name(), now, expected_migration()),
                          error_nature::outage};
    }
}

}  // namespace sluice::store::postgresql
