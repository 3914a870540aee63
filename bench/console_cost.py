#!/usr/bin/env python3
"""What ten browsers that show the console cost the lanes: a lane drains the same rows with and without them, by turns.

    bench/console_cost.py [--rows 300000] [--rounds 5] [--browsers 10]

Needs a built tree (./test), PostgreSQL and Redis; starts servers of its own. Each browser looks at the overview every three
seconds, as an open page does.
"""
import argparse
import pathlib
import re
import statistics
import subprocess
import threading
import time
import urllib.request

from console_project import ROOT, console_project
from browser_test import free_port, wait_for  # noqa: E402, from the folder that console_project has added

PAUSE = 3  # seconds between two looks of a page, as console.js has it
AGAIN = """
DELETE FROM {schema}.outbox_ledger WHERE broker = (SELECT number FROM {schema}.outbox_broker WHERE name = 'partner');
DELETE FROM {schema}.outbox_row WHERE target_broker = 'partner';
UPDATE {schema}.outbox_broker SET floor = 0 WHERE name = 'partner';
UPDATE {schema}.lease SET mark = 0, rescan = rescan + 1 WHERE broker = 'partner';
VACUUM ANALYZE {schema}.outbox_ledger;
CHECKPOINT;
"""


def get(url):
    with urllib.request.urlopen(url, timeout=60) as answer:
        return answer.read().decode()


class Round:
    """The lane to the partner drains; the rate in rows a second."""

    def __init__(self, project, servers, redis, rows):
        self.project, self.servers, self.redis, self.rows = project, servers, redis, rows

    def run(self, browsers):
        self.servers.query(AGAIN.format(schema=self.servers.schema))
        subprocess.run(["redis-cli", "-p", str(self.redis), "flushall"], check=True, stdout=subprocess.DEVNULL)
        port = free_port()
        text = re.sub(r"health\.port = \d+", f"health.port = {port}", (self.project.directory / "domain.toml").read_text())
        (self.project.directory / "domain.toml").write_text(text)
        server = self.project.start("server")
        base, done = f"http://127.0.0.1:{port}", threading.Event()
        lookers = [threading.Thread(target=self.look, args=(base, done, n * PAUSE / browsers)) for n in range(browsers)]
        try:
            wait_for("the server's start", lambda: self.published(base) > 0)
            for looker in lookers:
                looker.start()
            first, begin = self.published(base), time.monotonic()
            while (now := self.published(base)) < self.rows * 9 // 10:
                time.sleep(0.02)
            return (now - first) / (time.monotonic() - begin)
        finally:
            done.set()
            for looker in lookers:
                looker.join()
            server.terminate()
            server.wait(timeout=60)

    @staticmethod
    def published(base):
        try:
            found = re.search(r'sluice_outbox_published_total\{broker="partner"[^}]*\} (\d+)', get(base + "/metrics"))
        except OSError:
            return 0
        return int(found[1]) if found else 0

    @staticmethod
    def look(base, done, first):
        wait = first
        while not done.wait(wait):
            get(base + "/console/live?page=/console")
            wait = PAUSE


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--browsers", type=int, default=10)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    given = parser.parse_args()
    with console_project(given.build) as (project, servers):
        project.run("process", "CreateCounter", '{"counter_id": "c-1"}')
        servers.fill(given.rows)
        one = Round(project, servers, servers.redis_port, given.rows)
        one.run(0)  # warms up
        rates = {0: [], given.browsers: []}
        for _ in range(given.rounds):
            for browsers in rates:
                rates[browsers].append(one.run(browsers))
    for browsers, each in rates.items():
        print(f"{browsers:2} browsers: {statistics.median(each):9.0f} rows/s  ({min(each):.0f} to {max(each):.0f})")
    without, beside = (statistics.median(each) for each in rates.values())
    print(f"ratio: {beside / without:.3f}")


if __name__ == "__main__":
    main()
