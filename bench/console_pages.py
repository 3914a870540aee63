#!/usr/bin/env python3
"""How long the console's pages take over a long log: each page by turns, over PostgreSQL, and the median of the turns.

    bench/console_pages.py [--events 10000000] [--rounds 5]

Needs a built tree (./test), PostgreSQL and Redis; starts servers of its own. Ten million events take some ten minutes to
write and 15 GB of disk. A tenth of the events wait for the partner's broker.
"""
import argparse
import json
import pathlib
import statistics
import time
import urllib.error
import urllib.parse
import urllib.request

from console_project import ROOT, console_project

IN_CONTEXT = "/console/contexts/tiny"
ROWS, EVENTS = IN_CONTEXT + "/rows", IN_CONTEXT + "/events"


def pages_over(message, correlation):
    """Name and path of each page. What the searches look for is rare: the oldest events of all, or none."""
    def query(path, **fields):
        return path + "?" + urllib.parse.urlencode(fields)

    return [
        ("overview", "/console"),
        ("lane, internal", IN_CONTEXT + "/lanes/default/default"),
        ("lane, external", IN_CONTEXT + "/lanes/default/partner"),
        ("rows", ROWS),
        ("rows, one broker", query(ROWS, broker="partner")),
        ("rows, pending", query(ROWS, status="pending")),
        ("rows, refused", query(ROWS, status="failed")),
        ("rows, given up", query(ROWS, status="abandoned")),
        ("rows, published to one broker", query(ROWS, status="published", broker="partner")),
        ("rows, of a category", query(ROWS, stream="tiny::counter")),
        ("rows, of no category", query(ROWS, stream="tiny::nothing")),
        ("rows, of one stream", query(ROWS, stream="tiny::counter-c-1")),
        ("rows, of one message", query(ROWS, message=message)),
        ("rows, of a day ago", query(ROWS, age="86400")),
        ("message", IN_CONTEXT + "/messages/" + message),
        ("events", EVENTS),
        ("events, of a category", query(EVENTS, stream="tiny::counter")),
        ("events, of one stream", query(EVENTS, stream="tiny::counter-c-1")),
        ("events, of a rare type", query(EVENTS, type="Tiny.CounterIncreased.v1")),
        ("events, of no type", query(EVENTS, type="Tiny.Nothing.v1")),
        ("events, of one correlation", query(EVENTS, correlation=correlation)),
        ("events, of the first day", query(EVENTS, before="2020-01-01")),
        ("dead letters", IN_CONTEXT + "/dead-letters"),
        ("backfills", IN_CONTEXT + "/backfills"),
        ("processes", IN_CONTEXT + "/processes"),
        ("read models", IN_CONTEXT + "/read-models"),
        ("contracts", IN_CONTEXT + "/contracts"),
        ("configuration", IN_CONTEXT + "/configuration"),
    ]


def seconds_of(base, path):
    begin = time.monotonic()
    try:
        with urllib.request.urlopen(base + path, timeout=600) as answer:
            answer.read()
    except urllib.error.HTTPError as e:
        raise SystemExit(f"{path}: {e.code} {e.read().decode()}") from e
    return time.monotonic() - begin


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    given = parser.parse_args()
    with console_project(given.build) as (project, servers):
        project.fill()
        oldest = json.loads(project.run("events", "list", "--limit=1", "--json"))["events"][0]["message_id"]
        shown = json.loads(project.run("outbox", "show", oldest, "--json"))
        servers.fill(given.events)
        servers.query(f"VACUUM ANALYZE {servers.schema}.event_log")
        project.open()
        base = f"http://127.0.0.1:{project.console_port}"
        pages = pages_over(oldest, shown["metadata"]["domain"]["correlation_id"])
        first = {name: seconds_of(base, path) for name, path in pages}
        again = {name: [] for name, path in pages}
        for _ in range(given.rounds):
            for name, path in pages:
                again[name].append(seconds_of(base, path))
    print(f"{given.events} events, ms{'':20}first  median     max")
    for name, each in again.items():
        print(f"{name:34}{first[name] * 1000:6.0f}  {statistics.median(each) * 1000:6.0f}  {max(each) * 1000:6.0f}")


if __name__ == "__main__":
    main()
