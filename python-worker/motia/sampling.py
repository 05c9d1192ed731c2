"""Which traces are recorded: decided where a trace begins, and followed by whoever has a part in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeAlias

from .per_second import first_of_each_second

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
    take = first_of_each_second(per_second)
    return lambda trace_id: take()
