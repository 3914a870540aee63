"""The official Python client of NATS: the other side of a stream.

    peer.py read  URI SUBJECT N            reads N messages with a pull consumer of its own
    peer.py write URI SUBJECT KEY BODY...  publishes each body with a key
    peer.py group URI BUCKET               shows what the key-value bucket holds

What there is to see is printed as one JSON object per line.
"""

import asyncio
import json
import sys

import nats


async def read(stream, subject, count):
    subscription = await stream.pull_subscribe(subject, durable="peer")
    seen = 0
    while seen < count:
        for message in await subscription.fetch(count - seen, timeout=10):
            print(
                json.dumps({"subject": message.subject, "headers": message.headers, "data": message.data.decode()}),
                flush=True,
            )
            await message.ack_sync()
            seen += 1


async def write(stream, subject, key, bodies):
    for body in bodies:
        ack = await stream.publish(subject, body.encode(), headers={"sluice-key": key, "traceparent": "00-1-2-01"})
        print(json.dumps({"stream": ack.stream, "seq": ack.seq}), flush=True)


async def show_bucket(stream, bucket):
    store = await stream.key_value(bucket)
    for key in sorted(await store.keys()):
        print(json.dumps({"key": key, "value": (await store.get(key)).value.decode()}), flush=True)


async def main(action, uri, name, *rest):
    connection = await nats.connect(uri)
    stream = connection.jetstream()
    if action == "read":
        await read(stream, name, int(rest[0]))
    elif action == "write":
        await write(stream, name, rest[0], rest[1:])
    else:
        await show_bucket(stream, name)
    await connection.close()


asyncio.run(main(*sys.argv[1:]))
