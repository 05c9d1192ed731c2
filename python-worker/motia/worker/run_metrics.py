"""What is counted of the runs of one step, and of the events of one subscription."""

from __future__ import annotations

import re
from typing import Final, Literal

from ..broker.delivery import Delivery
from ..metrics.durations import Durations
from ..metrics.metrics import Counter, Metrics
from .outcome import Displaced, Failed, Outcome, Succeeded
from .processes.job import JobEnd, Replied

_STATUS: Final = re.compile(rb'"status":(\d+)')
# An `end` frame begins with its kind and its status.
_STATUS_WITHIN: Final = 64
# The label for what became of an event.
_OUTCOMES: Final = {
    "ack": "done",
    "retry": "retried",
    "defer": "deferred",
    "bury": "dead",
    "drop": "dropped",
    "hand_back": "handed_back",
    "leave": "left",
}

# They are there before the first one is counted: a rise from nothing to one is not seen as a rise.
_FROM_THE_START: Final = ("ack", "retry", "bury", "drop")


class RunMetrics:
    """Of the step with this id."""

    def __init__(self, metrics: Metrics, step: str, kind: Literal["api", "event", "cron"]) -> None:
        self._metrics = metrics
        self._step = step
        self._kind = kind
        self._wait = metrics.histogram("motia_queue_wait_seconds", step, kind)
        self._emits = metrics.counter("motia_emits_total", step)
        self._durations: dict[str, Durations] = {}

    def taken(self, delivery: Delivery) -> None:
        """A message was taken. The clock of the broker may differ from ours."""
        self._wait.add(max(0, delivery.received_at - delivery.stored_at) / 1000)

    def ended(self, end: JobEnd, took_ms: float, emits: int, traceparent: str = "") -> None:
        """A run ended, or was not had: then it is not counted. `took_ms` is 0 if it is not known."""
        self._emits.value += emits
        outcome = _outcome(end)
        if outcome:
            self._add(outcome, took_ms, traceparent)

    def abandoned(self, took_ms: float, traceparent: str) -> None:
        """A call was given up while it was running."""
        self._add("abandoned", took_ms, traceparent)

    def _add(self, outcome: str, took_ms: float, traceparent: str) -> None:
        durations = self._durations.get(outcome)
        if durations is None:
            durations = self._metrics.histogram("motia_run_duration_seconds", self._step, self._kind, outcome)
            self._durations[outcome] = durations
        durations.add(took_ms / 1000, traceparent)


def _outcome(end: JobEnd) -> str | None:
    if isinstance(end, Replied):
        status = _STATUS.search(end.frame, 0, _STATUS_WITHIN)
        return "failed" if status and int(status[1]) >= 500 else "succeeded"
    if isinstance(end, Succeeded):
        return "succeeded"
    if isinstance(end, Failed):
        return "cut_off" if end.error.get("code") == "RUN_CUT_OFF" else "failed"
    return "cut_off" if isinstance(end, Displaced) else None


class OutcomeMetrics:
    """Counts what became of the events of one subscription."""

    def __init__(self, metrics: Metrics, step: str, topic: str) -> None:
        self._metrics = metrics
        self._step = step
        self._topic = topic
        self._counters = {action: self._find(action) for action in _FROM_THE_START}

    def count(self, outcome: Outcome) -> None:
        """Something became of an event."""
        counter = self._counters.get(outcome.action)
        if counter is None:
            counter = self._counters[outcome.action] = self._find(outcome.action)
        counter.value += 1

    def _find(self, action: str) -> Counter:
        return self._metrics.counter("motia_event_attempts_total", self._step, self._topic, _OUTCOMES[action])
