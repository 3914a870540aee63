#!/usr/bin/env python3
"""The capacity model says what docs/scaling.md says, and scales as it must."""
import importlib.util
import pathlib
import sys
import unittest

ROOT = pathlib.Path(sys.argv.pop(1))
sys.dont_write_bytecode = True
SPEC = importlib.util.spec_from_file_location("capacity", ROOT / "bench" / "capacity.py")
capacity = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(capacity)


def setup(*arguments):
    return capacity.parser().parse_args(["limits", *arguments])


class Capacity(unittest.TestCase):
    def setUp(self):
        self.text = capacity.PAGE.read_text(encoding="utf-8")
        self.constants = capacity.read_constants(self.text)

    def test_the_page_shows_the_plan_of_its_constants(self):
        for factor in (1, 10, 100, 1000):
            n = capacity.needs(self.constants, setup(), capacity.TODAY * factor)
            line = f"{capacity.TODAY * factor:>10,} {n['databases']:>10,} {n['shards']:>7,}"
            self.assertIn(line, self.text)

    def test_a_page_without_constants_is_refused(self):
        with self.assertRaises(SystemExit):
            capacity.read_constants("| `name` | none |\n")

    def test_databases_multiply_and_shards_cost_the_database(self):
        one, two = (capacity.limits(self.constants, setup("--databases", n)) for n in ("1", "2"))
        sharded = capacity.limits(self.constants, setup("--shards", "4"))
        for part in ("CPU of the databases", "lanes of one broker", "log of the databases"):
            self.assertAlmostEqual(two[part], 2 * one[part])
        self.assertAlmostEqual(sharded["lanes of one broker"], 4 * one["lanes of one broker"])
        self.assertLess(sharded["CPU of the databases"], one["CPU of the databases"])

    def test_handlers_are_bounded_by_partitions(self):
        few = capacity.limits(self.constants, setup("--consumers", "8", "--partitions", "2"))["handlers"]
        many = capacity.limits(self.constants, setup("--consumers", "8", "--partitions", "16"))["handlers"]
        self.assertAlmostEqual(many, 4 * few)

    def test_what_is_needed_carries_the_rate(self):
        rate = 123456
        n = capacity.needs(self.constants, setup(), rate)
        enough = capacity.limits(self.constants, setup("--databases", str(n["databases"]), "--shards", str(n["shards"]),
                                                       "--broker-servers", str(n["broker_servers"])))
        for part in ("lanes of one broker", "CPU of one broker's servers", "log of the databases"):
            self.assertGreaterEqual(enough[part], rate)

    def test_a_simulated_queue_keeps_every_event_and_grows_with_the_load(self):
        calm, busy = (capacity.simulate(self.constants, rate, 1, 50, 0, 5000, seed=1) for rate in (100, 40000))
        self.assertEqual((len(calm), len(busy)), (5000, 5000))
        self.assertLess(capacity.quantile(calm, 0.99), capacity.quantile(busy, 0.5))
        self.assertGreaterEqual(calm[0], self.constants["acknowledge_us"] / 1000)


if __name__ == "__main__":
    unittest.main()
