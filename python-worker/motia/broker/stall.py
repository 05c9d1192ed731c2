"""Notices that this process stood still: it was frozen, or its machine was."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

_BEAT_S = 0.25
# Shorter than any ack wait: what is handed to us during a shorter one is still ours after it.
_STALL_S = 2.0
# What lay in the socket's buffers is read within this time.
_DISTRUST_S = 0.5


class StallWatch:
    """Calls back with the milliseconds of each stall, and tells for a moment after one that messages may be old."""

    def __init__(self, on_stall: Callable[[int], object]) -> None:
        self._on_stall = on_stall
        self._alive_at = time.time()  # the wall clock, since others stop while a machine sleeps
        self._distrust_until = 0.0
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(_BEAT_S, self._beat)

    def may_be_stale(self) -> bool:
        """Whether a message that arrives now may have been sent long ago, and be with somebody else by now."""
        return self._check() < self._distrust_until

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
        if silence > _STALL_S:
            self._distrust_until = now + _DISTRUST_S
            self._on_stall(round(silence * 1000))
        return now
