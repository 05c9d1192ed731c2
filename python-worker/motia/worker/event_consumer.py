"""Takes the events of one subscription from the broker, has them run, and does what the outcome asks for."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from ..broker.attempt_marks import AttemptMarks
from ..broker.consumers import Source, is_run_elsewhere, queue_settings
from ..broker.delivery import Delivery
from ..broker.events import EventEnvelope, EventStore, read_envelope
from ..broker.holdings import HeldEvent as EventHolding
from ..broker.pull_consumer import PullConsumer
from ..broker.run_rate import Starts, reserve_starts
from ..errors import ErrorRecord, MotiaError, to_error_record
from ..ipc.wire import EventMeta, step_key
from ..protocol.headers import PROTOCOL_VERSION
from .gate import Gate
from .held_messages import HeldMessage, HeldMessages
from .outcome import (
    MOST_DELIVERIES,
    Displaced,
    Failed,
    Lost,
    Outcome,
    RunEnd,
    Succeeded,
    decide_outcome,
    end_for,
    retry_policy_of,
)
from .processes.job import Job, JobEnd, Unknown
from .rate_limit import RateLimit
from .request_consumer import ConsumerServices
from .run_metrics import RunMetrics
from .settlement import Settlement


class HeldEvent(HeldMessage):
    """An event that this worker has."""

    __slots__ = ("entered", "event", "timeout")

    def __init__(self, delivery: Delivery, event: EventEnvelope, ack_wait_ms: int) -> None:
        super().__init__(delivery, ack_wait_ms)
        self.event = event
        self.timeout: asyncio.TimerHandle | None = None
        # It counts in the gate of its step.
        self.entered = False


class EventConsumer:
    """The events of one subscription; `step` is its manifest entry."""

    kind: Final = "event"

    def __init__(
        self,
        services: ConsumerServices,
        events: EventStore,
        step: dict[str, Any],
        topic: str,
        source: Source,
        gate: Gate,
        on_gone: Callable[[], None],
    ) -> None:
        self.step = step
        self.source = source
        self._services = services
        self._metrics = RunMetrics(services.metrics, step["id"], "event")
        self._events = events
        self._topic = topic
        self._key = step_key(step["file"], step["id"])
        self._gate = gate
        queue = queue_settings(step)
        skips_waits = source.partition is not None and services.skip_waits
        self._delay_ms = 0 if skips_waits else round((queue.get("delaySeconds") or 0) * 1000)
        self._retry_subject = services.names.retry(source.durable)
        self._policy = retry_policy_of(queue)
        self._timeout_s: float | None = ((step.get("infrastructure") or {}).get("handler") or {}).get("timeout")
        self._rate_limit = self._to_rate_limit(queue.get("rateLimit"))
        # Of an ordered subscription.
        self._marks: AttemptMarks | None = None
        if source.partition is not None:
            self._marks = AttemptMarks(services.broker, services.names, source.durable)
        self._settlement = Settlement(
            events,
            services.log,
            services.metrics,
            step=step,
            topic=topic,
            durable=source.durable,
            max_attempts=self._policy.max_attempts,
            marks=self._marks,
            skips_waits=skips_waits,
        )
        self._held = HeldMessages[HeldEvent](source.ack_wait_ms)
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()
        self.puller = PullConsumer(
            services.broker,
            stream=source.stream,
            durable=source.durable,
            ack_wait_ms=source.ack_wait_ms,
            room=lambda: (self._gate.room if self._marks is None else 1) - len(self._held),
            on_delivery=self._take,
            on_gone=on_gone,
        )

    @property
    def load(self) -> int:
        """Events that this worker has."""
        return len(self._held)

    @property
    def holdings(self) -> list[EventHolding]:
        """The events that this worker has."""
        return [
            {
                "durable": self.source.durable,
                "sequence": held.delivery.sequence,
                "attempt": held.event.attempt,
                "since": held.delivery.received_at,
            }
            for held in self._held
        ]

    def renew(self) -> None:
        """Tells the broker that the events are still being worked on. Call it several times per ack wait."""
        self._held.renew()

    def _take(self, delivery: Delivery) -> None:
        if is_run_elsewhere(self.source, delivery.sequence, delivery.subject):
            self.puller.ack_and_pull(delivery)
            return
        event = read_envelope(delivery, self.source.stream, self._topic)
        if (event.protocol or PROTOCOL_VERSION) > PROTOCOL_VERSION:
            delivery.hand_back(5_000)
            fields = {"action": "protocol_too_new", "step": self.step["name"]}
            message = "An event of a newer version cannot be read by this worker; it was handed back"
            self._services.log.write("error", fields, message)
            return
        if event.only_for is not None and event.only_for != self.step["id"]:
            self.puller.ack_and_pull(delivery)
            return
        held = HeldEvent(delivery, event, self.source.ack_wait_ms)
        if not self._held.hold(held):
            return
        self._metrics.taken(delivery)
        if self._marks is not None and delivery.delivery_count > 1:
            self._do(self._recall_and_begin(held, self._marks))
        else:
            self._begin(held, delivery.delivery_count, 0)

    async def _recall_and_begin(self, held: HeldEvent, marks: AttemptMarks) -> None:
        """The event may have failed before, and waits in its place."""
        try:
            mark = await marks.read(held.delivery.sequence)
        except MotiaError:
            self.end(held, Displaced())  # handed back, in its place
            return
        if mark is None:
            self._begin(held, held.delivery.delivery_count, 0)
        else:
            held.event.attempt = mark.attempt
            self._begin(held, held.delivery.delivery_count - mark.deliveries, mark.not_before)

    def _begin(self, held: HeldEvent, deliveries: int, not_before: int) -> None:
        delivery, event = held.delivery, held.event
        if deliveries > MOST_DELIVERIES:
            reason = f"it was handed out {deliveries - 1} times without a finished run: it may end its workers"
            self._do(self._settle(held, end_for(self._policy), to_error_record(MotiaError("RUN_CUT_OFF", reason))))
        elif (due := max(not_before, self._due_at(held))) > _now():
            self._do(self._settle(held, Outcome("defer", at=due), None))
        elif event.blob is None and self._rate_limit is None:
            self._gate.enter(self, held, delivery.data)
        else:
            self._do(self._prepare_and_dispatch(held))

    def _due_at(self, held: HeldEvent) -> int:
        """When the step wants an event that has just been emitted, ms since 1970. One that has waited is due."""
        has_waited = held.delivery.subject == self._retry_subject or held.event.only_for is not None
        return 0 if self._delay_ms == 0 or has_waited else held.delivery.stored_at + self._delay_ms

    async def _prepare_and_dispatch(self, held: HeldEvent) -> None:
        if not await self._may_start():
            self.end(held, Displaced())
            return
        try:
            payload = await self._events.payload(held.event, held.delivery.data)
        except MotiaError as error:
            self.end(held, Failed(to_error_record(error)))
            return
        if not held.ended:  # it may have been handed back meanwhile
            self._gate.enter(self, held, payload)

    async def _may_start(self) -> bool:
        """Waits until the rate limit allows one more run. False if the broker cannot be asked."""
        try:
            if self._rate_limit is not None:
                await self._rate_limit.turn()
            return True
        except MotiaError:
            return False

    def hand_back_waiting(self) -> None:
        """The worker ends: what waits for its rate limit goes to others."""
        if self._rate_limit is None:
            return
        for held in self._held:
            if held.job is None and not held.entered:
                self.end(held, Displaced())

    def _to_rate_limit(self, settings: Mapping[str, float] | None) -> RateLimit | None:
        if settings is None:
            return None
        spacing_ms = settings["per"] * 1000 / settings["limit"]
        broker, names, step_id = self._services.broker, self._services.names, self.step["id"]

        async def reserve(wanted: int) -> Starts:
            return await reserve_starts(broker, names, step_id, wanted, spacing_ms)

        return RateLimit(reserve)

    def dispatch(self, held: HeldEvent, payload: bytes) -> None:
        """Its gate lets the event in."""
        event = held.event
        held.job = Job(
            file=self.step["file"],
            key=self._key,
            body=payload,
            event=EventMeta(event.id, event.topic, event.attempt, event.traceparent, event.link),
            lease_until=held.lease_until,
            stored_at=held.delivery.stored_at,
            restartable=True,
            on_end=lambda end, took_ms, emits: self._finish(held, end, took_ms, emits),
            limit=self._gate.limit,
        )
        self._services.pool.dispatch(held.job)
        if self._timeout_s is not None:
            self._limit_time(held, self._timeout_s * 1000, self._timeout_s * 1000)

    def _limit_time(self, held: HeldEvent, timeout_ms: float, wait_ms: float) -> None:
        """The time counts from the start of the handler, which may be later than the dispatch."""

        def check() -> None:
            job = held.job
            if job is None or held.ended:
                return
            left = (job.started_at or _now()) + timeout_ms - _now()
            if left > 0:
                self._limit_time(held, timeout_ms, left)
                return
            job.give_up("its timeout is over")
            error = MotiaError("RUN_TIMEOUT", f"the handler did not end within {timeout_ms / 1000:g} s")
            end = Failed(to_error_record(error))
            self._metrics.ended(end, timeout_ms, 0, held.event.traceparent)
            self.end(held, end)

        held.timeout = self._loop.call_later(wait_ms / 1000, check)

    def _finish(self, held: HeldEvent, end: JobEnd, took_ms: float, emits: int) -> None:
        if not held.ended:  # otherwise what a timed-out handler returns in the end
            self._metrics.ended(end, took_ms, emits, held.event.traceparent)
        self._gate.run_time.add(took_ms)
        self.end(held, end)

    def end(self, held: HeldEvent, end: JobEnd) -> None:
        """The run is over, or will not be had here."""
        if held.ended:
            return  # what a timed-out handler returns in the end
        held.ended = True
        if held.timeout:
            held.timeout.cancel()
        if held.entered:
            self._gate.leave()
        run_end = _to_run_end(end, held.is_ours)
        outcome = decide_outcome(run_end, held.event.attempt, self._policy, random.random())
        if outcome.action == "ack":
            self._settlement.count(outcome)
            self._held.release(held)
            self.puller.ack_and_pull(held.delivery)
        else:
            self._do(self._settle(held, outcome, run_end.error if isinstance(run_end, Failed) else None))

    async def _settle(self, held: HeldEvent, outcome: Outcome, error: ErrorRecord | None) -> None:
        span = held.job.span if held.job else None
        await self._settlement.settle(held.delivery, held.event, outcome, error, span)
        self._held.release(held)
        self.puller.pull()

    def _do(self, work: Any) -> None:
        self._tasks.add(task := self._loop.create_task(work))
        task.add_done_callback(self._tasks.discard)


def _to_run_end(end: JobEnd, is_ours: bool) -> RunEnd:
    """A run that failed while its event was not surely ours may have failed because of that: it was refused what it
    wanted to do."""
    if isinstance(end, Failed):
        return end if is_ours and end.error.get("code") != "RUN_OVER" else Lost()
    if isinstance(end, Lost):
        return end
    if isinstance(end, (Displaced, Unknown)):
        return Displaced()
    return Succeeded()


def _now() -> float:
    return time.time() * 1000
