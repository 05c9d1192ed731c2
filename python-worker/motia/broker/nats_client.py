"""The NATS client with a short way in and out, and without what would end or hang its reconnecting.

This is the one place that knows more of `nats-py` than its documentation says: the methods that are overridden here,
`_pending` (commands that go out with the next write), `_subs` (what is subscribed again after a reconnect) and
`_transport`. The tests of the broker folder hold each of them to a real server.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from nats.aio.client import Client, Srv
from nats.aio.subscription import Subscription
from nats.errors import Error, SecureConnWantedError
from nats.protocol import command

from ..errors import MotiaError
from .message import Message

# What may wait for a reconnect, in bytes. More than that is dropped: whoever waits for an answer to it asks again.
_MOST_PENDING = 32 * 1024 * 1024


def _ignore(*_: object) -> None:
    pass


class DirectSubscription(Subscription):
    """A subscription whose messages go to a plain function, without a queue and a task between socket and function."""

    def __init__(self, client: NatsClient, sid: int, subject: str, deliver: Callable[[Message], object]) -> None:
        super().__init__(client, sid, subject)
        self.deliver = deliver
        self._client = client

    def close(self) -> None:
        """Ends the subscription: from now on nothing is delivered."""
        self._client.remove(self)


class NatsClient(Client):
    """A connection. Call everything on the event loop that made it."""

    def __init__(self) -> None:
        super().__init__()
        self._loop = asyncio.get_running_loop()
        self._write_is_due = False
        self.on_lost: Callable[[], object] = _ignore
        """Called as soon as the connection is known to be lost, and before it is made again."""
        self.on_reconnected: Callable[[], object] = _ignore
        self.on_error: Callable[[Exception], object] = _ignore
        """Called with what the server complains of, and with every connection or attempt at one that failed."""

    @property
    def server_info(self) -> Mapping[str, Any]:
        """What the server says of itself."""
        return self._server_info

    async def dial(self, options: Mapping[str, Any]) -> None:
        """Connects, trying for ever; `options` as those of `connect`."""

        async def on_error(error: Exception) -> None:
            self.on_error(error)

        async def on_reconnected() -> None:
            self.on_reconnected()

        await self.connect(pending_size=_MOST_PENDING, error_cb=on_error, reconnected_cb=on_reconnected, **options)

    # ---- in

    def subscribe_direct(self, subject: str, deliver: Callable[[Message], object]) -> DirectSubscription:
        """Calls `deliver` with every message. What it raises goes to the event loop's exception handler."""
        self._sid += 1
        subscription = DirectSubscription(self, self._sid, subject, deliver)
        self._subs[self._sid] = subscription
        if self.is_connected:  # else it is subscribed with the others, as soon as the connection is back
            self._enqueue_command(command.sub_cmd(subject, "", self._sid))
        return subscription

    def remove(self, subscription: DirectSubscription) -> None:
        """Ends a subscription."""
        if self._subs.pop(subscription._id, None) is not None and self.is_connected:
            self._enqueue_command(command.unsub_cmd(subscription._id, 0))

    async def _process_msg(self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: bytes) -> None:
        subscription = self._subs.get(sid)
        if not isinstance(subscription, DirectSubscription):
            return
        try:
            subscription.deliver(Message(subject.decode(), reply.decode(), data, headers))
        except Exception as error:  # would end the reading from the socket
            context = {"message": f"a message on {subject.decode()} could not be handled", "exception": error}
            self._loop.call_exception_handler(context)

    # ---- out

    def send(self, subject: str, data: bytes, reply: str = "", headers: Mapping[str, str] | None = None) -> None:
        """Publishes at the end of this turn of the event loop, together with whatever else is sent in it.

        `publish` of the client costs a coroutine, a future and a turn of its flusher for each message; this, one write
        to the socket for all of them. While the connection is lost, messages wait for it in the client's own buffer,
        and are dropped when that is full or the connection is closed. Subjects are made by `Names` or come from the
        broker.

        Raises `MotiaError` `BROKER_REFUSED` if the message is too large for the server, which would end the connection,
        and `INVALID_VALUE` for a header with a line break.
        """
        if headers is None:
            size = len(data)
            head = f"PUB {subject} {reply} {size}\r\n".encode()
        else:
            lines = _encode_headers(headers)
            size = len(lines) + len(data)
            head = f"HPUB {subject} {reply} {len(lines)} {size}\r\n".encode() + lines
        if size > self._max_payload:
            most = f"the broker takes {self._max_payload}"
            raise MotiaError("BROKER_REFUSED", f"a message of {size} bytes is too large, {most}")
        if self._status != Client.CONNECTED and (self.is_closed or self._pending_data_size + size > _MOST_PENDING):
            return
        self._enqueue((head, data, b"\r\n"), len(head) + len(data) + 2)

    def _enqueue(self, parts: tuple[bytes, ...], size: int) -> None:
        self._pending += parts
        self._pending_data_size += size
        if not self._write_is_due:
            self._write_is_due = True
            self._loop.call_soon(self.write_pending)

    def _enqueue_command(self, line: bytes) -> None:
        self._enqueue((line,), len(line))

    def write_pending(self) -> None:
        """Hands everything that waits to the socket now, if the connection stands."""
        self._write_is_due = False
        if not self._pending or self._status != Client.CONNECTED or self._transport is None:
            return  # the client writes it out when the connection is back, after it has subscribed again
        pending, self._pending, self._pending_data_size = self._pending, [], 0
        with suppress(RuntimeError):  # closed this very moment: lost, as what was on its way
            self._transport.write(b"".join(pending))

    # ---- the connection

    def abort(self) -> None:
        """Drops the socket with what is not written yet."""
        writer: asyncio.StreamWriter | None = getattr(self._transport, "_io_writer", None)
        if writer is not None:
            writer.transport.abort()

    async def _connect_to_server(self, s: Srv) -> None:
        self.abort()  # the client would leave open what it has given up waiting for
        await super()._connect_to_server(s)

    async def _attempt_reconnect(self) -> None:
        # The client would wait until a server that hangs has taken what is still to be written.
        self.abort()
        self.on_lost()
        await super()._attempt_reconnect()

    async def _process_err(self, err_msg: str) -> None:
        # The client would close itself for good on any error but refused permissions. After one that matters the server
        # ends the connection anyway, and it is made again.
        await self._error_cb(Error(f"the broker says: {err_msg}"))

    async def _process_info(self, info: dict[str, Any], initial_connection: bool = False) -> None:
        # The client would go on in the clear, with the password, where TLS was asked for and is not offered.
        if initial_connection and "tls" in self.options:
            if not (info.get("tls_required") or info.get("tls_available")):
                raise SecureConnWantedError
            info["tls_required"] = True
        await super()._process_info(info, initial_connection)


def _encode_headers(headers: Mapping[str, str]) -> bytes:
    text = "NATS/1.0\r\n"
    for name, value in headers.items():
        if "\n" in value or "\r" in value:
            raise MotiaError("INVALID_VALUE", f"the header {name} has a line break")
        text += f"{name}: {value}\r\n"
    return f"{text}\r\n".encode()
