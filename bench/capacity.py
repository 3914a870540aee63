#!/usr/bin/env python3
"""What an installation of Sluice carries, and what gives first; docs/scaling.md explains the model and has its constants.

    bench/capacity.py                                       # what 10, 100 and 1,000 times of today's rate need
    bench/capacity.py limits --databases 2 --shards 4       # the limits of one installation, the lowest first
    bench/capacity.py simulate --rate 50000 --shards 2      # from commit to acknowledgement, by a simulation of the lanes
"""
import argparse
import math
import pathlib
import random
import re
import sys

PAGE = pathlib.Path(__file__).resolve().parent.parent / "docs" / "scaling.md"
TODAY = 6000  # events per second: 32 writers beside running lanes, on two cores


def read_constants(text):
    """The rows of the first table: | `name` | value | ..."""
    found = {name: float(value.replace(",", ""))
             for name, value in re.findall(r"^\| `([a-z_]+)` \| ([0-9.,]+) \|", text, re.MULTILINE)}
    if not found:
        raise SystemExit(f"capacity: {PAGE} has no table of constants, | `name` | value |")
    return found


def limits(constants, setup):
    """Events per second that each part carries, by name. A part is used up to `share` of it."""
    c, s = constants, setup
    on_database = c["commit_us"] + s.brokers * (c["lane_database_us"] + (s.shards - 1) * c["foreign_row_us"])
    in_engines = s.brokers * c["lane_program_us"]
    turn_us = c["turn_us"] + 3000 * s.rtt_ms + s.batch * c["lane_row_us"]
    found = {
        "CPU of the databases": s.databases * s.database_cores * s.share * 1e6 / on_database,
        "CPU of the engines": s.engines * s.engine_cores * s.share * 1e6 / in_engines,
        "lanes of one broker": s.databases * s.shards * s.batch * 1e6 / turn_us,
        "CPU of one broker's servers": s.broker_servers * s.share * 1e6 / c["lane_broker_us"],
        "log of the databases": s.databases * s.disk_mb * 1e6 / (c["commit_wal_bytes"] + s.brokers * c["lane_wal_bytes"]),
    }
    handlers = min(s.partitions, s.consumers * s.concurrency) if s.partitions else s.consumers * s.concurrency
    if handlers:
        found["handlers"] = handlers * 1e6 / (c["consume_us"] + 1000 * s.handler_ms)
    return dict(sorted(found.items(), key=lambda item: item[1]))


def needs(constants, setup, rate):
    """What `rate` events per second need of each part, when nothing else is in the way."""
    c, s = constants, setup
    databases = math.ceil(rate / min(limits(c, s)[name] / s.databases for name in ("CPU of the databases", "log of the databases")))
    lane = s.batch * 1e6 / (c["turn_us"] + 3000 * s.rtt_ms + s.batch * c["lane_row_us"])
    return {
        "databases": databases,
        "shards": math.ceil(rate / databases / (lane * s.share)),
        "engine_cores": math.ceil(rate * s.brokers * c["lane_program_us"] / 1e6 / s.share),
        "broker_servers": math.ceil(rate * c["lane_broker_us"] / 1e6 / s.share),
        "handlers": math.ceil(rate * (c["consume_us"] + 1000 * s.handler_ms) / 1e6),
        "gb_a_day": rate * 86400 * (c["event_bytes"] + s.brokers * c["row_bytes"]) / 1e9,
    }


def simulate(constants, rate, lanes, batch, rtt_ms, events, seed):
    """Milliseconds from the commit to the acknowledgement: events come at random, each to a lane of its own stream; a lane
    takes what waits, at most a batch, has it acknowledged, and is free when it is settled.
    @returns all of them, ascending"""
    c, chance = constants, random.Random(seed)
    waits, now = [], 0.0
    arrivals = [[] for _ in range(lanes)]
    for _ in range(events):
        now += chance.expovariate(rate) * 1e6
        arrivals[chance.randrange(lanes)].append(now)
    for queue in arrivals:
        free, first = 0.0, 0
        while first < len(queue):
            start = max(free, queue[first])
            last = first
            while last < len(queue) and last - first < batch and queue[last] <= start:
                last += 1
            rows_us = (last - first) * c["lane_row_us"]
            acknowledged = start + c["acknowledge_us"] + 2000 * rtt_ms + rows_us
            free = start + c["turn_us"] + 3000 * rtt_ms + rows_us
            waits += [(acknowledged - at) / 1000 for at in queue[first:last]]
            first = last
    return sorted(waits)


def quantile(values, share):
    return values[min(len(values) - 1, int(share * len(values)))]


def show_plan(constants, setup):
    print(f"{'events/s':>10} {'databases':>10} {'shards':>7} {'engine cores':>13} {'broker servers':>15} "
          f"{'handlers':>9} {'GB a day':>9}")
    for factor in (1, 10, 100, 1000):
        n = needs(constants, setup, TODAY * factor)
        print(f"{TODAY * factor:>10,} {n['databases']:>10,} {n['shards']:>7,} {n['engine_cores']:>13,} "
              f"{n['broker_servers']:>15,} {n['handlers']:>9,} {n['gb_a_day']:>9,.0f}")


def parser():
    p = argparse.ArgumentParser(prog="capacity.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("what", nargs="?", choices=("plan", "limits", "simulate"), default="plan")
    p.add_argument("--databases", type=int, default=1)
    p.add_argument("--database-cores", type=int, default=16, help="of each (16)")
    p.add_argument("--engines", type=int, default=2)
    p.add_argument("--engine-cores", type=int, default=4, help="of each (4)")
    p.add_argument("--brokers", type=int, default=2, help="target brokers of an event, the internal one included (2)")
    p.add_argument("--shards", type=int, default=1, help="of each broker (1)")
    p.add_argument("--batch", type=int, default=1000, help="messages_per_tick (1000)")
    p.add_argument("--rtt-ms", type=float, default=0.2, help="of the network, to database and broker (0.2)")
    p.add_argument("--broker-servers", type=int, default=1, help="cores that one broker takes messages with (1)")
    p.add_argument("--disk-mb", type=float, default=300, help="MB/s that a database writes to its log (300)")
    p.add_argument("--consumers", type=int, default=0, help="processes with handlers; 0: not looked at")
    p.add_argument("--concurrency", type=int, default=1, help="handlers of each at once (1)")
    p.add_argument("--partitions", type=int, default=0, help="of a Kafka topic; 0: another broker")
    p.add_argument("--handler-ms", type=float, default=1, help="of one message, beside its commit (1)")
    p.add_argument("--share", type=float, default=0.7, help="of a core that may be busy in the long run (0.7)")
    p.add_argument("--rate", type=float, default=TODAY, help="events per second to simulate")
    p.add_argument("--events", type=int, default=100000, help="to simulate")
    p.add_argument("--seed", type=int, default=1)
    return p


def main(arguments):
    setup = parser().parse_args(arguments)
    constants = read_constants(PAGE.read_text(encoding="utf-8"))
    if setup.what == "limits":
        for name, rate in limits(constants, setup).items():
            print(f"{name:28} {rate:>12,.0f} events/s")
    elif setup.what == "simulate":
        waits = simulate(constants, setup.rate, setup.databases * setup.shards, setup.batch, setup.rtt_ms, setup.events,
                         setup.seed)
        print(f"{setup.rate:,.0f} events/s, {setup.databases * setup.shards} lanes: p50 {quantile(waits, .5):.2f} ms, "
              f"p99 {quantile(waits, .99):.2f} ms")
    else:
        show_plan(constants, setup)


if __name__ == "__main__":
    main(sys.argv[1:])
