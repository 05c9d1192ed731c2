"""Adds 1 to a number of state again and again, in ten lanes: `<server url> <app> <group> <key> <times>`."""

import asyncio
import sys

from motia.broker.address import BrokerAddress
from motia.broker.connect import connect_broker
from motia.broker.state import StateStore
from motia.protocol.subjects import create_names

servers, app, group, key, times = sys.argv[1:]
left = int(times)


async def increment(n):
    return (n or 0) + 1


async def main():
    broker = await connect_broker(BrokerAddress(servers), name="contender")
    store = StateStore(broker, create_names(app))
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)

    async def lane():
        global left
        while left > 0:
            left -= 1
            await store.update(group, key, increment)

    await asyncio.gather(*[lane() for _ in range(10)])
    await broker.close()


asyncio.run(main())
