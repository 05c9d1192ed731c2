"""How long things of one kind have taken: plain numbers, which become a histogram when somebody asks."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple


class Example(NamedTuple):
    """One of the things that were counted."""

    traceparent: str
    seconds: float
    at: float
    """When it was counted, seconds since 1970."""


class Durations:
    """`bounds` are in seconds, rising."""

    __slots__ = ("bounds", "counts", "examples", "sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        """Things up to each bound and above the one before, and last those above all of them."""
        self.examples: list[Example | None] = [None] * (len(bounds) + 1)
        """The newest of each bucket whose trace is known."""
        self.sum = 0.0

    def add(self, seconds: float, traceparent: str = "") -> None:
        """`traceparent` of the thing makes it the example of its bucket."""
        bucket = bisect_left(self.bounds, seconds)
        self.counts[bucket] += 1
        self.sum += seconds
        if traceparent:
            self.examples[bucket] = Example(traceparent, seconds, time.time())
