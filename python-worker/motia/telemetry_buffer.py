"""What waits to be stored: bounded, and when it is full the oldest goes, since whoever tells something is never to
wait."""

from __future__ import annotations

from collections import deque
from typing import Final, Generic, TypeVar

T = TypeVar("T")

_MOST_RECORDS: Final = 20_000
_MOST_BYTES: Final = 16 * 1024**2


class TelemetryBuffer(Generic[T]):
    """Records, and how many were lost. To be used by one thread."""

    def __init__(self, most_records: int = _MOST_RECORDS, most_bytes: int = _MOST_BYTES) -> None:
        self._most_records = most_records
        self._most_bytes = most_bytes
        self._records: deque[tuple[T, int]] = deque()
        self._bytes = 0
        self._dropped = 0

    def __len__(self) -> int:
        return len(self._records)

    def add(self, record: T, size: int) -> None:
        """`size`: about how many bytes it will be."""
        self._records.append((record, size))
        self._bytes += size
        while len(self._records) > self._most_records or (self._bytes > self._most_bytes and len(self._records) > 1):
            _, dropped = self._records.popleft()
            self._bytes -= dropped
            self._dropped += 1

    def lose(self, count: int) -> None:
        """Says that records are lost that came from elsewhere, or could not be stored."""
        self._dropped += count

    def take(self) -> tuple[list[T], int]:
        """Everything, and how many have been lost since the last time."""
        records, dropped = [record for record, _ in self._records], self._dropped
        self._records.clear()
        self._bytes = self._dropped = 0
        return records, dropped
