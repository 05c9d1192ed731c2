"""What handlers reach on the broker. The connection is made when there is time, at the latest when it is needed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from ..broker.address import BrokerAddress
from ..broker.blobs import BlobStore
from ..broker.confined_key_value import OWN_GROUPS
from ..broker.connect import Broker, connect_broker
from ..broker.events import EventStore
from ..broker.state import StateStore
from ..broker.streams import StreamStore
from ..errors import MotiaError
from ..protocol.subjects import create_names

_CONNECT_WITHIN_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class _Connected:
    broker: Broker
    events: EventStore
    state: StateStore
    own_state: StateStore
    """Of steps that name their groups."""
    streams: StreamStore
    bodies: BlobStore


class BrokerServices:
    """The services of a handler process. Whoever asks for one waits for the connection, and hears if there is none."""

    def __init__(self, address: BrokerAddress, app: str) -> None:
        self._address = address
        self._names = create_names(app)
        self._connecting: asyncio.Task[_Connected] | None = None
        self._ready: _Connected | None = None

    def connect(self) -> None:
        """Begins to connect. A try that failed is made again by whoever needs the connection."""
        if self._connecting is None or (self._connecting.done() and self._ready is None):
            self._connecting = asyncio.create_task(self._connect())
            self._connecting.add_done_callback(lambda task: task.cancelled() or task.exception())

    async def events(self) -> EventStore:
        return (self._ready or await self._connected()).events

    async def state(self, confined: bool) -> StateStore:
        """`confined`: for a step that names its groups: where the broker is locked, its user may reach no others."""
        services = self._ready or await self._connected()
        return services.own_state if confined else services.state

    async def streams(self) -> StreamStore:
        return (self._ready or await self._connected()).streams

    async def bodies(self) -> BlobStore:
        return (self._ready or await self._connected()).bodies

    async def close(self) -> None:
        """Waits for a connection that is being made, and closes it."""
        if self._connecting is None:
            return
        try:
            connected = await self._connecting
        except MotiaError:
            return
        await connected.broker.close()

    async def _connected(self) -> _Connected:
        self.connect()
        assert self._connecting is not None
        return await asyncio.shield(self._connecting)  # one that is cancelled cancels only its own wait

    async def _connect(self) -> _Connected:
        name = f"{self._names.app} python handlers"
        broker = await connect_broker(self._address, name=name, timeout=_CONNECT_WITHIN_S)
        state = StateStore(broker, self._names)
        self._ready = _Connected(
            broker,
            EventStore(broker, self._names),
            state,
            StateStore(broker, self._names, OWN_GROUPS) if broker.locked else state,
            StreamStore(broker, self._names),
            BlobStore(broker, self._names.buckets.bodies),
        )
        return self._ready
