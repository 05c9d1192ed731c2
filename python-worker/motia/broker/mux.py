"""Request/reply over one inbox subscription.

Unlike the client's own `request` it rejects everything in flight at once when the connection drops, and costs no timer
and no task per call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from ..errors import ErrorCode, MotiaError
from .message import Message
from .nats_client import NatsClient

_SWEEP_S = 0.1
_NO_RESPONDERS = 503


class _Waiting:
    """One call under way: its future, and for several replies what has come so far."""

    __slots__ = ("expires", "future", "is_last", "replies", "subject", "timeout")

    def __init__(
        self,
        subject: str,
        future: asyncio.Future[Any],
        expires: float,
        timeout: float,
        is_last: Callable[[Message], bool] | None,
    ) -> None:
        self.subject = subject
        self.future = future
        self.expires = expires
        self.timeout = timeout
        self.is_last = is_last
        self.replies: list[Message] = []


class ReplyMux:
    """The calls under way of one connection."""

    def __init__(self, client: NatsClient) -> None:
        self._client = client
        self._loop = asyncio.get_running_loop()
        self._prefix = f"{client.new_inbox()}."
        self._waiting: dict[str, _Waiting] = {}
        self._count = 0
        self._sweeper: asyncio.TimerHandle | None = None
        self._closed_because: str | None = None
        client.subscribe_direct(f"{self._prefix}*", lambda reply: self._settle(self._token_of(reply.subject), reply))

    def request(
        self, subject: str, data: bytes = b"", headers: Mapping[str, str] | None = None, timeout: float = 5.0
    ) -> asyncio.Future[Message]:
        """Publishes; the future has the first reply.

        It raises `MotiaError` `BROKER_TIMEOUT` after `timeout` seconds, or `BROKER_LOST` when the connection dropped or
        nobody listens: in both cases the outcome is unknown.
        """
        future, reply_to = self._wait(subject, timeout, None)
        self._publish(future, subject, data, reply_to, headers)
        return future

    def request_many(
        self,
        subject: str,
        data: bytes,
        is_last: Callable[[Message], bool],
        headers: Mapping[str, str] | None = None,
        timeout: float = 5.0,
    ) -> asyncio.Future[list[Message]]:
        """Publishes and gathers the replies up to the one that `is_last` tells, which is among them.

        Raises as `request`; `timeout` is the longest silence between two replies.
        """
        future, reply_to = self._wait(subject, timeout, is_last)
        self._publish(future, subject, data, reply_to, headers)
        return future

    async def request_deliveries(self, subject: str, data: bytes, is_last: Callable[[Message], bool]) -> list[Message]:
        """As `request_many`, of what a consumer delivers: that keeps its subject, so it has an inbox of its own."""
        future, reply_to = self._wait(subject, 5.0, is_last)
        inbox, token = self._client.new_inbox(), self._token_of(reply_to)
        subscription = self._client.subscribe_direct(inbox, lambda reply: self._settle(token, reply))
        try:
            self._publish(future, subject, data, inbox, None)
            replies: list[Message] = await future
        finally:
            subscription.close()
        return replies

    def round_trip(self, timeout: float = 5.0) -> asyncio.Future[Message]:
        """Sends a message to this very connection: when it is back, the server has had all that was sent before."""
        future, reply_to = self._wait("", timeout, None)
        self._publish(future, reply_to, b"", "", None)
        return future

    def reject_all(self, reason: str) -> None:
        """Rejects everything in flight: the connection dropped, so no reply can be trusted to come."""
        waiting = list(self._waiting.values())
        self._waiting.clear()
        for call in waiting:
            _reject(call.future, "BROKER_LOST", reason)

    def refuse(self, subject: str) -> None:
        """Rejects what was published to a subject that the broker does not let this user publish to."""
        refused = [token for token, call in self._waiting.items() if call.subject == subject]
        for token in refused:
            reason = f"the broker does not let this user publish to {subject}: see its permissions there"
            future = self._waiting.pop(token).future
            _reject(future, "BROKER_REFUSED", f"{reason} (motia nats-config writes them)")

    def close(self, reason: str) -> None:
        """Rejects everything in flight, and from now on every call."""
        self._closed_because = reason
        self.reject_all(reason)
        if self._sweeper is not None:
            self._sweeper.cancel()

    def _wait(
        self, subject: str, timeout: float, is_last: Callable[[Message], bool] | None
    ) -> tuple[asyncio.Future[Any], str]:
        future: asyncio.Future[Any] = self._loop.create_future()
        if self._closed_because is not None:
            _reject(future, "BROKER_LOST", self._closed_because)
            return future, ""
        self._count += 1
        token = f"{self._count:x}"
        self._waiting[token] = _Waiting(subject, future, self._loop.time() + timeout, timeout, is_last)
        if self._sweeper is None:
            self._sweeper = self._loop.call_later(_SWEEP_S, self._sweep)
        return future, self._prefix + token

    def _publish(
        self, future: asyncio.Future[Any], subject: str, data: bytes, reply_to: str, headers: Mapping[str, str] | None
    ) -> None:
        if future.done():
            return
        try:
            self._client.send(subject, data, reply_to, headers)
        except MotiaError as error:
            future.set_exception(error)

    def _token_of(self, reply_to: str) -> str:
        return reply_to[len(self._prefix) :]

    def _settle(self, token: str, reply: Message) -> None:
        call = self._waiting.get(token)
        if call is None:
            return
        if not reply.data and reply.status == _NO_RESPONDERS:
            del self._waiting[token]
            _reject(call.future, "BROKER_LOST", "nothing on the broker listens to this subject (yet)")
            return
        if call.is_last is None:
            result: Any = reply
        else:
            call.replies.append(reply)
            if not call.is_last(reply):
                call.expires = self._loop.time() + call.timeout
                return
            result = call.replies
        del self._waiting[token]
        if not call.future.done():
            call.future.set_result(result)

    def _sweep(self) -> None:
        now = self._loop.time()
        over = [token for token, call in self._waiting.items() if call.expires <= now or call.future.done()]
        for token in over:
            _reject(self._waiting.pop(token).future, "BROKER_TIMEOUT", "the broker did not answer in time")
        self._sweeper = self._loop.call_later(_SWEEP_S, self._sweep) if self._waiting else None


def _reject(future: asyncio.Future[Any], code: ErrorCode, reason: str) -> None:
    if not future.done():  # whoever waited may be cancelled
        future.set_exception(MotiaError(code, reason))
