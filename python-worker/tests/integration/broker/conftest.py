"""A real nats-server for each test file, one app on it, and connections that end with the test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
import uvloop

from motia.broker.address import BrokerAddress
from motia.broker.connect import Broker, connect_broker
from motia.protocol.subjects import Names, create_names
from tests.helpers.nats_server import NatsServer, make_topology

Connect = Callable[..., Awaitable[Broker]]


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The loop that workers run on."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture(scope="module")
def server() -> Iterator[NatsServer]:
    server = NatsServer()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def names(server: NatsServer) -> Names:
    """The names of an app whose streams and buckets are there, made by the code that makes them in production."""
    make_topology(server, "app")
    return create_names("app")


@pytest.fixture
async def connect(server: NatsServer) -> AsyncIterator[Connect]:
    brokers: list[Broker] = []

    async def connect(**options: Any) -> Broker:
        broker = await connect_broker(BrokerAddress(server.url), name="test", **options)
        brokers.append(broker)
        return broker

    yield connect
    for broker in brokers:
        await broker.close()


@pytest.fixture
async def broker(connect: Connect, names: Names) -> Broker:
    return await connect()
