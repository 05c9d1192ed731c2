"""The least a Python consumer of events can do: fetch 256, handle, ack.

argv: NATS url, broker stream, durable consumer, file that the handled ids are appended to.
"""

import os
import sys
import time

import nats
import orjson
import uvloop
from nats.errors import TimeoutError as NatsTimeout

BATCH = 256


async def main(url: str, stream: str, durable: str, file: str) -> None:
    handled = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    async def handle(order: dict) -> None:
        os.write(handled, b"%d %d\n" % (order["id"], time.time() * 1000))

    nc = await nats.connect(url)
    subscription = await nc.jetstream().pull_subscribe_bind(durable, stream)
    while True:
        try:
            messages = await subscription.fetch(BATCH, timeout=1)
        except NatsTimeout:
            continue
        for message in messages:
            await handle(orjson.loads(message.data))
            await message.ack()


uvloop.run(main(*sys.argv[1:]))
