"""The least a Python worker can do behind our gateway: pull a call, run its handler, ack, reply.

argv: NATS url, broker stream, durable consumer. One process, nats-py on uvloop, orjson.
"""

import asyncio
import sys

import nats
import orjson
import uvloop

BATCH = 256
HEADERS = [("content-type", "application/json; charset=utf-8")]


def hello(meta, body):
    return {"message": "hello"}


def order(meta, body):
    data = orjson.loads(body)
    return {"id": data["id"], "total": data["price"] * data["count"]}


HANDLERS = {"/hello": hello, "/order": order}


async def main(url: str, stream: str, durable: str) -> None:
    nc = await nats.connect(url)
    inbox = nc.new_inbox()
    subject = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}"
    asked = 0

    async def pull() -> None:
        nonlocal asked
        if asked < BATCH // 2:
            await nc.publish(subject, b'{"batch":%d}' % (BATCH - asked), reply=inbox)
            asked = BATCH

    async def take(message) -> None:
        nonlocal asked
        if not message.reply.startswith("$JS.ACK."):
            asked = 0
            await pull()
            return
        asked -= 1
        await pull()
        await nc.publish(message.reply, b"+ACK")
        data = message.data
        end = 4 + int.from_bytes(data[:4], "big")
        meta = orjson.loads(data[4:end])
        answer = orjson.dumps(HANDLERS[meta["url"]](meta, data[end:]))
        head = orjson.dumps({"t": "end", "status": 200, "headers": HEADERS})
        await nc.publish(meta["reply"], len(head).to_bytes(4, "big") + head + answer)

    await nc.subscribe(inbox, cb=take)
    await pull()
    await asyncio.Event().wait()


uvloop.run(main(*sys.argv[1:]))
