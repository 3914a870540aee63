"""Measures outbox relays from PostgreSQL to Redis Streams; see run.sh --help."""
import argparse
import atexit
import contextlib
import multiprocessing
import re
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

import psycopg2

from relays import PEERS
from servers import CHILDREN, Link, Postgres, Redis, cpu_seconds, resident_mb, run_quietly

STATE = "CREATE TABLE state (id text PRIMARY KEY, doc json NOT NULL)"


class Bed:
    def __init__(self, peer, home):
        self.home = home
        home.mkdir(parents=True)
        home.chmod(0o755)
        pg_home = home / "postgres"
        pg_home.mkdir()
        self.postgres = Postgres(pg_home, peer.wal_level)
        self.redis = Redis(home)
        with contextlib.closing(self.postgres.connect()) as c, c.cursor() as q:
            q.execute(STATE)
        peer.prepare(self)

    def end(self, keep):
        CHILDREN.stop_all()
        if not keep:
            shutil.rmtree(self.home, ignore_errors=True)


def start_relay(peer, bed):
    return CHILDREN.start(peer.command(), bed.home / "relay.log", cwd=peer.cwd, env=peer.env)


def died(relay, bed):
    if relay.poll() is not None:
        log = (bed.home / "relay.log").read_text(errors="replace")
        raise RuntimeError(f"the relay ended with {relay.returncode}:\n{log[-3000:]}")


def milliseconds(entry_id):
    return int(entry_id.split(b"-")[0])


def wait_for_length(peer, bed, relay, rows, patience, pause=0.02):
    ends = time.monotonic() + patience
    while (length := bed.redis.link("XLEN", peer.stream)) < rows:
        died(relay, bed)
        if time.monotonic() > ends:
            log = (bed.home / "relay.log").read_text(errors="replace")
            raise RuntimeError(f"{length} of {rows} rows after {patience} s; the relay says:\n{log[-3000:]}")
        time.sleep(pause)
    return length


def drain(peer, options, home):
    rows = options.rows or peer.default_rows
    bed = Bed(peer, home)
    try:
        peer.fill(rows, options.rows_per_commit)
        started = time.time()
        relay = start_relay(peer, bed)
        already = wait_for_length(peer, bed, relay, 1, 120, 0.002)
        pids = (relay.pid, bed.postgres.pid, bed.redis.child.pid)
        before = [cpu_seconds(p) for p in pids]
        wait_for_length(peer, bed, relay, rows, options.patience)
        cpu = [cpu_seconds(p) - b for p, b in zip(pids, before)]
        with contextlib.closing(bed.postgres.connect()) as c, c.cursor() as q:
            settled = time.time() + 10
            while True:
                q.execute(peer.settled)
                if q.fetchone()[0]:
                    settled_ms = time.time() * 1000
                    break
                if time.time() > settled:
                    settled_ms = None
                    break
                time.sleep(0.005)
        length = bed.redis.link("XLEN", peer.stream)
        first = milliseconds(bed.redis.link("XRANGE", peer.stream, "-", "+", "COUNT", 1)[0][0])
        stream, order, inversions, seen, last_tail, last, half = peer.stream, "-", 0, set(), -1, 0, 0
        while entries := bed.redis.link("XRANGE", stream, order, "+", "COUNT", 5000):
            for entry_id, fields in entries:
                tail = int(re.search(rb"D(\d{7})", b" ".join(f for f in fields if f))[1])
                if tail not in seen:
                    seen.add(tail)
                    inversions += tail < last_tail
                    last_tail = tail
                    if len(seen) == rows // 2:
                        half = milliseconds(entry_id)
                    if len(seen) == rows:
                        last = milliseconds(entry_id)
            order = b"(" + entries[-1][0]
        span, second = max(1, last - first) / 1000, max(1, last - half) / 1000
        per_row = [1e6 * c / max(1, rows - already) for c in cpu]
        print(f"{peer.name} drain: {rows} rows, {options.payload} B: {(rows - 1) / span:,.0f} rows/s published "
              f"(second half {(rows - rows // 2) / second:,.0f}), "
              + (f"{(rows - 1) / max(0.001, (settled_ms - first) / 1000):,.0f} rows/s until settled" if settled_ms
                 else "not settled 10 s later")
              + f"; CPU of a row {per_row[0]:.1f} + {per_row[1]:.1f} + {per_row[2]:.1f} us (relay + PostgreSQL + Redis); "
              f"relay {resident_mb(relay.pid):.0f} MB; first row {first / 1000 - started:.2f} s after the start; "
              f"lost {rows - len(seen)}, twice {length - len(seen)}, out of order {inversions}", flush=True)
    finally:
        bed.end(options.keep)


def commit_steadily(uri, statements, rate, pipe):
    c = psycopg2.connect(uri)
    c.autocommit = True
    q, times = c.cursor(), []
    begin = time.monotonic()
    for i, (tail, statement) in enumerate(statements):
        time.sleep(max(0, begin + i / rate - time.monotonic()))
        q.execute(statement)
        times.append((tail, time.monotonic_ns()))
    pipe.send(times)


def observe(port, stream, expected, patience, pipe):
    link, last, seen = Link(port), "$", {}
    link.sock.settimeout(patience)
    info = link("XINFO", "STREAM", stream)
    last = info[info.index(b"last-generated-id") + 1]
    pipe.send("ready")
    try:
        while len(seen) < expected:
            reply, at = link.ask("XREAD", "COUNT", 10000, "BLOCK", 0, "STREAMS", stream, last)
            for entry_id, fields in reply[0][1]:
                last = entry_id
                found = re.search(rb"L\d{7}", b" ".join(f for f in fields if f))
                if found:
                    seen.setdefault(found[0].decode(), at)
    except TimeoutError:
        pass
    pipe.send(seen)


def quantile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def latency(peer, options, home):
    bed = Bed(peer, home)
    try:
        relay = start_relay(peer, bed)
        own = hasattr(peer, "commit_command")
        if own:
            run_quietly(peer.commit_command("P", 1, 0), peer.cwd)
        else:
            with contextlib.closing(bed.postgres.connect()) as c, c.cursor() as q:
                q.execute(peer.one("P0000000") + (";" + peer.notify if peer.notify else ""))
        wait_for_length(peer, bed, relay, 1, 120)
        warm, count = int(options.warm_up * options.rate), int((options.warm_up + options.seconds) * options.rate)
        statements = []
        for i in range(count):
            if own:
                break
            tail = "L%07d" % i
            state = f"INSERT INTO state VALUES ('{tail}', json_build_object('id', '{tail}'))"
            statements.append((tail, f"{state}; {peer.one(tail)}; {peer.notify}"))
        seen_here, seen_there = multiprocessing.Pipe()
        watched = (bed.redis.port, peer.stream, count, options.patience, seen_there)
        watcher = multiprocessing.Process(target=observe, args=watched, daemon=True)
        watcher.start()
        seen_here.recv()
        if own:
            report = run_quietly(peer.commit_command("L", count, options.rate), peer.cwd)
            commits = [(line.split()[0], int(line.split()[1])) for line in report.splitlines() if line.startswith("L")]
        else:
            made_here, made_there = multiprocessing.Pipe()
            told = (bed.postgres.uri, statements, options.rate, made_there)
            committer = multiprocessing.Process(target=commit_steadily, args=told, daemon=True)
            committer.start()
            commits = made_here.recv()
            committer.join()
        seen = seen_here.recv()
        watcher.join()
        kept = commits[warm:]
        rate = (len(kept) - 1) / ((kept[-1][1] - kept[0][1]) / 1e9)
        values = [max(0, seen[tail] - at) / 1e6 for tail, at in kept if tail in seen]
        print(f"{peer.name} latency: {rate:.0f} commits/s for {options.seconds:g} s: p50 {quantile(values, .5):.2f} ms, "
              f"p99 {quantile(values, .99):.2f} ms, max {max(values):.1f} ms from the commit to the XADD; "
              f"not seen {len(kept) - len(values)}",
              flush=True)
    finally:
        bed.end(options.keep)


EPILOG = """

drain: rows that wait when the relay starts; the rate is from the first to the last XADD (ids of the stream's entries).
latency: another process commits a state and an outbox row at the rate; from the return of the commit until XREAD BLOCK of an
observer has the entry."""


def main():
    p = argparse.ArgumentParser(prog="run.sh", formatter_class=argparse.RawDescriptionHelpFormatter,
                                description="Measures outbox relays, each with a private PostgreSQL (fsync on) and Redis.",
                                epilog="peers:\n" + "\n".join(f"  {n:18} {c.__doc__}" for n, c in PEERS.items()) + EPILOG)
    p.add_argument("peers", nargs="*", metavar="PEER", help="which; without: sluice debezium watermill river protean")
    p.add_argument("--rows", type=int,
                   help="rows to drain (without: 20,000; sluice and debezium 200,000; protean 3,000, pgto 5,000)")
    p.add_argument("--payload", type=int, default=583, help="bytes of JSON (583)")
    p.add_argument("--rows-per-commit", type=int, default=500, help="rows of one transaction of the backlog (500)")
    p.add_argument("--rate", type=float, default=100, help="commits per second (100)")
    p.add_argument("--seconds", type=float, default=20, help="length of the latency run (20)")
    p.add_argument("--warm-up", type=float, default=5, help="seconds before it that do not count (5)")
    p.add_argument("--rounds", type=int, default=1, help="how often all of it (1); the peers take turns")
    p.add_argument("--batch", type=int, help="rows of a batch (Watermill), of a sink batch (Debezium), workers (River)")
    p.add_argument("--only", choices=("drain", "latency"))
    p.add_argument("--patience", type=float, default=600, help="seconds after which a measurement fails (600)")
    p.add_argument("--java-options", default="", help="more options of the Java machine")
    p.add_argument("--keep", action="store_true", help="leave data and logs, and say where")
    options = p.parse_args()
    names = options.peers or ["sluice", "debezium", "watermill", "river", "protean"]
    for name in names:
        if name not in PEERS:
            p.error(f"there is no {name}: {', '.join(PEERS)}")
    for s in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(s, lambda *_: sys.exit(130))
    root, failed = Path(tempfile.mkdtemp(prefix="sluice-peers-")), 0
    root.chmod(0o755)  # PostgreSQL runs as another user when this is root
    if options.keep:
        print(f"data and logs: {root}")
    else:
        atexit.register(shutil.rmtree, root, ignore_errors=True)
    atexit.register(CHILDREN.stop_all)
    for round_number in range(options.rounds):
        for name in names:
            for kind, what in (("drain", drain), ("latency", latency)):
                if options.only in (None, kind):
                    try:
                        what(PEERS[name](name, options), options, root / f"{name}-{kind}-{round_number}")
                    except Exception as e:
                        failed += 1
                        print(f"{name} {kind}: FAILED: {e}", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
