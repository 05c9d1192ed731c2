"""One message taken from a durable consumer, and the answers it can get."""

from __future__ import annotations

import time

from .connect import Broker
from .message import Message

_ACK = b"+ACK"
_ACK_AND_ASK = b"+NXT "
_WORKING = b"+WPI"
_HAND_BACK = b"-NAK"
_TERMINATE = b"+TERM"


class Delivery:
    """A message that a consumer delivered, until it is answered."""

    __slots__ = ("_broker", "_message", "delivery_count", "pending", "received_at", "sequence", "stored_at")

    def __init__(self, broker: Broker, message: Message) -> None:
        self._broker = broker
        self._message = message
        # $JS.ACK.[<domain>.<account>.]<stream>.<consumer>.<delivered>.<stream seq>.<consumer
        # seq>.<time>.<pending>[.<token>]
        parts = message.reply.split(".")
        first = 6 if len(parts) > 9 else 4
        self.delivery_count = int(parts[first])
        """How often the broker has handed this message out, this time included. Not the attempt number."""
        self.sequence = int(parts[first + 1])
        """Sequence in the broker stream: with the stream's name the identity of the stored message."""
        self.stored_at = int(parts[first + 3]) // 1_000_000
        """When the broker stored it, ms since 1970."""
        self.pending = int(parts[first + 4])
        """How many more wait in the consumer."""
        self.received_at = int(time.time() * 1000)
        """When it came here, ms since 1970."""

    @property
    def headers(self) -> dict[str, str]:
        """The message's headers."""
        return self._message.headers

    @property
    def subject(self) -> str:
        """The subject it was stored under."""
        return self._message.subject

    @property
    def data(self) -> bytes:
        """The message's body."""
        return self._message.data

    def ack(self) -> None:
        """Done: the broker forgets it."""
        self._broker.send(self._message.reply, _ACK)

    def ack_and_ask(self, request: bytes, inbox: str) -> None:
        """Done, and asks for more, by a request for messages that are to come to `inbox`: one message to the broker
        instead of two.
        """
        self._broker.send(self._message.reply, _ACK_AND_ASK + request, inbox)

    def hand_back(self, delay_ms: int | None = None) -> None:
        """Not done: the broker hands it out again, at the earliest after `delay_ms`."""
        answer = _HAND_BACK if delay_ms is None else b'%s {"delay":%d}' % (_HAND_BACK, delay_ms * 1_000_000)
        self._broker.send(self._message.reply, answer)

    def terminate(self) -> None:
        """Never again, for a message that cannot be read."""
        self._broker.send(self._message.reply, _TERMINATE)

    async def working(self) -> None:
        """Renews the ack wait; returns when the broker has confirmed.

        Raises `MotiaError` `BROKER_LOST` or `BROKER_TIMEOUT`.
        """
        await self._broker.request(self._message.reply, _WORKING, timeout=2.0)
