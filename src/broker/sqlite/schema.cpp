#include "broker/sqlite/schema.hpp"

#include <array>

#include <fmt/format.h>

namespace sluice::broker::sqlite {
namespace {

// All times are microseconds since 1970 in UTC. An entry's id is its place in the file-wide order of publishing; it is
// never used twice, because the groups' cursors are compared with it.
//
// A group has seen every entry up to its cursor; those of them that it has not acknowledged are in broker_pending, with
// `consumer` NULL while nobody holds them. A consumer holds its messages until `alive_until`.
//
// `domain` is that of the group's last consumer. While `abandoned_at` is set, that domain has no handler for it, and
// from a retention time later on the group holds nothing back.
//
// `replayed` marks an entry that had been trimmed and came back for the groups that have it pending: others do not see
// it, and it does not count as a duplicate.
constexpr std::array<const char*, 6> migrations{
    R"sql(
    CREATE TABLE broker_stream(
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE
    ) STRICT;

    CREATE TABLE broker_entry(
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        stream_id INTEGER NOT NULL,
        message_id TEXT NOT NULL,
        key TEXT NOT NULL,
        body BLOB NOT NULL,
        created_at INTEGER NOT NULL,
        replayed INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE UNIQUE INDEX broker_entry_once ON broker_entry(stream_id, message_id) WHERE replayed = 0;
    CREATE INDEX broker_entry_in_order ON broker_entry(stream_id);

    CREATE TABLE broker_producer(
        name TEXT PRIMARY KEY,
        epoch INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE broker_group(
        id INTEGER PRIMARY KEY,
        stream_id INTEGER NOT NULL,
        name TEXT NOT NULL,
        cursor INTEGER NOT NULL DEFAULT 0,
        UNIQUE(stream_id, name)
    ) STRICT;

    CREATE TABLE broker_consumer(
        group_id INTEGER NOT NULL,
        name TEXT NOT NULL,
        alive_until INTEGER NOT NULL,
        PRIMARY KEY(group_id, name)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE broker_pending(
        group_id INTEGER NOT NULL,
        entry_id INTEGER NOT NULL,
        key TEXT NOT NULL,
        consumer TEXT,
        attempts INTEGER NOT NULL DEFAULT 0,
        not_before INTEGER,
        PRIMARY KEY(group_id, entry_id)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE broker_dead_letter(
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        group_id INTEGER NOT NULL,
        entry_id INTEGER NOT NULL,
        message_id TEXT NOT NULL,
        key TEXT NOT NULL,
        body BLOB NOT NULL,
        created_at INTEGER NOT NULL,
        consumer TEXT NOT NULL,
        reason TEXT NOT NULL,
        code TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        failed_at INTEGER NOT NULL
    ) STRICT;

    -- For people with a SQLite shell.
    CREATE VIEW broker_message AS
        SELECT e.id, s.name AS stream, e.message_id, e.key,
               strftime('%Y-%m-%dT%H:%M:%fZ', e.created_at / 1000000.0, 'unixepoch') AS created_at,
               CAST(e.body AS TEXT) AS body
        FROM broker_entry AS e JOIN broker_stream AS s ON s.id = e.stream_id
        WHERE e.replayed = 0;
)sql",
    // `broker_consumer.name` and `broker_pending.consumer` are a consumer's seat: its name with
    // its incarnation. Dead letters are counted as they come and go.
    R"sql(
    ALTER TABLE broker_consumer ADD COLUMN consumer TEXT NOT NULL DEFAULT '';
    ALTER TABLE broker_consumer ADD COLUMN incarnation TEXT NOT NULL DEFAULT '';
    ALTER TABLE broker_consumer ADD COLUMN place TEXT NOT NULL DEFAULT '';

    ALTER TABLE broker_group ADD COLUMN dead INTEGER NOT NULL DEFAULT 0;
    UPDATE broker_group SET dead = (SELECT COUNT(*) FROM broker_dead_letter AS d WHERE d.group_id = broker_group.id);
    CREATE TRIGGER broker_dead_letter_buried AFTER INSERT ON broker_dead_letter BEGIN
        UPDATE broker_group SET dead = dead + 1 WHERE id = NEW.group_id;
    END;
    CREATE TRIGGER broker_dead_letter_gone AFTER DELETE ON broker_dead_letter BEGIN
        UPDATE broker_group SET dead = dead - 1 WHERE id = OLD.group_id;
    END;
)sql",
    R"sql(
    -- Messages of one id whose contents differ are numbered from 0; a copy of one of them is not kept again.
    ALTER TABLE broker_entry ADD COLUMN variant INTEGER NOT NULL DEFAULT 0;
    DROP INDEX broker_entry_once;
    CREATE UNIQUE INDEX broker_entry_once ON broker_entry(stream_id, message_id, variant) WHERE replayed = 0;
)sql",
    R"sql(
    -- Who published last, so that a restored database can be told from a copy.
    ALTER TABLE broker_producer ADD COLUMN owner TEXT NOT NULL DEFAULT '';
    ALTER TABLE broker_producer ADD COLUMN place TEXT NOT NULL DEFAULT '';
    ALTER TABLE broker_producer ADD COLUMN timeline INTEGER NOT NULL DEFAULT 0;
)sql",
    R"sql(
    ALTER TABLE broker_group ADD COLUMN domain TEXT NOT NULL DEFAULT '';
    ALTER TABLE broker_group ADD COLUMN abandoned_at INTEGER;
)sql",
    R"sql(
    -- What stands beside the body, see store/kept_text.hpp.
    ALTER TABLE broker_entry ADD COLUMN head TEXT NOT NULL DEFAULT '';
    ALTER TABLE broker_entry ADD COLUMN content_type TEXT NOT NULL DEFAULT '';
    ALTER TABLE broker_dead_letter ADD COLUMN head TEXT NOT NULL DEFAULT '';
    ALTER TABLE broker_dead_letter ADD COLUMN content_type TEXT NOT NULL DEFAULT '';
)sql"};

constexpr auto newest = static_cast<std::int64_t>(migrations.size());

std::int64_t version(connection& db) {
    statement exists{db, "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'broker_migration'"};
    if (!exists.query().next()) return 0;
    statement applied{db, "SELECT COALESCE(MAX(version), 0) FROM broker_migration"};
    auto found = applied.query();
    return found.next() ? found.integer(0) : 0;
}

void migrate(connection& db) {
    transaction writing{db, transaction::kind::write};
    const auto have = version(db);  // another process may have been first
    db.execute("CREATE TABLE IF NOT EXISTS broker_migration(version INTEGER PRIMARY KEY) STRICT");
    for (auto next = have; next < newest; ++next) {
        db.execute(migrations.at(static_cast<std::size_t>(next)));
        statement{db, "INSERT INTO broker_migration(version) VALUES (?)"}.run(next + 1);
    }
    writing.commit();
}

}  // namespace

void prepare_schema(connection& db, const std::filesystem::path& file) {
    const auto have = version(db);
    if (have > newest) {
        throw outage{fmt::format("sqlite broker {}: its schema has version {}, this build knows {}; "
                                 "use a newer build of Sluice",
                                 file.native(), have, newest),
                     outage::connection_state::suspect};
    }
    if (have < newest && db.read_only()) {
        throw outage{
            fmt::format("sqlite broker {}: its schema has version {}, this build reads {}, and the file cannot be "
                        "written; copy it to a directory of yours",
                        file.native(), have, newest),
            outage::connection_state::suspect};
    }
    if (have < newest) migrate(db);
}

}  // namespace sluice::broker::sqlite
