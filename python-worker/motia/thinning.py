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
        if self._count > self._most or self._level > 0:
            self._look()
        return self._level == 0 or int(trace_id[-4:], 16) % 2**self._level == 0

    def _look(self) -> None:
        """Where many come it looks after each so many, otherwise after a second: what was busy and has become quiet
        keeps everything again."""
        now = time.monotonic()
        took = max(now - self._since, 0.001)
        if self._count <= self._most and took < 1:
            return
        per_second = self._count / took
        if per_second / 2**self._level > self._most:
            self._level = min(self._level + 1, _MOST_LEVEL)
        else:
            while self._level > 0 and per_second / 2**self._level < self._most / 4:
                self._level -= 1
        self._count = 0
        self._since = now
