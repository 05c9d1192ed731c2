"""What becomes of an event after a run: the one place that decides it. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

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
    dead_letter: bool = True
    """Whether an event whose attempts are used up becomes a dead letter."""


DEFAULT_RETRY_POLICY: Final = RetryPolicy(
    max_attempts=4, backoff=Backoff(initial_ms=1_000, factor=2, max_ms=90_000, jitter=0.2)
)


def retry_policy_of(queue: Mapping[str, Any]) -> RetryPolicy:
    """The policy of a step. What it does not say has the default."""
    usual, said = DEFAULT_RETRY_POLICY, queue.get("backoff") or {}
    max_retries, initial, most = queue.get("maxRetries"), said.get("initial"), said.get("max")
    return RetryPolicy(
        max_attempts=usual.max_attempts if max_retries is None else max_retries + 1,
        backoff=Backoff(
            initial_ms=usual.backoff.initial_ms if initial is None else initial * 1000,
            factor=said.get("factor", usual.backoff.factor),
            max_ms=usual.backoff.max_ms if most is None else most * 1000,
            jitter=said.get("jitter", usual.backoff.jitter),
        ),
        dead_letter=queue.get("deadLetter", usual.dead_letter),
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

    action: Literal["ack", "retry", "defer", "bury", "drop", "hand_back", "leave"]
    delay_ms: int = 0
    """Wait until the next attempt, of `retry` only."""
    at: int = 0
    """When the same attempt is to be made, of `defer` only; ms since 1970."""


def decide_outcome(end: RunEnd, attempt: int, policy: RetryPolicy, random: float) -> Outcome:
    """Decides between done, another attempt, dead letter or nothing instead, handing back and leaving it to others.

    `attempt` is the number of the attempt that just ended, from 1; `random` a number from 0 to 1, for the jitter.
    """
    if isinstance(end, Succeeded):
        return Outcome("ack")
    if isinstance(end, Displaced):
        return Outcome("hand_back")
    if isinstance(end, Lost):
        return Outcome("leave")
    if end.error.get("nonRetriable") is True or attempt >= policy.max_attempts:
        return end_for(policy)
    seconds = end.error.get("retryAfterSeconds")
    delay_ms = _backoff_delay(attempt, policy.backoff, random) if seconds is None else math.floor(seconds * 1000 + 0.5)
    return Outcome("retry", delay_ms)


def end_for(policy: RetryPolicy) -> Outcome:
    """What becomes of an event that is not tried again."""
    return Outcome("bury" if policy.dead_letter else "drop")


def _backoff_delay(attempt: int, backoff: Backoff, random: float) -> int:
    try:
        wait = min(backoff.initial_ms * float(backoff.factor) ** (attempt - 1), backoff.max_ms)
    except OverflowError:
        wait = backoff.max_ms
    return math.floor(wait * (1 + backoff.jitter * (2 * random - 1)) + 0.5)


MOST_DELIVERIES: Final = 20
"""An event handed out this often without a finished run ends its workers before they can say so (it exhausts their
memory, say). It is buried with that reason instead of going round for ever."""
