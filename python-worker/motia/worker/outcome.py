"""What becomes of an event after a run: the one place that decides it. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

from ..errors import ErrorRecord


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long an event waits between two attempts."""

    initial_ms: float
    """Wait before the second attempt."""
    factor: float
    max_ms: float
    jitter: float
    """Share of the wait that is random, in both directions: 0.2 means ± 20 %."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and when an event is handled again."""

    max_attempts: int
    """Most attempts, the first included."""
    backoff: Backoff


DEFAULT_RETRY_POLICY: Final = RetryPolicy(
    max_attempts=4, backoff=Backoff(initial_ms=1_000, factor=2, max_ms=90_000, jitter=0.2)
)


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The handler has returned, and all that it emitted is stored."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The handler has raised, or was ended for what it did."""

    error: ErrorRecord


@dataclass(frozen=True, slots=True)
class Displaced:
    """The run was not started, or ended through no fault of its own: another worker or process takes it."""


@dataclass(frozen=True, slots=True)
class Lost:
    """Its event may be with another worker by now, which decides."""


RunEnd = Succeeded | Failed | Displaced | Lost


@dataclass(frozen=True, slots=True)
class Outcome:
    """What to do with the event."""

    action: Literal["ack", "retry", "bury", "hand_back", "leave"]
    delay_ms: int = 0
    """Wait until the next attempt, of `retry` only."""


def decide_outcome(end: RunEnd, attempt: int, policy: RetryPolicy, random: float) -> Outcome:
    """Decides between done, another attempt, dead letter, handing back and leaving it to others.

    `attempt` is the number of the attempt that just ended, from 1; `random` a number from 0 to 1, for the jitter.
    """
    if isinstance(end, Succeeded):
        return Outcome("ack")
    if isinstance(end, Displaced):
        return Outcome("hand_back")
    if isinstance(end, Lost):
        return Outcome("leave")
    if end.error.get("nonRetriable") is True or attempt >= policy.max_attempts:
        return Outcome("bury")
    return Outcome("retry", _backoff_delay(attempt, policy.backoff, random))


def _backoff_delay(attempt: int, backoff: Backoff, random: float) -> int:
    try:
        wait = min(backoff.initial_ms * float(backoff.factor) ** (attempt - 1), backoff.max_ms)
    except OverflowError:
        wait = backoff.max_ms
    return math.floor(wait * (1 + backoff.jitter * (2 * random - 1)) + 0.5)


MOST_DELIVERIES: Final = 20
"""An event handed out this often without a finished run ends its workers before they can say so (it exhausts their
memory, say). It is buried with that reason instead of going round for ever."""
