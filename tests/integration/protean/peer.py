"""A bounded context written with Protean 0.17: the other side of a stream.

    peer.py publish   --internal URI --partner URI ID...       ships each order and runs the outbox until both have it
    peer.py handle    --internal URI --expect N                an event handler of the internal stream
    peer.py subscribe --internal URI --partner URI --expect N  a subscriber of that stream at the partner
    peer.py dlq       --internal URI                           the dead letters of the stream

What there is to see is printed as one JSON object per line.
"""

import argparse
import asyncio
import json
import logging
import threading
import time

import redis
from protean import Domain, handle
from protean.fields import Float, Identifier, String
from protean.server import Engine

STREAM = "shop::order"
shown = 0


def show(what):
    global shown
    print(json.dumps(what), flush=True)
    shown += 1


def make_domain(arguments):
    brokers = {"default": {"provider": "redis", "URI": arguments.internal}}
    outbox = {"broker": "default", "messages_per_tick": 50, "tick_interval": 0}
    if arguments.partner:
        brokers["partner_events"] = {"provider": "redis", "URI": arguments.partner}
        outbox["external_brokers"] = ["partner_events"]
    domain = Domain(
        name="shop",
        config={
            "databases": {"default": {"provider": "memory"}},
            "brokers": brokers,
            "outbox": outbox,
            "event_processing": "async",
            "server": {"default_subscription_type": "stream"},
        },
    )

    @domain.event(part_of="Order", published=True)
    class OrderShipped:
        order_id = Identifier(required=True)
        carrier = String()
        weight = Float()

    @domain.aggregate(stream_category="order")
    class Order:
        order_id = Identifier(identifier=True)

        def ship(self):
            self.raise_(OrderShipped(order_id=self.order_id, carrier="Käthe & Söhne", weight=2.0))

    domain.order = Order

    if arguments.action == "handle":

        @domain.event_handler(part_of=Order)
        class Ledger:
            @handle(OrderShipped)
            def on_shipped(self, event):
                show({"order_id": event.order_id, "carrier": event.carrier, "weight": event.weight,
                      "id": event._metadata.headers.id})

    if arguments.action == "subscribe":

        @domain.subscriber(stream=STREAM, broker="partner_events")
        class Inbox:
            def __call__(self, payload):
                show(payload)

    domain.init(traverse=False)
    return domain


def run_engine(domain, enough):
    engine = Engine(domain)

    def stop_when_done():
        deadline = time.monotonic() + 30
        while not enough() and time.monotonic() < deadline:
            time.sleep(0.02)
        engine.loop.call_soon_threadsafe(lambda: asyncio.ensure_future(engine.shutdown()))

    threading.Thread(target=stop_when_done, daemon=True).start()
    engine.run()


def publish(domain, arguments):
    for order_id in arguments.ids:
        order = domain.order(order_id=order_id)
        order.ship()
        domain.repository_for(domain.order).add(order)
    servers = [redis.Redis.from_url(uri) for uri in (arguments.internal, arguments.partner)]
    run_engine(domain, lambda: all(server.xlen(STREAM) >= len(arguments.ids) for server in servers))


def list_dead_letters(domain):
    for entry in domain.brokers["default"].dlq_list([STREAM + ":dlq"]):
        show({"stream": entry.stream, "group": entry.consumer_group, "original_id": entry.original_id,
              "reason": entry.failure_reason, "retries": entry.retry_count, "payload": entry.payload})


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("action", choices=["publish", "handle", "subscribe", "dlq"])
    parser.add_argument("ids", nargs="*")
    parser.add_argument("--internal", required=True)
    parser.add_argument("--partner")
    parser.add_argument("--expect", type=int, default=0)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.ERROR)

    domain = make_domain(arguments)
    with domain.domain_context():
        if arguments.action == "publish":
            publish(domain, arguments)
        elif arguments.action == "dlq":
            list_dead_letters(domain)
        else:
            run_engine(domain, lambda: shown >= arguments.expect)


main()
