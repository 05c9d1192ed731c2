"""Takes the events of one subscription from the broker, has them run, and does what the outcome asks for."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import orjson

from ..broker.consumers import ACK_WAIT_MS, subscription_source
from ..broker.delivery import Delivery
from ..broker.events import DeadReason, EventEnvelope, EventStore, read_envelope
from ..broker.pull_consumer import PullConsumer
from ..errors import ErrorRecord, MotiaError, to_error_record
from ..ipc.wire import EventMeta, step_key
from ..protocol.headers import PROTOCOL_VERSION
from .outcome import (
    DEFAULT_RETRY_POLICY,
    MOST_DELIVERIES,
    Displaced,
    Failed,
    Lost,
    Outcome,
    RunEnd,
    Succeeded,
    decide_outcome,
)
from .processes.job import Job, JobEnd, Unknown
from .request_consumer import ConsumerServices
from .run_time import RunTime

_DEFAULT_CONCURRENCY: Final = 10


# With a single handler process, waiting events are sent ahead of their run as far as they will run within this time.
_AHEAD_MS: Final = 10
_MOST_AHEAD: Final = 256


class Gate:
    """How many runs of an event step go on at a time, over all its subscriptions.

    A single handler process keeps the limit itself, so that short runs can be sent to it ahead of time; with several,
    no more are sent than may run.
    """

    def __init__(self, limit: int, may_send_ahead: bool) -> None:
        self.limit = limit
        """Runs at a time."""
        self.run_time = RunTime()
        self._may_send_ahead = may_send_ahead
        self._running = 0
        self._waiting: deque[tuple[EventConsumer, _Held, bytes]] = deque()

    @property
    def room(self) -> int:
        """How many events may be on their way to their run, or in it."""
        if not self._may_send_ahead:
            return self.limit
        return self.limit + min(_MOST_AHEAD, int(_AHEAD_MS * self.limit / self.run_time.ms))

    def enter(self, consumer: EventConsumer, held: _Held, payload: bytes) -> None:
        """Has the event dispatched when it may run. Counts it until `leave`."""
        if self._running < self.room:
            self._running += 1
            held.entered = True
            consumer.dispatch(held, payload)
        else:
            self._waiting.append((consumer, held, payload))

    def leave(self) -> None:
        """An event that had entered is done with."""
        self._running -= 1
        if self._waiting:
            self.enter(*self._waiting.popleft())

    def withdraw(self) -> list[tuple[EventConsumer, _Held]]:
        """Takes back what waits."""
        withdrawn = [(consumer, held) for consumer, held, _ in self._waiting]
        self._waiting.clear()
        return withdrawn


@dataclass(slots=True, eq=False)
class _Held:
    """An event that this worker has."""

    delivery: Delivery
    event: EventEnvelope
    lease_until: float
    """Until when the broker gives it to nobody else, ms since 1970."""
    job: Job | None = None
    timeout: asyncio.TimerHandle | None = None
    entered: bool = False
    """It counts in the gate of its step."""
    ended: bool = False


class EventConsumer:
    """The events of one subscription; `step` is its manifest entry."""

    def __init__(
        self,
        services: ConsumerServices,
        events: EventStore,
        step: dict[str, Any],
        topic: str,
        gate: Gate,
        on_gone: Callable[[], None],
    ) -> None:
        self.step = step
        self.source = subscription_source(services.names, step["id"], topic)
        self._services = services
        self._events = events
        self._topic = topic
        self._key = step_key(step["file"], step["id"])
        self._gate = gate
        infrastructure = step.get("infrastructure") or {}
        max_retries = (infrastructure.get("queue") or {}).get("maxRetries")
        policy = DEFAULT_RETRY_POLICY
        self._policy = policy if max_retries is None else replace(policy, max_attempts=max_retries + 1)
        self._timeout_s: float | None = (infrastructure.get("handler") or {}).get("timeout")
        # By sequence in the broker stream.
        self._held: dict[int, _Held] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()
        self.puller = PullConsumer(
            services.broker,
            stream=self.source.stream,
            durable=self.source.durable,
            room=lambda: self._gate.room - len(self._held),
            on_delivery=self._take,
            on_gone=on_gone,
        )

    @property
    def load(self) -> int:
        """Events that this worker has."""
        return len(self._held)

    def renew(self) -> None:
        """Tells the broker that the events are still being worked on. Call it several times per ack wait."""
        due = _now() - ACK_WAIT_MS / 4
        for held in self._held.values():
            if held.delivery.received_at <= due and not held.ended:
                self._do(self._renew(held, _now() + ACK_WAIT_MS))

    async def _renew(self, held: _Held, until: float) -> None:
        try:
            await held.delivery.working()
        except MotiaError:
            return  # without a confirmation the lease runs out, and the run is fenced off
        _renew_held(held, until)

    def _take(self, delivery: Delivery) -> None:
        event = read_envelope(delivery, self.source.stream, self._topic)
        if (event.protocol or PROTOCOL_VERSION) > PROTOCOL_VERSION:
            delivery.hand_back(5_000)
            fields = {"action": "protocol_too_new", "step": self.step["name"]}
            message = "An event of a newer version cannot be read by this worker; it was handed back"
            self._services.log.write("error", fields, message)
            return
        lease_until = delivery.received_at + ACK_WAIT_MS
        known = self._held.get(delivery.sequence)
        if known:
            # Our renewals had not reached the broker, and it has come back to us.
            known.delivery = delivery
            _renew_held(known, lease_until)
            return
        held = _Held(delivery, event, lease_until)
        self._held[delivery.sequence] = held
        if delivery.delivery_count > MOST_DELIVERIES:
            times = delivery.delivery_count - 1
            reason = f"it was handed out {times} times without a finished run: it may end its workers"
            self._do(self._settle(held, Outcome("bury"), to_error_record(MotiaError("RUN_CUT_OFF", reason))))
        elif event.blob is None:
            self._gate.enter(self, held, delivery.data)
        else:
            self._do(self._fetch_and_dispatch(held))

    async def _fetch_and_dispatch(self, held: _Held) -> None:
        try:
            payload = await self._events.payload(held.event, held.delivery.data)
        except MotiaError as error:
            self.end(held, Failed(to_error_record(error)))
            return
        self._gate.enter(self, held, payload)

    def dispatch(self, held: _Held, payload: bytes) -> None:
        """Its gate lets the event in."""
        event = held.event
        held.job = Job(
            file=self.step["file"],
            key=self._key,
            body=payload,
            event=EventMeta(event.id, event.topic, event.attempt, event.traceparent),
            lease_until=held.lease_until,
            restartable=True,
            on_end=lambda end, took_ms: self._finish(held, end, took_ms),
            limit=self._gate.limit,
        )
        self._services.pool.dispatch(held.job)
        if self._timeout_s is not None:
            self._limit_time(held, self._timeout_s * 1000, self._timeout_s * 1000)

    def _limit_time(self, held: _Held, timeout_ms: float, wait_ms: float) -> None:
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
            self.end(held, Failed(to_error_record(error)))

        held.timeout = self._loop.call_later(wait_ms / 1000, check)

    def _finish(self, held: _Held, end: JobEnd, took_ms: float) -> None:
        self._gate.run_time.add(took_ms)
        self.end(held, end)

    def end(self, held: _Held, end: JobEnd) -> None:
        """The run is over, or will not be had here."""
        if held.ended:
            return  # what a timed-out handler returns in the end
        held.ended = True
        if held.timeout:
            held.timeout.cancel()
        if held.entered:
            self._gate.leave()
        run_end = _to_run_end(end, held.lease_until > _now())
        outcome = decide_outcome(run_end, held.event.attempt, self._policy, random.random())
        if outcome.action == "ack":
            held.delivery.ack()
            self._forget(held)
        else:
            self._do(self._settle(held, outcome, run_end.error if isinstance(run_end, Failed) else None))

    async def _settle(self, held: _Held, outcome: Outcome, error: ErrorRecord | None) -> None:
        """Does what was decided. If the broker cannot be told, the event stays unacked and comes again after the ack
        wait."""
        delivery, event = held.delivery, held.event
        durable = self.source.durable
        try:
            if outcome.action == "retry":
                self._report(event, outcome, error)
                await self._events.schedule_retry(durable, event, delivery.data, round(_now() + outcome.delay_ms))
            elif outcome.action == "bury":
                self._report(event, outcome, error)
                reason = DeadReason(self.step["id"], durable, orjson.dumps(error).decode())
                await self._events.bury(event, delivery.data, reason)
            if outcome.action == "hand_back":
                delivery.hand_back(0)
            elif outcome.action != "leave":
                delivery.ack()
        except MotiaError as failure:
            fields = {"action": "settle_failed", "step": self.step["name"], "eventId": event.id, "err": failure}
            message = "The outcome of an event could not be stored; the event will come again"
            self._services.log.write("error", fields, message)
        finally:
            self._forget(held)

    def _forget(self, held: _Held) -> None:
        self._held.pop(held.delivery.sequence, None)
        self.puller.pull()

    def _report(self, event: EventEnvelope, outcome: Outcome, error: ErrorRecord | None) -> None:
        name = self.step["name"]
        message = error["message"] if error else ""
        fields: dict[str, object] = {
            "action": "run_failed" if outcome.action == "retry" else "event_dead",
            "step": name,
            "topic": event.topic,
            "eventId": event.id,
            "attempt": event.attempt,
            "err": error,
        }
        parts = event.traceparent.split("-")
        if len(parts) > 1:
            fields["traceId"] = parts[1]
        if outcome.action == "retry":
            attempts = f"attempt {event.attempt} of {self._policy.max_attempts}"
            fields["retryInMs"] = outcome.delay_ms
            self._services.log.write("warn", fields, f"{name} failed ({attempts}): {message}")
        else:
            text = f"{name} failed for good (attempt {event.attempt}); the event is a dead letter now: {message}"
            self._services.log.write("error", fields, text)

    def _do(self, work: Any) -> None:
        self._tasks.add(task := self._loop.create_task(work))
        task.add_done_callback(self._tasks.discard)


def concurrency_of(step: dict[str, Any]) -> int:
    """How many runs of an event step may go on at a time in one worker."""
    queue = (step.get("infrastructure") or {}).get("queue") or {}
    return queue.get("concurrency") or (1 if queue.get("type") == "fifo" else _DEFAULT_CONCURRENCY)


def _renew_held(held: _Held, until: float) -> None:
    if held.ended:
        return
    held.lease_until = until
    if held.job:
        held.job.renew_lease(until)


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
