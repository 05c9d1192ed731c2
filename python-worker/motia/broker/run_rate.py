"""When the next runs of a step may start, agreed upon by all its workers in one entry of the broker."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from ..protocol.subjects import Names
from .connect import Broker
from .key_value import read_last, replace_entry

# Starts are given out this far ahead, so that the way to the broker costs none. Those of a lost worker are lost.
_AHEAD_MS: Final = 1_000
# By this much the clocks of workers may differ.
_CLOCKS_DIFFER_MS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Starts:
    """Starts for runs."""

    at: list[float]
    """Ms since 1970, in order; as many as were asked for, or less."""
    next: float
    """The first start that is not given out, ms since 1970."""


def plan_starts(next: float, now: float, wanted: int, spacing_ms: float) -> Starts:
    """Gives out up to `wanted` starts, `spacing_ms` apart, from `next` on. Pure."""
    # What is further away was left by a stricter limit, or by a clock that is wrong: nobody has to wait for it.
    is_ours = next <= now + _AHEAD_MS + spacing_ms + _CLOCKS_DIFFER_MS
    start, at = max(next, now) if is_ours else now, list[float]()
    while len(at) < wanted and start <= now + _AHEAD_MS:
        at.append(start)
        start += spacing_ms
    return Starts(at, start)


async def reserve_starts(broker: Broker, names: Names, step_id: str, wanted: int, spacing_ms: float) -> Starts:
    """Gets up to `wanted` starts for runs of a step that no other worker gets.

    Raises `MotiaError` `BROKER_*`; starts that it had got are lost then.
    """
    bucket, key = names.buckets.delivery, names.rate_key(step_id)
    while True:
        last = await read_last(broker, bucket, key)
        next = 0.0 if last is None or last.removed else _to_number(last.data)
        starts = plan_starts(next, time.time() * 1000, wanted, spacing_ms)
        if not starts.at:
            return starts
        if await replace_entry(broker, bucket, key, repr(starts.next).encode(), last.revision if last else 0):
            return starts


def _to_number(data: bytes) -> float:
    try:
        return float(data)
    except ValueError:
        return 0.0
