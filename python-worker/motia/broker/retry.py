"""Rides out what passes by itself: a lost connection, a server that restarts, a leader election."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from ..errors import MotiaError
from .connect import Broker

T = TypeVar("T")

_RETRY_AFTER_S = 0.05


async def ride_out(broker: Broker, seconds: float, attempt: Callable[[], Awaitable[T]]) -> T:
    """Tries again for `seconds` what failed for a passing reason.

    Only for what may be done twice: the outcome of a failed try is not known. Raises what the last try raised.
    """
    if broker.connected():
        try:
            return await attempt()
        except MotiaError as error:
            if not _is_transient(error):
                raise
    give_up = time.monotonic() + seconds
    while True:
        await broker.when_connected(give_up - time.monotonic())  # what is sent before that may be lost without a word
        try:
            return await attempt()
        except MotiaError as error:
            if not _is_transient(error) or time.monotonic() > give_up or broker.closed():
                raise
            await asyncio.sleep(_RETRY_AFTER_S)


def _is_transient(error: MotiaError) -> bool:
    """Whether trying again later may help."""
    return error.code in ("BROKER_LOST", "BROKER_TIMEOUT")
