"""Memory that the broker process shares with one handler process: until when each run's message is surely ours, when
that was stored, when the run started, its span, and which run had the processor last.

It works while the handler process computes and cannot answer.
"""

from __future__ import annotations

import mmap
import time
from typing import Final

SLOTS: Final = 1024
"""Runs in flight in one handler process at most."""
PROCESSES: Final = 64
"""Handler processes that live at the same time at most, those that drain included."""

_WORD = 8
_NO_RUN = -1
_TRACEPARENT: Final = 55
_TIMES = SLOTS * _WORD
_AREA = _WORD + 3 * _TIMES + SLOTS * _TRACEPARENT


def allocate() -> mmap.mmap:
    """Memory for all tables. Made before the first fork, so that every process has it."""
    return mmap.mmap(-1, PROCESSES * _AREA)


class RunTable:
    """One handler process's part of the memory; `index` is below `PROCESSES`."""

    def __init__(self, memory: mmap.mmap, index: int) -> None:
        area = memoryview(memory)[index * _AREA : (index + 1) * _AREA]
        self._current = area[:_WORD].cast("q")
        times = area[_WORD : _WORD + 3 * _TIMES].cast("d")
        self._lease, self._started_at, self._stored_at = times[:SLOTS], times[SLOTS : 2 * SLOTS], times[2 * SLOTS :]
        self._spans = area[_WORD + 3 * _TIMES :]

    def reset(self) -> None:
        """Broker process: a new handler process begins with it."""
        self._current[0] = _NO_RUN

    def queue(self, slot: int, lease_until: float, stored_at: float) -> None:
        """Broker process: the run is on its way to the handler process. Its message was stored at `stored_at`."""
        self._lease[slot] = lease_until
        self._started_at[slot] = 0.0
        self._stored_at[slot] = stored_at
        self._spans[slot * _TRACEPARENT] = 0

    def lease(self, slot: int, until: float) -> None:
        """Broker process: the message is ours until then (ms since 1970); 0 fences the run off."""
        self._lease[slot] = until

    def started_at(self, slot: int) -> float:
        """Broker process: when the run started, ms since 1970; 0 if it has not."""
        return self._started_at[slot]

    def span(self, slot: int) -> str | None:
        """Broker process: `traceparent` of the run's span, if it was told."""
        at = slot * _TRACEPARENT
        return bytes(self._spans[at : at + _TRACEPARENT]).decode("latin-1") if self._spans[at] else None

    def current(self) -> int:
        """Broker process: the run that had the processor last, which is who blocks a silent process. -1: none."""
        return self._current[0]

    def start(self, slot: int) -> None:
        """Handler process: the run begins."""
        self._started_at[slot] = time.time() * 1000
        self._current[0] = slot

    def waited_ms(self, slot: int) -> float:
        """Handler process: how long the message had been stored when its run started.

        The broker's clock may differ from ours.
        """
        return max(0.0, self._started_at[slot] - self._stored_at[slot])

    def tell_span(self, slot: int, traceparent: str) -> None:
        """Handler process: the run's span."""
        at = slot * _TRACEPARENT
        self._spans[at : at + _TRACEPARENT] = traceparent.encode("latin-1")

    def enter(self, slot: int) -> None:
        """Handler process: this run has the processor now."""
        self._current[0] = slot

    def leased(self, slot: int) -> bool:
        """Handler process: whether the run may still act."""
        return self._lease[slot] > time.time() * 1000
