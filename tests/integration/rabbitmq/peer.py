"""peer.py get URI QUEUE: one message of the queue as JSON. peer.py put URI EXCHANGE KEY: a message with headers of every kind."""

import json
import sys

import pika

action, uri, *rest = sys.argv[1:]
connection = pika.BlockingConnection(pika.URLParameters(uri))
channel = connection.channel()
if action == "get":
    method, properties, body = channel.basic_get(rest[0], auto_ack=True)
    print(
        json.dumps(
            {
                "exchange": method.exchange,
                "routing_key": method.routing_key,
                "message_id": properties.message_id,
                "delivery_mode": properties.delivery_mode,
                "content_type": properties.content_type,
                "headers": properties.headers,
                "body": body.decode(),
            },
            sort_keys=True,
        )
    )
else:
    nested = {"end": 1}
    for _ in range(50):
        nested = {"n": nested, "list": [1, "two", {"three": 3}]}
    channel.confirm_delivery()
    channel.basic_publish(
        rest[0],
        rest[1],
        b"from pika",
        pika.BasicProperties(
            message_id="p1",
            content_type="text/plain",
            headers={
                "sluice-key": "shop::order-7",
                "cloudEvents:subject": "\u20ac \"%\"",
                "cloudEvents_source": "/shop",
                "number": 17,
                "truth": True,
                "nothing": None,
                "nested": nested,
            },
        ),
        mandatory=True,
    )
connection.close()
