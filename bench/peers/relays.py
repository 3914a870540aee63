"""The relays: how each is set up, fed, started and known to be done."""
import contextlib
import glob
import os
import sys
from pathlib import Path

from servers import free_port, run_quietly

HERE = Path(__file__).resolve().parent
MADE = Path(os.environ["PEERS_MADE"])  # by run.sh
STREAM = "bench"


def payload_sql(tail, size):
    """A JSON text of `size` bytes, of which `tail` (SQL, 8 bytes) is the id."""
    empty = '{"reading_id":"","content":""}'
    return "'{\"reading_id\":\"' || " + tail + " || '\",\"content\":\"" + "x" * (size - len(empty) - 8) + "\"}'"




class Peer:
    """wal_level, stream; init(): tables; row(payload): SQL that inserts one row for each (n, tail) of the relation `n`;
    command(): the relay; settled: SQL that is true once nothing is left to settle."""
    wal_level, stream, env, cwd = "replica", STREAM, None, None
    notify = ""  # a statement that a commit ends with
    default_rows = 20000

    def __init__(self, name, options):
        self.name, self.options = name, options

    def prepare(self, bed):
        self.bed = bed

    def fill(self, rows, per_commit):
        """`rows` rows wait, `per_commit` of them from each transaction."""
        with contextlib.closing(self.bed.postgres.connect()) as c, c.cursor() as q:
            q.execute("SET synchronous_commit = off")
            insert = self.insert("(SELECT i AS n, 'D' || lpad(i::text, 7, '0') AS tail "
                                 "FROM generate_series(at, least(at + %d, %d) - 1) AS i) AS n" % (per_commit, rows))
            q.execute("DO $do$ BEGIN FOR at IN 0 .. %d BY %d LOOP %s; COMMIT; END LOOP; END $do$"
                      % (rows - 1, per_commit, insert))
        self.tidy()

    def tidy(self):
        with contextlib.closing(self.bed.postgres.connect()) as c, c.cursor() as q:
            q.execute("VACUUM ANALYZE")
            q.execute("CHECKPOINT")

    def one(self, tail):
        return self.insert(f"(SELECT 1 AS n, '{tail}'::text AS tail) AS n")


class Watermill(Peer):
    binary = MADE / "watermill"
    table = '"watermill_outbox"'

    def arguments(self):
        mode, batch, poll = self.settings
        return ["-pg", self.bed.postgres.uri, "-redis", f"127.0.0.1:{self.bed.redis.port}", "-mode", mode,
                "-batch", str(self.options.batch or batch), "-poll", poll]

    def prepare(self, bed):
        super().prepare(bed)
        run_quietly([self.binary, *self.arguments(), "-init"])

    def insert(self, source):
        offsets = self.settings[0] == "offsets"
        envelope = ("json_build_object('destination_topic', '%s', 'uuid', u, 'payload', "
                    "translate(encode(convert_to(%s, 'UTF8'), 'base64'), E'\\n', ''), 'metadata', '{}'::json)"
                    % (STREAM, payload_sql("tail", self.options.payload)))
        return (f"INSERT INTO {self.table} (uuid, payload, metadata{', transaction_id' if offsets else ''}) "
                f"SELECT u, {envelope}, '{{}}'{', pg_current_xact_id()' if offsets else ''} FROM "
                f"(SELECT gen_random_uuid()::text AS u, tail FROM {source}) AS s")

    def command(self):
        return [str(self.binary), *self.arguments()]

    @property
    def settled(self):
        return {"queue": f"SELECT NOT EXISTS (SELECT FROM {self.table} WHERE NOT acked)",
                "queue-delete": f"SELECT NOT EXISTS (SELECT FROM {self.table})",
                "offsets": "SELECT (SELECT max(offset_acked) FROM watermill_offsets_outbox) >= "
                           f"(SELECT max(\"offset\") FROM {self.table})",
                }[self.settings[0]]


class WatermillTuned(Watermill):
    """forwarder, queue table, rows marked; batches of 1,000, a poll each 5 ms"""
    settings = ("queue", 1000, "5ms")


class WatermillDelete(Watermill):
    """the same, rows deleted (DeleteOnAck)"""
    settings = ("queue-delete", 1000, "5ms")


class WatermillOffsets(Watermill):
    """forwarder, the default schema (rows stay, one offset), batches of 1,000, a poll each 5 ms"""
    settings = ("offsets", 1000, "5ms")


class WatermillDefault(Watermill):
    """forwarder, queue table, Watermill's own settings: batches of 100, a poll each second"""
    settings = ("queue", 100, "1s")


class Debezium(Peer):
    """Debezium Server, pgoutput, outbox event router; a poll each 5 ms, sink batches of 1,000, offsets each second"""
    wal_level, stream, default_rows = "logical", "outbox.event." + STREAM, 200000
    home = MADE / "debezium-server"
    poll_ms, sink_batch, flush_ms = 5, 1000, 1000

    def prepare(self, bed):
        super().prepare(bed)
        with contextlib.closing(bed.postgres.connect()) as c, c.cursor() as q:
            q.execute("CREATE TABLE outbox (id uuid PRIMARY KEY, aggregatetype varchar(255) NOT NULL, "
                      "aggregateid varchar(255) NOT NULL, type varchar(255) NOT NULL, payload text)")
            q.execute("CREATE PUBLICATION bench_outbox FOR TABLE outbox WITH (publish = 'insert')")
            q.execute("SELECT pg_create_logical_replication_slot('bench_outbox', 'pgoutput')")
        self.cwd = bed.home / "debezium"
        (self.cwd / "config").mkdir(parents=True, exist_ok=True)
        (self.cwd / "data").mkdir(exist_ok=True)
        source, sink, outbox = "debezium.source.", "debezium.sink.", "debezium.transforms.outbox."
        settings = {
            sink + "type": "redis",
            sink + "redis.address": f"127.0.0.1:{bed.redis.port}",
            sink + "redis.batch.size": self.options.batch or self.sink_batch,
            source + "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
            source + "database.hostname": "127.0.0.1", source + "database.port": bed.postgres.port,
            source + "database.user": "bench", source + "database.password": "bench", source + "database.dbname": "postgres",
            source + "topic.prefix": "bench", source + "table.include.list": "public.outbox",
            source + "plugin.name": "pgoutput", source + "slot.name": "bench_outbox",
            source + "publication.name": "bench_outbox", source + "publication.autocreate.mode": "disabled",
            source + "snapshot.mode": "no_data",
            source + "offset.storage": "org.apache.kafka.connect.storage.FileOffsetBackingStore",
            source + "offset.storage.file.filename": self.cwd / "data/offsets.dat",
            source + "offset.flush.interval.ms": self.flush_ms,
            source + "tombstones.on.delete": "false",
            "debezium.format.key": "simplestring", "debezium.format.value": "simplestring",  # the payload as it is stored
            "debezium.format.header": "json", "debezium.format.header.schemas.enable": "false",
            "debezium.transforms": "outbox", outbox + "type": "io.debezium.transforms.outbox.EventRouter",
            "quarkus.http.host": "127.0.0.1", "quarkus.http.port": free_port(),
            "quarkus.log.console.json": "false", "quarkus.log.level": "WARN",
        }
        if self.poll_ms is not None:
            settings[source + "poll.interval.ms"] = self.poll_ms
        (self.cwd / "config/application.properties").write_text("".join(f"{k}={v}\n" for k, v in settings.items()))

    def insert(self, source):
        return ("INSERT INTO outbox (id, aggregatetype, aggregateid, type, payload) SELECT gen_random_uuid(), "
                f"'{STREAM}', tail, 'ReadingTaken', {payload_sql('tail', self.options.payload)} FROM {source}")

    def command(self):
        runner = glob.glob(str(self.home / "debezium-server-*runner.jar"))[0]
        return [os.environ["PEERS_JAVA"], "-Xmx1g", *self.options.java_options.split(),
                "-cp", f"{runner}:{self.home}/config/lib:{self.home}/lib/*", "io.debezium.server.Main"]

    # The server confirms a transaction when it has seen a row of a later one and stores its offsets: all but the last.
    settled = ("SELECT confirmed_flush_lsn >= (SELECT coalesce(at, '0/0') FROM bench_last) FROM pg_replication_slots "
               "WHERE slot_name = 'bench_outbox'")

    def fill(self, rows, per_commit):
        super().fill(rows, per_commit)
        with contextlib.closing(self.bed.postgres.connect()) as c, c.cursor() as q:
            q.execute("CREATE TABLE bench_last AS SELECT (SELECT lsn FROM pg_logical_slot_peek_binary_changes("
                      "'bench_outbox', NULL, NULL, 'proto_version', '1', 'publication_names', 'bench_outbox') "
                      "WHERE get_byte(data, 0) = ascii('C') ORDER BY lsn DESC OFFSET 1 LIMIT 1) AS at")


class DebeziumDefault(Debezium):
    """the same with Debezium's own settings: a poll each 500 ms, sink batches of 500, offsets each minute"""
    poll_ms, sink_batch, flush_ms = None, 500, 60000


class River(Peer):
    """River, a job queue: one job is one XADD, 500 workers, a fetch each ms at most; no order"""
    binary, notify = MADE / "river", "SELECT pg_notify('public.river_insert', '{\"queue\": \"default\"}')"
    workers, cooldown, poll = 500, "1ms", "5ms"

    def arguments(self):
        return ["-pg", self.bed.postgres.uri, "-redis", f"127.0.0.1:{self.bed.redis.port}", "-workers",
                str(self.options.batch or self.workers), "-cooldown", self.cooldown, "-poll", self.poll]

    def prepare(self, bed):
        super().prepare(bed)
        run_quietly([self.binary, *self.arguments(), "-init"])

    def insert(self, source):
        return ("INSERT INTO river_job (args, kind, max_attempts, state, queue, priority, metadata) SELECT "
                f"json_build_object('stream', '{STREAM}', 'id', tail, 'data', "
                f"({payload_sql('tail', self.options.payload)})::json), "
                f"'relay', 25, 'available', 'default', 1, '{{}}' FROM {source}")

    def command(self):
        return [str(self.binary), *self.arguments()]

    settled = "SELECT NOT EXISTS (SELECT FROM river_job WHERE state <> 'completed')"


class RiverDefault(River):
    """the same with 100 workers and River's own 100 ms between fetches"""
    workers, cooldown, poll = 100, "100ms", "1s"


class Protean(Peer):
    """Protean, outbox processor with its own settings: 50 rows, a poll each 10 ms"""
    stream, settings, default_rows = "bench::reading", (), 3000

    def script(self, action, *more):
        uri = self.bed.postgres.uri
        return [sys.executable, str(HERE / "protean/relay.py"), action, uri, str(self.bed.redis.port), *more]

    def prepare(self, bed):
        super().prepare(bed)
        run_quietly(self.script("init"))
        with contextlib.closing(bed.postgres.connect()) as c, c.cursor() as q:
            q.execute("CREATE TABLE template AS TABLE outbox")
            q.execute("TRUNCATE outbox")
            q.execute("SELECT attname FROM pg_attribute WHERE attrelid = 'outbox'::regclass AND attnum > 0 ORDER BY attnum")
            self.columns = [row[0] for row in q.fetchall()]
            q.execute("SELECT pg_typeof(data)::text FROM template")
            self.data_type = q.fetchone()[0]

    def insert(self, source):
        made = {"id": "md5(random()::text || n.tail)", "message_id": "t.message_id || '-' || n.tail",
                "data": f"({payload_sql('n.tail', self.options.payload)})::{self.data_type}"}
        names = ", ".join(f'"{c}"' for c in self.columns)
        values = ", ".join(made.get(c, f't."{c}"') for c in self.columns)
        return f"INSERT INTO outbox ({names}) SELECT {values} FROM template AS t, {source}"

    def command(self):
        return self.script("run", *self.settings)

    settled = "SELECT NOT EXISTS (SELECT FROM outbox WHERE status <> 'published')"


class ProteanTuned(Protean):
    """the same, 1,000 rows at a time"""
    settings = ("1000", "0.01")


class Sluice(Peer):
    """Sluice itself: `server` of a small program, batches of 1,000, the internal broker's lane"""
    binary, stream, default_rows, size = Path(os.environ["PEERS_SLUICE"]), "bench::reading", 200000, 1000

    def prepare(self, bed):
        super().prepare(bed)
        self.cwd = bed.home / "sluice"
        self.cwd.mkdir()
        (self.cwd / "domain.toml").write_text(
            f'[databases.default]\nprovider = "postgresql"\ndatabase_uri = "{bed.postgres.uri}"\n'
            f'[brokers.default]\nprovider = "redis"\nURI = "redis://127.0.0.1:{bed.redis.port}/0"\n'
            f'[outbox]\nbroker = "default"\nmessages_per_tick = {self.options.batch or self.size}\n'
            f'[server.health]\nenabled = false\n')
        run_quietly([self.binary, "db", "setup"], self.cwd)

    def commit_command(self, prefix, count, rate, per_commit=1):
        return [str(self.binary), "commit", self.bed.postgres.uri, str(rate), str(count), str(per_commit), prefix,
                str(self.options.payload)]

    # By its own library, so that it holds for any layout of its tables.
    def fill(self, rows, per_commit):
        run_quietly(self.commit_command("D", rows, 0, per_commit), self.cwd)
        self.tidy()

    def command(self):
        return [str(self.binary), "server"]

    settled = "SELECT NOT EXISTS (SELECT FROM outbox WHERE status = 'pending')"


class SluiceDefault(Sluice):
    """the same with Sluice's own batches of 50"""
    size = 50


class PgTransactionalOutbox(Peer):
    """npm pg-transactional-outbox, logical replication, one message after the other (mutex: in order)"""
    wal_level, settings, default_rows = "logical", ("replication", 1, 0), 5000

    def script(self, action, *more):
        return ["node", str(MADE / "pgto/relay.js"), action, self.bed.postgres.uri, str(self.bed.redis.port),
                *map(str, more)]

    def prepare(self, bed):
        super().prepare(bed)
        run_quietly(self.script("init"))

    def insert(self, source):
        return ("INSERT INTO outbox (id, aggregate_type, aggregate_id, message_type, payload) SELECT gen_random_uuid(), "
                f"'reading', tail, 'ReadingTaken', ({payload_sql('tail', self.options.payload)})::json FROM {source}")

    def command(self):
        how, batch, interval = self.settings
        return self.script(how, self.options.batch or batch, interval)

    settled = "SELECT NOT EXISTS (SELECT FROM outbox WHERE processed_at IS NULL)"


class PgTransactionalOutboxParallel(PgTransactionalOutbox):
    """the same, 50 messages at once (semaphore: no order)"""
    settings = ("replication", 50, 0)


class PgTransactionalOutboxPolling(PgTransactionalOutbox):
    """npm pg-transactional-outbox, polling each 5 ms, 100 rows at once; no order"""
    wal_level, settings = "replica", ("polling", 100, 5)


PEERS = {
    "pgto": PgTransactionalOutbox, "pgto-parallel": PgTransactionalOutboxParallel,
    "pgto-polling": PgTransactionalOutboxPolling,
    "sluice": Sluice, "sluice-default": SluiceDefault,
    "watermill": WatermillTuned, "watermill-delete": WatermillDelete, "watermill-offsets": WatermillOffsets,
    "watermill-default": WatermillDefault,
    "debezium": Debezium, "debezium-default": DebeziumDefault,
    "river": River, "river-default": RiverDefault,
    "protean": Protean, "protean-tuned": ProteanTuned,
}
