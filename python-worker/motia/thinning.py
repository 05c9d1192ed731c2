"""Keeps what is stored of a busy process affordable, however many traces are sampled for an exporter.

Above a rate only every second trace is kept, or every fourth, and so on. Which ones is told by their ids, so that
processes which are as busy keep the same.
"""

from __future__ import annotations

import time
from typing import Final

_MOST_PER_SECOND: Final = 500
# Beyond it one trace in 65,536 is kept.
_MOST_LEVEL: Final = 16


class Thinning:
    """`most`: spans in a second."""

    def __init__(self, most: int = _MOST_PER_SECOND) -> None:
        self._most = most
        self._level = 0
        self._count = 0
        self._since = 0.0

    def keeps(self, trace_id: str) -> bool:
        """Whether a span of this trace is kept."""
        self._count += 1
        if self._count > self._most:
            self._on_many()
        return self._level == 0 or int(trace_id[-4:], 16) % 2**self._level == 0

    def _on_many(self) -> None:
        """So many have come since the last look: that took a second or more, or it was too fast."""
        now = time.monotonic()
        # How many would be kept of what comes in a second.
        kept = self._count / max(now - self._since, 0.001) / 2**self._level
        if kept > self._most:
            self._level = min(self._level + 1, _MOST_LEVEL)
        elif kept < self._most / 4:
            self._level = max(self._level - 1, 0)
        self._count = 0
        self._since = now
