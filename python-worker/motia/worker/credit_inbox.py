"""Where gateways tell a worker how far the callers of streamed answers are: one address for each answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ..broker.connect import Broker
from ..broker.message import Message
from ..protocol.frames import GONE, Credit, decode_credit

_NO_RESPONDERS: Final = 503


class CreditInbox:
    """All addresses of a worker. Made and used on one event loop."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._prefix: str | None = None
        self._streams: dict[str, Callable[[Credit], None]] = {}
        self._count = 0

    def open(self, on_credit: Callable[[Credit], None]) -> str:
        """Opens an address, and gives its subject.

        Frames that have it as their reply subject are answered there by the broker itself if nobody gets them.
        """
        if self._prefix is None:
            self._prefix = f"{self._broker.new_inbox()}."
            self._broker.subscribe(f"{self._prefix}*", self._on_message)
        self._count += 1
        subject = f"{self._prefix}{self._count:x}"
        self._streams[subject] = on_credit
        return subject

    def close(self, subject: str) -> None:
        """Nobody is called for it any more."""
        self._streams.pop(subject, None)

    def _on_message(self, message: Message) -> None:
        on_credit = self._streams.get(message.subject)
        is_lost = not message.data and message.status == _NO_RESPONDERS
        credit = GONE if is_lost else decode_credit(message.data)
        if on_credit and credit is not None:
            on_credit(credit)
