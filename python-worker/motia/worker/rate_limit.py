"""Lets events of a subscription go on to their runs no faster than the step's rate limit, which all workers share."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

from ..broker.run_rate import Starts
from ..errors import MotiaError

# Starts are given out up to a second ahead.
_ASK_BEFORE_MS: Final = 500


class RateLimit:
    """`reserve` gets starts for so many runs, or less."""

    def __init__(self, reserve: Callable[[int], Awaitable[Starts]]) -> None:
        self._reserve = reserve
        self._loop = asyncio.get_running_loop()
        self._waiting: list[asyncio.Future[None]] = []
        self._serving: asyncio.Task[None] | None = None

    async def turn(self) -> None:
        """Returns when one more run may start. Raises `MotiaError` if the broker cannot be asked."""
        turn = self._loop.create_future()
        self._waiting.append(turn)
        if self._serving is None:
            self._serving = self._loop.create_task(self._serve())
        await turn

    async def _serve(self) -> None:
        while self._waiting:
            try:
                starts = await self._reserve(len(self._waiting))
            except MotiaError as error:
                failed, self._waiting = self._waiting, []
                for turn in failed:
                    if not turn.done():
                        turn.set_exception(error)
                continue
            served, self._waiting = self._waiting[: len(starts.at)], self._waiting[len(starts.at) :]
            for turn, at in zip(served, starts.at, strict=True):
                self._loop.call_later(max(0.0, at - _now()) / 1000, _begin, turn)
            if self._waiting:  # they ask again shortly before the next start: other workers wait for it, too
                await asyncio.sleep(max(10.0, starts.next - _now() - _ASK_BEFORE_MS) / 1000)
        self._serving = None


def _begin(turn: asyncio.Future[None]) -> None:
    if not turn.done():
        turn.set_result(None)


def _now() -> float:
    return time.time() * 1000
