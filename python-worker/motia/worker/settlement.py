"""Does what was decided about an event: stores it for its next attempt, or as a dead letter, and answers the broker."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

import orjson

from ..broker.attempt_marks import AttemptMark, AttemptMarks
from ..broker.delivery import Delivery
from ..broker.events import DeadReason, EventEnvelope, EventStore
from ..errors import ErrorRecord, MotiaError
from ..log import Log
from ..metrics.metrics import Metrics
from .outcome import Outcome
from .run_identity import identity_of
from .run_metrics import OutcomeMetrics

_ACTIONS: Final = {"retry": "run_failed", "bury": "event_dead", "drop": "event_dropped"}


class Settlement:
    """Of the events of one subscription; `step` is its manifest entry.

    `marks` has an ordered subscription: its events wait in their place, and all that come after them, unless
    `skips_waits`.
    """

    def __init__(
        self,
        events: EventStore,
        log: Log,
        metrics: Metrics,
        *,
        step: Mapping[str, Any],
        topic: str,
        durable: str,
        max_attempts: int,
        marks: AttemptMarks | None,
        skips_waits: bool = False,
    ) -> None:
        self._events = events
        self._log = log
        self._step = step
        self._durable = durable
        self._max_attempts = max_attempts
        self._marks = marks
        self._skips_waits = skips_waits
        self._outcomes = OutcomeMetrics(metrics, step["id"], topic)

    def count(self, outcome: Outcome) -> None:
        """Something became of an event."""
        self._outcomes.count(outcome)

    async def settle(
        self,
        delivery: Delivery,
        event: EventEnvelope,
        outcome: Outcome,
        error: ErrorRecord | None,
        span: str | None = None,
    ) -> None:
        """If the broker cannot be told, the event stays unacked and comes again after the ack wait. Never raises.

        `span` is the `traceparent` of the run's span, if it is known.
        """
        identity = {**identity_of(self._step, span, event.traceparent), "eventId": event.id}
        self._report(identity, event, outcome, error)
        try:
            if self._marks is not None and outcome.action in ("retry", "defer"):
                await self._keep_in_place(delivery, event, outcome, self._marks)
                self.count(outcome)
                return
            if outcome.action == "retry":
                at = int(time.time() * 1000 + outcome.delay_ms)
                await self._events.schedule_retry(self._durable, event, delivery.data, at)
            elif outcome.action == "defer":
                await self._events.schedule_attempt(self._durable, event, delivery.data, outcome.at)
            elif outcome.action == "bury":
                reason = DeadReason(self._step["id"], self._durable, orjson.dumps(error).decode())
                await self._events.bury(event, delivery.data, reason)
            if outcome.action == "hand_back":
                delivery.hand_back(0)
            elif outcome.action != "leave":
                delivery.ack()
            self.count(outcome)
        except MotiaError as failure:
            fields = {"action": "settle_failed", **identity, "err": failure}
            message = "The outcome of an event could not be stored; the event will come again"
            self._log.write("error", fields, message)

    async def _keep_in_place(
        self, delivery: Delivery, event: EventEnvelope, outcome: Outcome, marks: AttemptMarks
    ) -> None:
        """First the mark, then the answer: a crash in between costs the wait, but no attempt is made twice."""
        now = round(time.time() * 1000)
        if outcome.action == "defer":
            delivery.hand_back(max(0, outcome.at - now))
            return
        delay_ms = 0 if self._skips_waits else outcome.delay_ms
        mark = AttemptMark(delivery.sequence, event.attempt + 1, now + delay_ms, delivery.delivery_count)
        await marks.write(mark)
        delivery.hand_back(delay_ms)

    def _report(
        self, identity: Mapping[str, object], event: EventEnvelope, outcome: Outcome, error: ErrorRecord | None
    ) -> None:
        if outcome.action not in _ACTIONS:
            return
        name = self._step["name"]
        message = error["message"] if error else ""
        fields: dict[str, object] = {
            "action": _ACTIONS[outcome.action],
            **identity,
            "topic": event.topic,
            "attempt": event.attempt,
            "err": error,
        }
        if outcome.action == "retry":
            fields["retryInMs"] = outcome.delay_ms
            attempts = f"attempt {event.attempt} of {self._max_attempts}"
            self._log.write("warn", fields, f"{name} failed ({attempts}): {message}")
            return
        end = "is a dead letter now" if outcome.action == "bury" else "was dropped"
        text = f"{name} failed for good (attempt {event.attempt}); the event {end}: {message}"
        self._log.write("error", fields, text)
