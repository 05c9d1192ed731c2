"""Notices that this process stood still: it was frozen, or its machine was."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

_BEAT_S = 0.25
# Shorter than most ack waits: what is handed to us during a shorter one is still ours after it.
_STALL_S = 2.0
# Half of the shortest ack wait.
_SHORTEST_STALL_S = 0.5
# What lay in the socket's buffers is read within this time.
_DISTRUST_S = 0.5


class StallWatch:
    """Calls back with the milliseconds of each stall, and tells for a moment after one that messages may be old."""

    def __init__(self, on_stall: Callable[[int], object]) -> None:
        self._on_stall = on_stall
        self._alive_at = time.time()  # the wall clock, since others stop while a machine sleeps
        self._distrust_until = 0.0
        self._silence_s = 0.0  # how long the latest silence was, while it is distrusted
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(_BEAT_S, self._beat)

    def may_be_stale(self, ack_wait_ms: int) -> bool:
        """Whether a message that arrives now may have been sent so long ago that, with this ack wait, somebody else has
        it by now."""
        return self._check() < self._distrust_until and self._silence_s > min(_STALL_S, ack_wait_ms / 2000)

    def stop(self) -> None:
        """Ends the watch."""
        self._timer.cancel()

    def _beat(self) -> None:
        self._check()
        self._timer = self._loop.call_later(_BEAT_S, self._beat)

    def _check(self) -> float:
        now = time.time()
        silence = now - self._alive_at
        self._alive_at = now
        if silence > _SHORTEST_STALL_S:
            self._silence_s = max(self._silence_s, silence) if now < self._distrust_until else silence
            self._distrust_until = now + _DISTRUST_S
        if silence > _STALL_S:
            self._on_stall(round(silence * 1000))
        return now
