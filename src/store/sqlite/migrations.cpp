#include "store/sqlite/migrations.hpp"

#include <fmt/format.h>

#include <array>

#include <sluice/error.hpp>

namespace sluice::store::sqlite {
namespace {

// Small columns stand before the large texts, so that reading them does not walk overflow pages.
constexpr auto first_tables = R"sql(
CREATE TABLE sluice_meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO sluice_meta (key, value) VALUES ('identity', lower(hex(randomblob(16))));

CREATE TABLE event_log (
    seq             INTEGER PRIMARY KEY AUTOINCREMENT,
    message_id      TEXT NOT NULL UNIQUE,
    stream          TEXT NOT NULL,
    stream_category TEXT NOT NULL,
    position        INTEGER NOT NULL,
    type            TEXT NOT NULL,
    created_at      TEXT NOT NULL,
    data            TEXT NOT NULL,
    metadata        TEXT NOT NULL,
    UNIQUE (stream, position)
) STRICT;

-- No index knows the status: a lane walks its own key upwards from its mark, and settling a row touches no index.
CREATE TABLE outbox (
    target_broker TEXT NOT NULL,
    seq           INTEGER NOT NULL,
    message_id    TEXT NOT NULL,
    stream        TEXT NOT NULL,
    status        TEXT NOT NULL DEFAULT 'pending'
                  CHECK (status IN ('pending', 'processing', 'published', 'failed', 'abandoned')),
    priority      INTEGER NOT NULL DEFAULT 0,
    retry_count   INTEGER NOT NULL DEFAULT 0,
    next_retry_at TEXT,
    last_error    TEXT,
    published_at  TEXT,
    abandoned_at  TEXT,
    receipt       TEXT,
    PRIMARY KEY (target_broker, seq),
    UNIQUE (message_id, target_broker)
) STRICT, WITHOUT ROWID;

CREATE TABLE lease (
    lane       TEXT PRIMARY KEY,
    owner      TEXT NOT NULL,
    epoch      INTEGER NOT NULL,
    expires_at TEXT NOT NULL,
    mark       INTEGER NOT NULL DEFAULT 0,
    rescan     INTEGER NOT NULL DEFAULT 0,
    state      TEXT NOT NULL,
    detail     TEXT NOT NULL DEFAULT '',
    published  INTEGER NOT NULL DEFAULT 0,
    refused    INTEGER NOT NULL DEFAULT 0,
    rate       REAL NOT NULL DEFAULT 0,
    since      TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE inbox (
    message_id   TEXT NOT NULL,
    handler      TEXT NOT NULL,
    processed_at TEXT NOT NULL,
    PRIMARY KEY (message_id, handler)
) STRICT, WITHOUT ROWID;
CREATE INDEX inbox_processed_at ON inbox (processed_at);

CREATE TABLE aggregate_state (
    aggregate TEXT NOT NULL,
    id        TEXT NOT NULL,
    version   INTEGER NOT NULL,
    state     TEXT NOT NULL,
    PRIMARY KEY (aggregate, id)
) STRICT, WITHOUT ROWID;
)sql";

// Rows given up are few and asked for often. Publishing does not change abandoned_at, so it still touches no index.
constexpr auto abandoned_rows = R"sql(
CREATE INDEX outbox_abandoned ON outbox (target_broker, seq) WHERE abandoned_at IS NOT NULL;
)sql";

// Who may still publish, under names that no lane has any more.
constexpr auto former_lanes = "ALTER TABLE lease ADD COLUMN former TEXT NOT NULL DEFAULT ''";

// Outcomes are purged by their time, scheduled messages are looked for by theirs.
constexpr auto inside = R"sql(
CREATE TABLE snapshot (
    aggregate TEXT NOT NULL,
    id        TEXT NOT NULL,
    version   INTEGER NOT NULL,
    layout    TEXT NOT NULL,
    state     TEXT NOT NULL,
    PRIMARY KEY (aggregate, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE command_outcome (
    key         TEXT PRIMARY KEY,
    command     TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    succeeded   INTEGER NOT NULL,
    expires_at  TEXT NOT NULL,
    content     TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX command_outcome_expires_at ON command_outcome (expires_at);

CREATE TABLE scheduled (
    id                TEXT PRIMARY KEY,
    due_at            TEXT NOT NULL,
    message_id        TEXT NOT NULL,
    stream            TEXT NOT NULL,
    stream_category   TEXT NOT NULL,
    type              TEXT NOT NULL,
    created_at        TEXT NOT NULL,
    priority          INTEGER NOT NULL,
    target_brokers    TEXT NOT NULL,
    expected_position INTEGER,
    data              TEXT NOT NULL,
    metadata          TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX scheduled_due_at ON scheduled (due_at, id);
)sql";

// One row for each read model: which of its tables counts, and how far a rebuild of it is.
constexpr auto read_models = R"sql(
CREATE TABLE projection (
    name               TEXT PRIMARY KEY,
    generation         INTEGER NOT NULL,
    last_generation    INTEGER NOT NULL,
    layout             TEXT NOT NULL,
    built              INTEGER NOT NULL,
    floor              INTEGER NOT NULL,
    rebuilt_at         TEXT,
    rebuild_generation INTEGER,
    rebuild_layout     TEXT,
    rebuild_position   INTEGER,
    rebuild_started_at TEXT,
    rebuild_updated_at TEXT
) STRICT, WITHOUT ROWID;
)sql";

// A mark knows which of the messages of one id it stands for. What was marked before knows none: it stands for any.
constexpr auto inbox_content = R"sql(
CREATE TABLE inbox_with_content (
    message_id   TEXT NOT NULL,
    handler      TEXT NOT NULL,
    content      TEXT NOT NULL DEFAULT '',
    processed_at TEXT NOT NULL,
    PRIMARY KEY (message_id, handler, content)
) STRICT, WITHOUT ROWID;
INSERT INTO inbox_with_content (message_id, handler, processed_at) SELECT message_id, handler, processed_at FROM inbox;
DROP TABLE inbox;
ALTER TABLE inbox_with_content RENAME TO inbox;
CREATE INDEX inbox_processed_at ON inbox (processed_at);
)sql";

// Which history of the database the lane's last owner knew.
constexpr auto lane_history = "ALTER TABLE lease ADD COLUMN history TEXT NOT NULL DEFAULT ''";

// A read model belongs to the group that feeds it, whatever the projector is called.
constexpr auto readers = "ALTER TABLE projection ADD COLUMN reader TEXT NOT NULL DEFAULT ''";

// Messages that failed, of brokers that keep none. A key has one first message among those that wait; the others are
// behind it, however many, and are not looked at. A number is never given again, so it names one message.
constexpr auto kept_messages = R"sql(
CREATE TABLE kept_message (
    number         INTEGER PRIMARY KEY AUTOINCREMENT,
    broker         TEXT NOT NULL,
    stream         TEXT NOT NULL,
    consumer_group TEXT NOT NULL,
    entry          TEXT NOT NULL,
    key            TEXT,
    body           TEXT NOT NULL,
    head           TEXT NOT NULL,
    content_type   TEXT NOT NULL,
    attempts       INTEGER NOT NULL,
    not_before     TEXT,
    reason         TEXT NOT NULL,
    code           TEXT NOT NULL,
    consumer       TEXT NOT NULL,
    dead_since     TEXT,
    behind         INTEGER NOT NULL,
    claimed_by     TEXT,
    claimed_until  TEXT,
    UNIQUE (broker, stream, consumer_group, entry)
) STRICT;
CREATE INDEX kept_message_first ON kept_message (broker, stream, consumer_group, number)
    WHERE dead_since IS NULL AND NOT behind;
CREATE INDEX kept_message_key ON kept_message (broker, stream, consumer_group, key, number) WHERE dead_since IS NULL;
CREATE INDEX kept_message_dead ON kept_message (broker, number) WHERE dead_since IS NOT NULL;
)sql";

// Who waits for a lane, so that those who have more than their share give some away. What a lease is about stays in the
// lease.
constexpr auto stand_bys = R"sql(
CREATE TABLE stand_by (
    lane       TEXT NOT NULL,
    owner      TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    heir_of    INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (lane, owner)
) STRICT, WITHOUT ROWID;
)sql";

// The events' own columns stand before the large texts, as in the other tables.
constexpr auto log_of_new_file = R"sql(
DROP TABLE event_log;
CREATE TABLE event_log (
    seq             INTEGER PRIMARY KEY AUTOINCREMENT,
    message_id      TEXT NOT NULL UNIQUE,
    stream          TEXT NOT NULL,
    stream_category TEXT NOT NULL,
    position        INTEGER NOT NULL,
    type            TEXT NOT NULL,
    created_at      TEXT NOT NULL,
    targets         INTEGER NOT NULL DEFAULT 0,
    priority        INTEGER NOT NULL DEFAULT 0,
    data            TEXT NOT NULL,
    metadata        TEXT NOT NULL,
    UNIQUE (stream, position)
) STRICT;
)sql";

constexpr auto targets_of_events = R"sql(
ALTER TABLE event_log ADD COLUMN targets INTEGER NOT NULL DEFAULT 0;
ALTER TABLE event_log ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;
)sql";

// An event says which brokers it is for, the ledger which events were delivered, and a row what took another course.
// What had a row before keeps it. Lanes of earlier builds are shut out: they would write into a view.
constexpr auto ledger_tables = R"sql(
CREATE TABLE outbox_broker (
    number    INTEGER PRIMARY KEY CHECK (number BETWEEN 0 AND 62),
    name      TEXT NOT NULL UNIQUE,
    floor     INTEGER NOT NULL DEFAULT 0,
    confirmed INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE outbox_ledger (
    broker       INTEGER NOT NULL,
    part         INTEGER NOT NULL,
    after        INTEGER NOT NULL,
    upto         INTEGER NOT NULL,
    count        INTEGER NOT NULL CHECK (count > 0),
    seqs         TEXT,
    settled_at   TEXT NOT NULL,
    times        TEXT,
    owner        TEXT NOT NULL,
    epoch        INTEGER NOT NULL,
    receipt_head TEXT NOT NULL DEFAULT '',
    receipts     TEXT,
    PRIMARY KEY (broker, part, upto),
    CHECK (after < upto)
) STRICT, WITHOUT ROWID;

-- Views of the application go on reading `outbox`, and one that reads what is not there stops nothing.
PRAGMA legacy_alter_table = ON;
ALTER TABLE outbox RENAME TO outbox_row;
PRAGMA legacy_alter_table = OFF;
UPDATE lease SET epoch = epoch + 1;

CREATE VIEW outbox_ledger_part AS
WITH RECURSIVE known (broker, part) AS (
    SELECT number, (SELECT min(part) FROM outbox_ledger AS l WHERE l.broker = number) FROM outbox_broker
    UNION ALL
    SELECT known.broker,
           (SELECT min(part) FROM outbox_ledger AS l WHERE l.broker = known.broker AND l.part > known.part)
    FROM known WHERE known.part IS NOT NULL)
SELECT broker, part FROM known WHERE part IS NOT NULL;

-- The legs' columns have equal affinities: only then does SQLite look for a row in each leg by that leg's index.
CREATE VIEW outbox AS
SELECT target_broker, seq, message_id, stream, status, priority, retry_count, next_retry_at, last_error, published_at,
       abandoned_at, receipt
FROM outbox_row
UNION ALL
SELECT b.name, e.seq, e.message_id, e.stream, CAST('published' AS TEXT), e.priority, CAST(0 AS INTEGER),
       CAST(NULL AS TEXT), CAST(NULL AS TEXT),
       CAST(CASE WHEN l.times IS NULL THEN l.settled_at ELSE (
           SELECT strftime('%Y-%m-%dT%H:%M:%S', at / 1000000, 'unixepoch') || printf('.%06d+00:00', at % 1000000)
           FROM (SELECT strftime('%s', substr(l.settled_at, 1, 19)) * 1000000
                        + CAST(substr(l.settled_at, 21, 6) AS INTEGER)
                        - json_extract('[' || replace(trim(l.times), ' ', ',') || ']', '$[' || (
                              CASE WHEN l.seqs IS NULL THEN e.seq - l.after - 1
                              ELSE length(replace(substr(l.seqs, 1, instr(l.seqs, ' ' || (e.seq - l.after) || ' ')),
                                                  ' ', '  '))
                                   - instr(l.seqs, ' ' || (e.seq - l.after) || ' ') - 1 END) || ']') AS at))
       END AS TEXT),
       CAST(NULL AS TEXT),
       CAST(nullif(l.receipt_head || json_extract(
           '[' || replace(replace(json_quote(l.receipts), '\\', '\u005c'), '\u001f', '","') || ']', '$[' || (
               CASE WHEN l.seqs IS NULL THEN e.seq - l.after - 1
               ELSE length(replace(substr(l.seqs, 1, instr(l.seqs, ' ' || (e.seq - l.after) || ' ')), ' ', '  '))
                    - instr(l.seqs, ' ' || (e.seq - l.after) || ' ') - 1 END) || ']'), '') AS TEXT)
FROM outbox_broker AS b CROSS JOIN event_log AS e CROSS JOIN outbox_ledger_part AS p CROSS JOIN outbox_ledger AS l
WHERE e.targets & (1 << b.number) AND p.broker = b.number AND l.broker = b.number AND l.part = p.part
  AND l.upto = (SELECT min(upto) FROM outbox_ledger AS first
                WHERE first.broker = b.number AND first.part = p.part AND first.upto >= e.seq)
  AND l.after < e.seq AND (l.seqs IS NULL OR instr(l.seqs, ' ' || (e.seq - l.after) || ' '))
UNION ALL
SELECT b.name, e.seq, e.message_id, e.stream, CAST('pending' AS TEXT), e.priority, CAST(0 AS INTEGER),
       CAST(NULL AS TEXT), CAST(NULL AS TEXT), CAST(NULL AS TEXT), CAST(NULL AS TEXT), CAST(NULL AS TEXT)
FROM outbox_broker AS b CROSS JOIN event_log AS e
WHERE e.seq > max((SELECT floor FROM outbox_broker AS f WHERE f.number = b.number), coalesce((
          SELECT min(mark) FROM lease
          WHERE instr(lane, ':') > 0
            AND substr(lane || '#', instr(lane, ':') + 1, length(b.name) + 1) = b.name || '#'), 0))
  AND e.targets & (1 << b.number)
  AND NOT EXISTS (SELECT 1 FROM outbox_row AS r WHERE r.target_broker = b.name AND r.seq = e.seq)
  AND NOT EXISTS (
      SELECT 1 FROM outbox_ledger_part AS p
      WHERE p.broker = b.number AND (
          SELECT l.after < e.seq AND (l.seqs IS NULL OR instr(l.seqs, ' ' || (e.seq - l.after) || ' '))
          FROM outbox_ledger AS l WHERE l.broker = b.number AND l.part = p.part AND l.upto >= e.seq
          ORDER BY l.upto LIMIT 1));

-- For SQL that was written for the table of this name.
CREATE TRIGGER outbox_insert INSTEAD OF INSERT ON outbox BEGIN
    SELECT RAISE(ABORT, 'the event is in the outbox for this broker already') FROM outbox
    WHERE message_id = new.message_id AND target_broker = new.target_broker;
    INSERT INTO outbox_row (target_broker, seq, message_id, stream, status, priority, retry_count, next_retry_at,
                            last_error, published_at, abandoned_at, receipt)
    VALUES (new.target_broker, new.seq, new.message_id, new.stream, coalesce(new.status, 'pending'),
            coalesce(new.priority, 0), coalesce(new.retry_count, 0), new.next_retry_at, new.last_error,
            new.published_at, new.abandoned_at, new.receipt);
    -- The lanes may have gone past an event that was there before.
    UPDATE lease SET mark = min(mark, new.seq - 1), rescan = rescan + 1
    WHERE new.seq < (SELECT max(seq) FROM event_log) AND instr(lane, ':') > 0
      AND substr(lane || '#', instr(lane, ':') + 1, length(new.target_broker) + 1) = new.target_broker || '#';
END;
)sql";

// One backfill at a time for a broker, and the rows that its lanes still have to do with.
constexpr auto backfills = R"sql(
CREATE TABLE outbox_backfill (
    number        INTEGER PRIMARY KEY,
    target_broker TEXT NOT NULL,
    after         INTEGER NOT NULL,
    types         TEXT NOT NULL,
    streams       TEXT NOT NULL,
    rate          REAL NOT NULL CHECK (rate >= 0),
    state         TEXT NOT NULL CHECK (state IN ('running', 'paused', 'done', 'cancelled')),
    position      INTEGER NOT NULL,
    upto          INTEGER NOT NULL,
    given         INTEGER NOT NULL DEFAULT 0,
    begun_at      TEXT NOT NULL,
    paced_at      TEXT NOT NULL,
    ended_at      TEXT,
    CHECK (after <= position AND position <= upto)
) STRICT;

CREATE UNIQUE INDEX outbox_backfill_open ON outbox_backfill (target_broker) WHERE state IN ('running', 'paused');
CREATE INDEX outbox_row_open ON outbox_row (target_broker, seq) WHERE status IN ('pending', 'failed', 'processing');
)sql";

constexpr std::array all_migrations{migration{1, "first tables", first_tables},
                                    migration{2, "index of abandoned rows", abandoned_rows},
                                    migration{3, "former lanes", former_lanes},
                                    migration{4, "inside", inside},
                                    migration{5, "read models", read_models},
                                    migration{6, "content of inbox marks", inbox_content},
                                    migration{7, "history of lanes", lane_history},
                                    migration{8, "readers of read models", readers},
                                    migration{9, "kept messages", kept_messages},
                                    migration{10, "stand-bys", stand_bys},
                                    migration{11, "targets of events", targets_of_events, log_of_new_file},
                                    migration{12, "ledger", ledger_tables},
                                    migration{13, "backfills", backfills}};

int applied_migration(connection& db) {
    statement is_there{db, "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'sluice_migration'"};
    if (auto found = is_there.query(); !found.next() || found.integer(0) == 0) return 0;
    statement newest{db, "SELECT coalesce(max(number), 0) FROM sluice_migration"};
    auto found = newest.query();
    return found.next() ? static_cast<int>(found.integer(0)) : 0;
}

std::string name_of(const connection& db) { return "sqlite " + db.file().string(); }

int expected_migration() { return all_migrations.back().number; }

void refuse_newer(const connection& db, int applied) {
    if (applied <= expected_migration()) return;
    throw store_error{fmt::format("{} has schema {}, newer than {} which this build knows; use the newer Sluice",
                                  name_of(db), applied, expected_migration()),
                      error_nature::outage};
}

/// The first step that the file lacks; null when it is up to date.
const migration* next_migration(connection& db) {
    const int applied = applied_migration(db);
    refuse_newer(db, applied);
    for (const auto& step : all_migrations) {
        if (step.number > applied) return &step;
    }
    return nullptr;
}

}  // namespace

std::span<const migration> migrations() { return all_migrations; }

schema_status read_schema(connection& db) {
    schema_status status{.applied = applied_migration(db), .expected = expected_migration(), .pending = {}};
    for (const auto& step : all_migrations) {
        if (step.number > status.applied) status.pending.emplace_back(step.name);
    }
    return status;
}

void migrate(connection& db) {
    if (next_migration(db) == nullptr) return;
    // All steps in one transaction: who opens the file meanwhile finds it as it was or up to date, and nothing between.
    transaction writing{db, transaction::kind::write};
    const bool is_new_file = applied_migration(db) == 0;
    // Asked again for the first step, too: another process may have applied it while this one waited for the lock.
    while (const auto* step = next_migration(db)) {
        db.execute(
            "CREATE TABLE IF NOT EXISTS sluice_migration ("
            "number INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at TEXT NOT NULL) STRICT");
        db.execute(is_new_file && step->sql_of_new_file != nullptr ? step->sql_of_new_file : step->sql);
        statement{db, "INSERT INTO sluice_migration (number, name, applied_at) VALUES (?1, ?2, ?3)"}.run(
            step->number, step->name, to_sql(system_clock().now()));
    }
    writing.commit();
}

void require_current(connection& db) {
    const int applied = applied_migration(db);
    refuse_newer(db, applied);
    if (applied == 0)
        throw store_error{name_of(db) + " has no Sluice tables; run `sluice db setup`", error_nature::outage};
    if (applied < expected_migration()) {
        throw store_error{fmt::format("{} has schema {} and this build needs {}; run `sluice db setup`", name_of(db),
                                      applied, expected_migration()),
                          error_nature::outage};
    }
}

}  // namespace sluice::store::sqlite
