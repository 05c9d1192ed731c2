"""Which attempt the first event of an ordered consumer is at.

It waits for the next one in its place, unchanged, so this is kept beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from ..protocol.subjects import Names
from .connect import Broker
from .key_value import read_entry, write_entry


@dataclass(frozen=True, slots=True)
class AttemptMark:
    """Where an event stands."""

    sequence: int
    """Which event it is about, by its place in the broker stream."""
    attempt: int
    """The next attempt, from 2."""
    not_before: int
    """When it is to be made, ms since 1970."""
    deliveries: int
    """How often the broker had handed the event out until then."""


class AttemptMarks:
    """Of one durable consumer: it has one first event, and so one mark."""

    def __init__(self, broker: Broker, names: Names, durable: str) -> None:
        self._broker = broker
        self._bucket = names.buckets.delivery
        self._key = names.mark_key(durable)

    async def read(self, sequence: int) -> AttemptMark | None:
        """The mark of an event, if it has one."""
        entry = await read_entry(self._broker, self._bucket, self._key)
        if entry is None:
            return None
        stored = orjson.loads(entry.data)
        if stored["sequence"] != sequence:
            return None
        return AttemptMark(sequence, stored["attempt"], stored["notBefore"], stored["deliveries"])

    async def write(self, mark: AttemptMark) -> None:
        stored = {
            "sequence": mark.sequence,
            "attempt": mark.attempt,
            "notBefore": mark.not_before,
            "deliveries": mark.deliveries,
        }
        await write_entry(self._broker, self._bucket, self._key, orjson.dumps(stored))
