"""Takes the API calls of one step from the broker and sends the replies.

A call of a safe method is acked when it is answered: if this worker is lost, another one answers. Any other call is
acked before it starts: nobody may run it twice, so a lost worker leaves its caller with "outcome unknown".

From the first frame of a streamed answer on, no call is had twice, and it takes as long as its caller and its handler
want.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from ..broker.connect import Broker
from ..broker.consumers import REQUEST_ACK_WAIT_MS, request_source
from ..broker.delivery import Delivery
from ..broker.pull_consumer import PullConsumer
from ..errors import MotiaError
from ..ipc.wire import step_key
from ..log import Log
from ..metrics.metrics import Metrics
from ..protocol.frames import GONE, Credit, decode_frame, encode_frame
from ..protocol.headers import PROTOCOL_VERSION
from ..protocol.safe_methods import is_safe
from ..protocol.subjects import Names
from ..protocol.trace_ids import new_span_id
from .credit_inbox import CreditInbox
from .outcome import Failed, Lost
from .processes.job import Job, JobEnd, Replied, Unknown
from .processes.pool import ProcessPool
from .run_identity import identity_of
from .run_metrics import RunMetrics

# Calls of one step that this worker has at a time.
_CONCURRENCY: Final = 512
# A call that takes longer than this is reported as started, so that its caller can tell 504 and 502 from 503.
_STARTED_AFTER_MS: Final = 250
# How often a caller hears that a worker still has its call.
_BEAT_MS: Final = 1_000
_TICK_S: Final = 0.125


@dataclass(frozen=True, slots=True)
class ConsumerServices:
    """What consumers work with."""

    broker: Broker
    names: Names
    pool: ProcessPool
    log: Log
    metrics: Metrics
    credits: CreditInbox
    skip_waits: bool = False
    """Events of ordered subscriptions do not wait in their place."""


@dataclass(slots=True, eq=False)
class _Call:
    meta: dict[str, Any]
    delivery: Delivery
    safe: bool
    taken_at: float
    renewed_at: float
    """When the broker was last asked to keep the message for us."""
    heard_at: float = 0
    """When the caller heard of us last; 0 for never."""
    begun: bool = False
    """It went to a process: from then on an unsafe call is nobody else's."""
    job: Job | None = None
    credit: str = ""
    """Of an answer that is streamed: the subject where its caller says how far it is."""
    frames: int = 0
    """How many of its frames were sent."""


class RequestConsumer:
    """The calls of one step; `step` is its manifest entry."""

    kind: Final = "api"

    def __init__(self, services: ConsumerServices, step: dict[str, Any], on_gone: Callable[[], None]) -> None:
        self.step = step
        self.source = request_source(services.names, step["id"])
        self._services = services
        self._metrics = RunMetrics(services.metrics, step["id"], "api")
        self._key = step_key(step["file"], step["id"])
        self._calls: dict[str, _Call] = {}
        self._ticker: asyncio.TimerHandle | None = None
        self._renewals: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()
        self.puller = PullConsumer(
            services.broker,
            stream=self.source.stream,
            durable=self.source.durable,
            ack_wait_ms=self.source.ack_wait_ms,
            room=lambda: _CONCURRENCY - len(self._calls),
            on_delivery=self._take,
            on_gone=on_gone,
        )

    @property
    def load(self) -> int:
        """Calls that are not answered yet."""
        return len(self._calls)

    def cut_off_streams(self, reason: str) -> None:
        """Cuts the answers off that are being streamed: their callers are told so."""
        for call in [*self._calls.values()]:
            if call.credit:
                self._reply(call, {"t": "error", "status": 502, "message": "The rest of the answer is lost"})
                self._abort(call, reason)

    def cancel(self, request_id: str) -> None:
        """The caller of this request is gone."""
        call = self._calls.get(request_id)
        if call:
            self._abort(call, "the caller is gone")

    def _take(self, delivery: Delivery) -> None:
        meta = self._read(delivery)
        if meta is None:
            return
        if meta["v"] > PROTOCOL_VERSION:
            delivery.hand_back(1_000)
            fields = {"action": "protocol_too_new", "step": self.step["name"], "version": meta["v"]}
            self._services.log.write("error", fields, "A newer gateway sent a call that this worker cannot read")
            return
        if _now() >= meta["startBy"]:
            delivery.ack()  # nobody waits any more
            return
        known = self._calls.get(meta["id"])
        if known:
            # We had not renewed it in time, and it has come back to us.
            known.delivery = delivery
            _renew(known, delivery.received_at)
            return
        received_at = delivery.received_at
        call = _Call(meta, delivery, is_safe(meta["method"], meta["headers"]), received_at, received_at)
        self._calls[meta["id"]] = call
        self._metrics.taken(delivery)
        call.job = self._to_job(call)
        self._services.pool.dispatch(call.job)
        if self._ticker is None:
            self._ticker = self._loop.call_later(_TICK_S, self._tick)

    def _read(self, delivery: Delivery) -> dict[str, Any] | None:
        try:
            return decode_frame(delivery.data)[0]
        except ValueError as error:
            delivery.terminate()
            fields = {"action": "frame_malformed", "step": self.step["name"], "err": error}
            self._services.log.write("error", fields, "A call that is no valid frame was dropped")
            return None

    def _to_job(self, call: _Call) -> Job:
        return Job(
            file=self.step["file"],
            key=self._key,
            body=call.delivery.data,
            event=None,
            lease_until=call.delivery.received_at + REQUEST_ACK_WAIT_MS,
            stored_at=call.delivery.stored_at,
            restartable=call.safe,
            on_dispatch=lambda: self._begin(call),
            on_frame=lambda frame: self._pass(call, frame),
            on_end=lambda end, took_ms, emits: self._end(call, end, took_ms, emits),
        )

    def _begin(self, call: _Call) -> None:
        if call.begun:
            return
        call.begun = True
        if call.job:
            call.job.lease_until = math.inf  # an unsafe one is acked, a safe one may be had twice
        # The ack is on the socket before the call leaves for the process: the pool sees to that.
        if not call.safe:
            call.delivery.ack()

    def _pass(self, call: _Call, frame: bytes) -> None:
        if not call.credit:
            self._begin_stream(call)
        call.frames += 1
        call.heard_at = _now()
        self._services.broker.send(call.meta["reply"], frame, call.credit)

    def _begin_stream(self, call: _Call) -> None:
        if call.safe:
            call.delivery.ack()
        call.safe = False
        if call.job:
            call.job.restartable = False
        call.credit = self._services.credits.open(lambda credit: self._on_credit(call, credit))

    def _on_credit(self, call: _Call, credit: Credit) -> None:
        if credit == GONE:
            self._abort(call, "the caller is gone")
        elif call.job:
            call.job.credit(credit)

    def _end(self, call: _Call, end: JobEnd, took_ms: float, emits: int) -> None:
        self._metrics.ended(end, took_ms, emits, call.meta["traceparent"])
        if self._calls.pop(call.meta["id"], None):  # otherwise it has been given up
            self._answer(call, end)
        self._services.credits.close(call.credit)
        self.puller.pull()

    def _answer(self, call: _Call, end: JobEnd) -> None:
        if isinstance(end, Lost):
            return  # whoever has its message answers
        if isinstance(end, Replied):
            self._services.broker.send(call.meta["reply"], end.frame, call.credit)
        elif isinstance(end, Unknown):
            self._reply(
                call, {"t": "error", "status": 404, "message": "Not found"}
            )  # the step was removed a moment ago
        elif isinstance(end, Failed):
            error_id = new_span_id()
            name = self.step["name"]
            identity = identity_of(self.step, call.job.span if call.job else None, call.meta["traceparent"])
            fields = {"action": "request_failed", "errorId": error_id, **identity, "err": end.error}
            self._services.log.write("error", fields, f"{name} failed: {end.error['message']}")
            self._reply(call, {"t": "error", "status": 500, "message": "Internal server error", "id": error_id})
        else:
            self._reply(call, {"t": "error", "status": 502, "message": "The outcome of this call is unknown"})
        if call.safe:
            call.delivery.ack()

    def _reply(self, call: _Call, meta: dict[str, object]) -> None:
        call.heard_at = _now()
        self._services.broker.send(call.meta["reply"], encode_frame(meta), call.credit)

    def _tick(self) -> None:
        """Keeps callers informed and messages ours, and gives up on what nobody waits for."""
        now = _now()
        for call in [*self._calls.values()]:
            if not call.credit and now >= (call.meta["deadline"] if call.begun else call.meta["startBy"]):
                self._abort(call, "its deadline is over")
                continue
            if now - call.renewed_at >= _BEAT_MS and (call.safe or not call.begun) and _is_ours(call):
                call.renewed_at = now
                self._renewals.add(task := self._loop.create_task(self._renew(call, now)))
                task.add_done_callback(self._renewals.discard)
            if not call.begun:
                continue  # waits for a process
            quiet = now - (call.heard_at or call.taken_at)
            if quiet >= (_BEAT_MS if call.heard_at else _STARTED_AFTER_MS):
                self._reply(call, _sign_of(call))
        self._ticker = self._loop.call_later(_TICK_S, self._tick) if self._calls else None

    async def _renew(self, call: _Call, at: float) -> None:
        try:
            await call.delivery.working()
        except MotiaError:
            return  # without a confirmation the lease runs out, and the call does not begin
        if _is_ours(call):
            _renew(call, at)

    def _abort(self, call: _Call, reason: str) -> None:
        self._calls.pop(call.meta["id"], None)
        if call.begun:
            self._metrics.abandoned(_now() - call.taken_at, call.meta["traceparent"])
        self._services.credits.close(call.credit)
        if call.job and call.job.at:
            call.job.give_up(reason)
        elif call.job:
            self._services.pool.withdraw(call.job)
        if call.safe or not call.begun:
            call.delivery.ack()
        self.puller.pull()


def _sign_of(call: _Call) -> dict[str, object]:
    """What tells the caller that the call goes on."""
    if call.credit:
        return {"t": "beat", "n": call.frames}
    return {"t": "beat" if call.heard_at else "started"}


def _is_ours(call: _Call) -> bool:
    """Its lease has not run out. One that has is not renewed, for the reason that `HeldMessages.renew` gives."""
    return call.job is not None and call.job.lease_until > _now()


def _renew(call: _Call, at: float) -> None:
    """The message is ours since `at`, for another ack wait."""
    if call.job and not call.begun:
        call.job.renew_lease(at + REQUEST_ACK_WAIT_MS)


def _now() -> float:
    return time.time() * 1000
