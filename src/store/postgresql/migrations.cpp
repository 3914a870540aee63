#include "store/postgresql/migrations.hpp"

#include <fmt/format.h>

#include <array>
#include <span>

#include <sluice/error.hpp>

#include "store/postgresql/exchange.hpp"
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

constexpr std::array all_migrations{migration{1, "first tables", first_tables},
                                    migration{2, "former lanes", former_lanes},
                                    migration{3, "inside", inside},
                                    migration{4, "read models", read_models},
                                    migration{5, "content of inbox marks", inbox_content},
                                    migration{6, "history of lanes", lane_history},
                                    migration{7, "overtaken rows", overtaken_rows},
                                    migration{8, "readers of read models", readers},
                                    migration{9, "kept messages", kept_messages},
                                    migration{10, "stand-bys", stand_bys}};

int expected_migration() { return all_migrations.back().number; }

constexpr int oldest_server = 130'000;

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
        long_transaction writing{db};
        // The first does it; the others wait here and then find it done.
        writing.run({"", "SELECT pg_advisory_xact_lock(hashtext('sluice_migration'), hashtext($1))"},
                    parameters{schema_});
        const int now = applied_migration(
            schema_, [&](const statement& what, const parameters& with) { return writing.run(what, with); });
        refuse_newer(db, now);
        if (now >= step.number) continue;
        create_schema_if_absent(writing, schema_);
        writing.run({"", in_schema("CREATE TABLE IF NOT EXISTS @sluice_migration ("
                                   "number integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL)",
                                   schema_)});
        for (const auto* sql : step.statements) writing.run({"", in_schema(sql, schema_)});
        writing.run({"", in_schema("INSERT INTO @sluice_migration VALUES ($1, $2, clock_timestamp())", schema_)},
                    parameters{std::int32_t{step.number}, step.name});
        writing.commit();
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
