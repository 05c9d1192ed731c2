"""Takes the ticks of one cron step and has them run, each once. What is due and when is for the scheduler to know."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any, Final

from ..broker.consumers import ACK_WAIT_MS, tick_source
from ..broker.cron_store import CronRecord, CronRun, CronStore, Tick, read_tick
from ..broker.delivery import Delivery
from ..broker.pull_consumer import PullConsumer
from ..errors import ErrorRecord, MotiaError
from ..ipc.wire import TickMeta, step_key
from .held_messages import HeldMessage, HeldMessages
from .outcome import Displaced, Failed, Lost
from .processes.job import Job, JobEnd, Unknown
from .request_consumer import ConsumerServices
from .run_identity import identity_of
from .run_metrics import RunMetrics
from .tick_decision import Dropped, Run, TakenTick, decide_tick

# Runs that this worker has at a time, of a step that may overlap with itself.
_OVERLAPPING: Final = 10
_REASONS: Final[dict[str, str]] = {
    "cut off twice": "it was cut off twice",
    "too late": "it is more than a minute late",
    "still running": "an earlier run still went on when it was due",
    "later one waits": "no worker had taken it, and a later one waits",
}


class _Held(HeldMessage):
    """A tick that this worker has."""

    __slots__ = ("claim", "tick")

    def __init__(self, delivery: Delivery, tick: Tick) -> None:
        super().__init__(delivery, ACK_WAIT_MS)
        self.tick = tick
        # Identity of our attempt at it.
        self.claim = str(uuid.uuid4())


class CronConsumer:
    """The ticks of one step; `step` is its manifest entry."""

    kind: Final = "cron"

    def __init__(
        self, services: ConsumerServices, cron: CronStore, step: dict[str, Any], on_gone: Callable[[], None]
    ) -> None:
        self.step = step
        self.source = tick_source(services.names, step)
        self._services = services
        self._metrics = RunMetrics(services.metrics, step["id"], "cron")
        self._cron = cron
        self._key = step_key(step["file"], step["id"])
        self._held = HeldMessages[_Held](ACK_WAIT_MS)
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()
        most = _OVERLAPPING if step.get("overlap") else 1
        self.puller = PullConsumer(
            services.broker,
            stream=self.source.stream,
            durable=self.source.durable,
            ack_wait_ms=ACK_WAIT_MS,
            room=lambda: most - len(self._held),
            on_delivery=self._take,
            on_gone=on_gone,
        )

    @property
    def load(self) -> int:
        """Ticks that this worker has."""
        return len(self._held)

    def renew(self) -> None:
        """Tells the broker that the ticks are still being worked on. Call it several times per ack wait."""
        self._held.renew()

    def _take(self, delivery: Delivery) -> None:
        try:
            held = _Held(delivery, read_tick(delivery))
        except MotiaError as error:
            delivery.terminate()
            fields = {"action": "tick_malformed", "step": self.step["name"], "err": error}
            self._services.log.write("error", fields, "A message that is no tick was dropped")
            return
        if self._held.hold(held):
            self._metrics.taken(delivery)
            self._do(self._begin(held))

    async def _begin(self, held: _Held) -> None:
        """Enters the run in the step's record, and then has it; or drops the tick."""
        try:
            refusal = await self._claim(held)
            if refusal is None:
                self._dispatch(held)
                return
            held.delivery.ack()
            self._tell_dropped(held.tick, refusal)
        except MotiaError as error:
            fields = {"action": "tick_failed", "step": self.step["name"], "tick": held.tick.tick, "err": error}
            self._services.log.write("error", fields, "A tick could not be begun; it will come again")
        self._forget(held)

    async def _claim(self, held: _Held) -> Dropped | None:
        """Gives why the tick does not run; `None` if it is ours to run."""
        seq, tick, manual = held.tick.seq, held.tick.tick, held.tick.manual
        taken = TakenTick(seq, tick, manual, held.delivery.stored_at, held.delivery.pending)
        while True:
            record = await self._cron.read_record(self.step["id"])
            if any(run.claim == held.claim for run in record.runs):
                return None  # stored by a write whose answer was lost
            now = round(_now())
            decision = decide_tick(taken, record.runs, self.step, now)
            if not isinstance(decision, Run):
                if decision == "cut off twice":
                    failed = [
                        replace(run, endedAt=now, outcome="failed") if run.seq == seq else run for run in record.runs
                    ]
                    if not await self._cron.replace_record(self.step["id"], CronRecord(failed, record.revision)):
                        continue
                return decision
            run = CronRun(seq, tick, manual, held.claim, decision.times, now)
            runs = [*(other for other in record.runs if other.seq != seq), run]
            runs.sort(key=lambda run: run.seq)
            if await self._cron.replace_record(self.step["id"], CronRecord(runs, record.revision)):
                return None

    def _dispatch(self, held: _Held) -> None:
        held.job = Job(
            file=self.step["file"],
            key=self._key,
            body=b"",
            event=None,
            tick=TickMeta(f"{self.source.stream}:{held.tick.seq}", held.tick.tick),
            lease_until=held.lease_until,
            stored_at=held.delivery.stored_at,
            restartable=True,
            on_end=lambda end, took_ms, emits: self._finish(held, end, took_ms, emits),
        )
        self._services.pool.dispatch(held.job)

    def _finish(self, held: _Held, end: JobEnd, took_ms: float, emits: int) -> None:
        self._metrics.ended(end, took_ms, emits)
        self.end(held, end)

    def end(self, held: _Held, end: JobEnd) -> None:
        """The run is over, or will not be had here."""
        held.ended = True
        self._do(self._settle(held, end))

    async def _settle(self, held: _Held, end: JobEnd) -> None:
        """If the broker cannot be told, the tick stays unacked and comes again after the ack wait."""
        error = end.error if isinstance(end, Failed) else None
        # Refused what it wanted to do, or without a lease: the tick may be with another worker, who decides.
        is_lost = isinstance(end, Lost) or (error or {}).get("code") == "RUN_OVER" or not held.is_ours
        try:
            if isinstance(end, (Displaced, Unknown)):
                # It has not run: the claim goes before the tick goes to somebody else.
                if await self._change_run(held, lambda _run: None):
                    held.delivery.hand_back(0)
            elif not is_lost:
                if error and error.get("code") == "RUN_CUT_OFF":
                    self._tell_cut_off(held, error)  # of any other failure the handler process has told
                if await self._change_run(held, lambda run: _ended(run, error)):
                    held.delivery.ack()
        except MotiaError as failure:
            identity = identity_of(self.step, held.job.span if held.job else None)
            fields = {"action": "settle_failed", **identity, "tick": held.tick.tick, "err": failure}
            message = "The outcome of a cron run could not be stored; it may run once more"
            self._services.log.write("error", fields, message)
        self._forget(held)

    async def _change_run(self, held: _Held, change: Callable[[CronRun], CronRun | None]) -> bool:
        """Changes our run in the step's record, or takes it out. Gives whether it is still ours."""
        while True:
            record = await self._cron.read_record(self.step["id"])
            if not any(run.claim == held.claim for run in record.runs):
                return False
            changed = [change(run) if run.claim == held.claim else run for run in record.runs]
            runs = [run for run in changed if run is not None]
            if await self._cron.replace_record(self.step["id"], CronRecord(runs, record.revision)):
                return True

    def _forget(self, held: _Held) -> None:
        self._held.release(held)
        self.puller.pull()

    def _tell_cut_off(self, held: _Held, error: ErrorRecord) -> None:
        identity = identity_of(self.step, held.job.span if held.job else None)
        fields = {"action": "run_failed", **identity, "tick": held.tick.tick, "err": error}
        self._services.log.write("error", fields, f"{self.step['name']} failed: {error['message']}")

    def _tell_dropped(self, tick: Tick, why: Dropped) -> None:
        if why == "done":
            return
        name = self.step["name"]
        at = datetime.fromtimestamp(tick.tick / 1000, timezone.utc).isoformat(timespec="milliseconds")
        fields = {"action": "tick_dropped", **identity_of(self.step), "tick": tick.tick, "reason": why}
        text = f"{name} does not run for {at.replace('+00:00', 'Z')}: {_REASONS[why]}"
        self._services.log.write("warn", fields, text)

    def _do(self, work: Any) -> None:
        self._tasks.add(task := self._loop.create_task(work))
        task.add_done_callback(self._tasks.discard)


def _ended(run: CronRun, error: ErrorRecord | None) -> CronRun:
    return replace(run, endedAt=round(_now()), outcome="failed" if error else "succeeded")


def _now() -> float:
    return time.time() * 1000
