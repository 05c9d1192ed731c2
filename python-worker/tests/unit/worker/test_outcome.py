"""What becomes of an event: the whole decision as a table."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from motia.errors import ErrorRecord
from motia.worker.outcome import (
    DEFAULT_RETRY_POLICY,
    Backoff,
    Displaced,
    Failed,
    Lost,
    Outcome,
    RetryPolicy,
    RunEnd,
    Succeeded,
    decide_outcome,
    retry_policy_of,
)

ERROR: ErrorRecord = {"name": "Error", "message": "broken"}
FAILED = Failed(ERROR)
NON_RETRIABLE = Failed({**ERROR, "nonRetriable": True})
NOT_BEFORE = Failed({**ERROR, "retryAfterSeconds": 120.25})
EXPLICITLY_RETRIABLE = Failed({**ERROR, "nonRetriable": False})

NO_JITTER = Backoff(initial_ms=1_000, factor=2, max_ms=90_000, jitter=0)
FOUR = RetryPolicy(4, NO_JITTER)
ONCE = RetryPolicy(1, NO_JITTER)
DROPPED = RetryPolicy(4, NO_JITTER, dead_letter=False)
MANY = RetryPolicy(100_000, NO_JITTER)

ACK, HAND_BACK, LEAVE, BURY, DROP = (Outcome(action) for action in ("ack", "hand_back", "leave", "bury", "drop"))


@pytest.mark.parametrize(
    ("end", "attempt", "policy", "outcome"),
    [
        (Succeeded(), 1, FOUR, ACK),
        (Succeeded(), 4, FOUR, ACK),
        (Succeeded(), 9, FOUR, ACK),
        (Displaced(), 1, FOUR, HAND_BACK),
        (Displaced(), 4, FOUR, HAND_BACK),
        (Displaced(), 1, ONCE, HAND_BACK),
        (Lost(), 1, FOUR, LEAVE),
        (Lost(), 4, FOUR, LEAVE),
        (FAILED, 1, FOUR, Outcome("retry", 1_000)),
        (FAILED, 2, FOUR, Outcome("retry", 2_000)),
        (FAILED, 3, FOUR, Outcome("retry", 4_000)),
        (FAILED, 4, FOUR, BURY),
        (FAILED, 5, FOUR, BURY),
        (FAILED, 1, ONCE, BURY),
        (NOT_BEFORE, 1, FOUR, Outcome("retry", 120_250)),
        (NOT_BEFORE, 4, FOUR, BURY),
        (FAILED, 4, DROPPED, DROP),
        (FAILED, 3, DROPPED, Outcome("retry", 4_000)),
        (NON_RETRIABLE, 1, DROPPED, DROP),
        (NON_RETRIABLE, 1, FOUR, BURY),
        (EXPLICITLY_RETRIABLE, 1, FOUR, Outcome("retry", 1_000)),
        (FAILED, 8, MANY, Outcome("retry", 90_000)),
        (FAILED, 49, MANY, Outcome("retry", 90_000)),
        (FAILED, 99_999, MANY, Outcome("retry", 90_000)),
    ],
)
def test_outcome(end: RunEnd, attempt: int, policy: RetryPolicy, outcome: Outcome) -> None:
    assert decide_outcome(end, attempt, policy, 0.5) == outcome


@pytest.mark.parametrize(("random", "delay_ms"), [(0, 800), (0.25, 900), (0.5, 1_000), (1, 1_200)])
def test_the_wait_is_jittered_by_20_percent_in_both_directions(random: float, delay_ms: int) -> None:
    assert decide_outcome(FAILED, 1, DEFAULT_RETRY_POLICY, random) == Outcome("retry", delay_ms)


def test_halves_of_a_millisecond_are_rounded_up() -> None:
    policy = RetryPolicy(4, Backoff(initial_ms=5, factor=2, max_ms=90_000, jitter=0.5))
    assert decide_outcome(FAILED, 1, policy, 0) == Outcome("retry", 3)


def test_four_attempts_by_default() -> None:
    actions = [decide_outcome(FAILED, attempt, DEFAULT_RETRY_POLICY, 0.5).action for attempt in (1, 2, 3, 4)]
    assert actions == ["retry", "retry", "retry", "bury"]


@pytest.mark.parametrize(
    ("queue", "policy"),
    [
        ({}, DEFAULT_RETRY_POLICY),
        ({"maxRetries": 0}, replace(DEFAULT_RETRY_POLICY, max_attempts=1)),
        ({"deadLetter": False}, replace(DEFAULT_RETRY_POLICY, dead_letter=False)),
        (
            {"backoff": {"initial": 0.5, "factor": 3, "max": 10, "jitter": 0}},
            replace(DEFAULT_RETRY_POLICY, backoff=Backoff(500, 3, 10_000, 0)),
        ),
        ({"backoff": {"initial": 0}}, replace(DEFAULT_RETRY_POLICY, backoff=Backoff(0, 2, 90_000, 0.2))),
    ],
)
def test_policy_of_a_step(queue: dict[str, Any], policy: RetryPolicy) -> None:
    assert retry_policy_of(queue) == policy
