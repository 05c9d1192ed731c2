"""How late the event loop gets to its timers, at worst in the last half or whole minute."""

from __future__ import annotations

import asyncio
from typing import Final

# Rare enough to cost nothing, and often enough to notice what goes on for a while.
_BEAT_S: Final = 1.0
_WINDOW_S: Final = 30.0


class LoopLag:
    """Of the event loop that it is made on."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._window_end = self._loop.time() + _WINDOW_S
        self._worst = 0.0
        self._worst_before = 0.0
        self._schedule()

    @property
    def worst(self) -> float:
        """In seconds."""
        return max(self._worst, self._worst_before)

    def stop(self) -> None:
        """Ends the measurement."""
        self._timer.cancel()

    def _schedule(self) -> None:
        self._timer = self._loop.call_at(self._loop.time() + _BEAT_S, self._beat, self._loop.time() + _BEAT_S)

    def _beat(self, expected: float) -> None:
        now = self._loop.time()
        if now > self._window_end:
            self._worst_before, self._worst = self._worst, 0.0
            self._window_end = now + _WINDOW_S
        self._worst = max(self._worst, now - expected)
        self._schedule()
