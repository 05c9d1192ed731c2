"""Which traces are recorded: decided where a trace begins, and followed by whoever has a part in it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from .protocol.trace_ids import TraceContext
    from .tracing import TelemetryEnvironment

Sampling: TypeAlias = "Callable[[TraceContext | None, str], bool]"

# The random end of a trace id that is compared with the ratio.
_DIGITS: Final = 13


def create_sampling(settings: TelemetryEnvironment) -> Sampling:
    """The sampler of the environment. Other languages decide alike about the same id."""
    name, per_second = settings["sampler"], settings.get("tracesPerSecond")
    root = _root_sampling(name, settings["samplerRatio"]) if per_second is None else _up_to(per_second)
    if not name.startswith("parentbased"):
        return lambda parent, trace_id: root(trace_id)
    return lambda parent, trace_id: root(trace_id) if parent is None else parent.sampled


def _root_sampling(name: str, ratio: float) -> Callable[[str], bool]:
    if name.endswith("always_on"):
        return lambda trace_id: True
    if name.endswith("always_off"):
        return lambda trace_id: False
    bound = ratio * 16**_DIGITS
    return lambda trace_id: int(trace_id[-_DIGITS:], 16) < bound


def _up_to(per_second: int) -> Callable[[str], bool]:
    """The first so many of each second."""
    left, until = per_second, 0.0

    def sample(_: str) -> bool:
        nonlocal left, until
        if left > 0:
            left -= 1
            return True
        now = time.monotonic()
        if now < until:
            return False
        left, until = per_second - 1, now + 1
        return True

    return sample
