"""One connection to the broker, with what every role needs around it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

from nats.errors import StaleConnectionError

from ..errors import MotiaError
from .address import BrokerAddress
from .dial import dial, text_of
from .message import Message
from .mux import ReplyMux
from .nats_client import DirectSubscription, NatsClient
from .stall import StallWatch

_CLOSED = "the connection to the broker was closed"
_LOST = "the connection to the broker dropped"
# How the server says it.
_MAY_NOT_PUBLISH = re.compile(r'permissions violation for publish to "(.+)"', re.IGNORECASE)


async def connect_broker(
    address: BrokerAddress,
    *,
    name: str,
    timeout: float = 10.0,
    on_disconnect: Callable[[], object] | None = None,
    on_reconnect: Callable[[], object] | None = None,
    on_error: Callable[[str], object] | None = None,
) -> Broker:
    """Connects within `timeout` seconds and checks the server.

    `on_disconnect` is called when the connection drops; it will be made again by itself. `on_reconnect`: it is back;
    memory streams may be gone. `on_error`: something to tell a person, such as refused permissions.

    Raises `MotiaError` `BROKER_UNREACHABLE`, `BROKER_AUTH` or `BROKER_TOO_OLD`, with the setting to look at.
    """
    client = await dial(address, name, timeout)
    broker = Broker(client, on_disconnect, on_error, replicas=address.replicas, locked=address.locked)
    if on_reconnect:
        broker.add_reconnect_listener(on_reconnect)
    return broker


class Broker:
    """A connection that stands, or will again. Made by `connect_broker`; use it on the event loop that made it."""

    def __init__(
        self,
        client: NatsClient,
        on_disconnect: Callable[[], object] | None,
        on_error: Callable[[str], object] | None,
        *,
        replicas: int = 1,
        locked: bool = False,
    ) -> None:
        self._client = client
        self.replicas = replicas
        """On how many of its servers each broker stream is kept."""
        self.locked = locked
        """Nothing is made here, as `BrokerAddress.locked`."""
        self._on_disconnect = on_disconnect
        self._on_error = on_error
        self._reconnect_listeners: list[Callable[[], object]] = []
        self._waiting: set[asyncio.Future[None]] = set()
        self._up = True
        self._closed = False
        self._last_error = ""
        client.on_lost = self._lost
        client.on_reconnected = self._reconnected
        client.on_error = self._failed
        self._mux = ReplyMux(client)
        self._stalls = StallWatch(self._stalled)
        # The methods themselves and no wrappers: these are called for every message.
        self.send = client.send
        self.flush_sends = client.write_pending
        self.request = self._mux.request
        self.request_many = self._mux.request_many
        self.request_deliveries = self._mux.request_deliveries

    def subscribe(self, subject: str, callback: Callable[[Message], object]) -> DirectSubscription:
        """Calls back with every message on a subject, in the turn in which it is read. End it with its `close()`."""
        return self._client.subscribe_direct(subject, callback)

    def new_inbox(self) -> str:
        """A subject that nobody else has."""
        return self._client.new_inbox()

    async def flush(self) -> None:
        """Returns when everything published so far has reached the server, and what it had sent by then is here.

        Raises `MotiaError` `BROKER_LOST` or `BROKER_TIMEOUT`.
        """
        await self._mux.round_trip(10.0)

    def connected(self) -> bool:
        """Whether the connection stands right now."""
        return self._up

    def closed(self) -> bool:
        """Whether it was closed, by us or for good by the client library, so that it will never stand again."""
        return self._closed or self._client.is_closed

    async def when_connected(self, timeout: float) -> None:
        """Returns when the connection stands or is closed, or after `timeout` seconds."""
        if self._up or self._closed:
            return
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(waiting)
        try:
            await asyncio.wait({waiting}, timeout=max(0.0, timeout))
        finally:
            self._waiting.discard(waiting)

    def add_reconnect_listener(self, listener: Callable[[], object]) -> Callable[[], None]:
        """Calls back whenever the connection is back. Stop with the returned function."""
        self._reconnect_listeners.append(listener)
        return lambda: self._reconnect_listeners.remove(listener)

    def may_be_stale(self, ack_wait_ms: int) -> bool:
        """Whether a message that arrives now may have been sent long ago, since this process stood still meanwhile."""
        return self._stalls.may_be_stale(ack_wait_ms)

    def max_payload(self) -> int:
        """Largest message the server takes, in bytes."""
        return self._client.max_payload

    async def close(self) -> None:
        """Flushes what was published and closes. What waits for an answer gets `BROKER_LOST`."""
        if self._closed:
            return
        self._closed = True
        self._stalls.stop()
        self._mux.reject_all(_CLOSED)
        if self._up:
            try:
                await self._mux.round_trip(2.0)
            except MotiaError:
                self._client.abort()
        self._up = False
        self._mux.close(_CLOSED)
        self._resume()
        await self._client.close()

    def _lost(self) -> None:
        self._up = False
        self._mux.reject_all(_LOST)
        if self._on_disconnect and not self._closed:
            self._on_disconnect()

    def _reconnected(self) -> None:
        if self._closed:
            return
        self._up = True
        self._last_error = ""
        self._resume()
        for listener in [*self._reconnect_listeners]:
            listener()

    def _failed(self, error: Exception) -> None:
        if isinstance(error, (OSError, asyncio.TimeoutError, StaleConnectionError)):
            return  # the connection dropped, or could not be made again yet
        text = text_of(error)
        if refused := _MAY_NOT_PUBLISH.search(text):
            self._mux.refuse(refused[1])
        if self._on_error and not self._closed and (self._up or text != self._last_error):
            self._on_error(text)
        self._last_error = text

    def _stalled(self, ms: int) -> None:
        if self._on_error:
            self._on_error(f"this process stood still for {ms} ms; what was handed to it meanwhile is left to others")

    def _resume(self) -> None:
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)
