"""The runs that go on in a handler process."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Coroutine, Generator, Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson

from ..ipc.run_table import RunTable
from ..ipc.wire import (
    Kind,
    Status,
    pack,
    pack_result,
    parse_step_key,
    unpack_event,
    unpack_key,
    unpack_limit,
    unpack_tick,
)
from ..protocol.frames import decode_frame
from ..recorded_span import RecordedSpan
from ..steps.access_steps import is_access_step
from ..steps.load import LoadedStep
from .active_run import ActiveRun
from .compose import is_coroutine_function
from .run_access import run_access
from .run_api import run_api
from .run_cron import run_cron
from .run_event import run_event
from .run_span import start_api_span, start_cron_span, start_event_span
from .services import Services


class Runs:
    """Starts runs of these steps on the event loop, and tells with `say` how each ends."""

    def __init__(
        self,
        steps: Iterable[LoadedStep],
        table: RunTable,
        services: Services,
        loop: asyncio.AbstractEventLoop,
        say: Callable[[bytes], None],
    ) -> None:
        self.services = services
        self._steps = {step.entry["file"]: step for step in steps}
        self._targets: dict[bytes, LoadedStep | None] = {}
        self._table = table
        self._loop = loop
        self._say = say
        self._runs: dict[int, _Run] = {}
        self._gates: dict[bytes, _Gate] = {}

    def start(self, slot: int, kind: int, payload: memoryview) -> None:
        """Starts a run that is ours to start, at once or when its step may have one more."""
        key, rest = unpack_key(payload)
        if kind == Kind.RUN_API:
            step = self._ready_step(slot, key)
            if step:
                self._start_call(slot, step, rest)
            return
        if kind == Kind.RUN_CRON:
            step = self._ready_step(slot, key)
            if step:
                self._start_tick(slot, step, rest)
            return
        limit, rest = unpack_limit(rest)
        gate = self._gates.get(key)
        if gate is None:
            gate = self._gates[key] = _Gate(limit)
        if gate.running < gate.limit:
            self._start_event(slot, key, gate, rest)
        else:
            gate.waiting.append((slot, rest))

    def abort(self, slot: int, reason: str) -> None:
        """Nobody waits for this run any more."""
        run = self._runs.get(slot)
        if run:
            run.abort(reason)

    def credit(self, slot: int, taken: int) -> None:
        """The caller of this run has taken so many bytes of its streamed answer."""
        run = self._runs.get(slot)
        if run and run.run.stream:
            run.run.stream.credit(taken)

    def blame_exit(self, run: ActiveRun) -> None:
        """This run ends the process."""
        for slot, going in [*self._runs.items()]:
            if going.run is run:
                self._table.enter(slot)

    def announce(self, longer_than: float, tell: Callable[[RecordedSpan], None]) -> None:
        """Tells, once, of each run that has gone on for so many seconds."""
        started_by = time.time_ns() - int(longer_than * 1e9)
        for going in self._runs.values():
            span = going.run.span
            if not going.announced and isinstance(span, RecordedSpan) and span.started_at <= started_by:
                going.announced = True
                tell(span)

    def _ready_step(self, slot: int, key: bytes) -> LoadedStep | None:
        """The step of a run that begins now; `None` if it will not."""
        self._table.start(slot)
        step = self._target(key)
        if step is not None and self._table.leased(slot):
            return step
        self._say(pack_result(slot, Status.UNKNOWN if step is None else Status.LOST, 0, 0))
        return None

    def _target(self, key: bytes) -> LoadedStep | None:
        if key not in self._targets:
            file, step_id = parse_step_key(key)
            step = self._steps.get(file)
            if step:
                step.entry["id"] = step_id  # the manifest may have given it another one meanwhile
            self._targets[key] = step
        return self._targets[key]

    def _start_call(self, slot: int, step: LoadedStep, frame: memoryview) -> None:
        meta, body = decode_frame(frame)
        span = start_api_span(self.services.tracing, step, meta["traceparent"], self._table.waited_ms(slot))
        run = ActiveRun(step, meta["id"], 1, span, *self._table_of(slot))

        async def have() -> tuple[Status, bytes]:
            if is_access_step(step.entry):
                return Status.REPLIED, await run_access(run, body, self.services)
            return Status.REPLIED, await run_api(run, meta, body, self.services, send)

        def send(frame: bytes) -> None:
            self._say(pack(Kind.FRAME, slot, frame))

        self._have(slot, run, have())

    def _start_tick(self, slot: int, step: LoadedStep, rest: memoryview) -> None:
        span = start_cron_span(self.services.tracing, step, self._table.waited_ms(slot))
        run = ActiveRun(step, unpack_tick(rest).id, 1, span, *self._table_of(slot))

        async def have() -> tuple[Status, bytes]:
            error = await run_cron(run, self.services)
            return (Status.SUCCEEDED, b"") if error is None else (Status.FAILED, orjson.dumps(error))

        self._have(slot, run, have())

    def _start_event(self, slot: int, key: bytes, gate: _Gate, rest: memoryview) -> None:
        step = self._ready_step(slot, key)
        if step is None:
            return
        gate.running += 1
        event, payload = unpack_event(rest)
        span = start_event_span(self.services.tracing, step, event, self._table.waited_ms(slot))
        run = ActiveRun(step, event.id, event.attempt, span, *self._table_of(slot))

        async def have() -> tuple[Status, bytes]:
            error = await run_event(run, payload, self.services)
            return (Status.SUCCEEDED, b"") if error is None else (Status.FAILED, orjson.dumps(error))

        def leave() -> None:
            gate.running -= 1
            if gate.waiting:
                self._loop.call_soon(self._start_waiting, key, gate)

        self._have(slot, run, have(), leave)

    def _table_of(self, slot: int) -> tuple[Callable[[], bool], Callable[[], None]]:
        """Whether a run is still ours, and how to say that its code goes on."""
        return lambda: self._table.leased(slot), lambda: self._table.enter(slot)

    def _start_waiting(self, key: bytes, gate: _Gate) -> None:
        """Starts events that waited until others of their step were done."""
        while gate.waiting and gate.running < gate.limit:
            slot, rest = gate.waiting.popleft()
            self._start_event(slot, key, gate, rest)

    def _have(
        self,
        slot: int,
        run: ActiveRun,
        have: Coroutine[Any, Any, tuple[Status, bytes]],
        on_end: Callable[[], None] | None = None,
    ) -> None:
        began = time.perf_counter()
        if run.span.recorded:
            self._table.tell_span(slot, run.span.traceparent)

        def end(status: Status, detail: bytes = b"") -> None:
            self._runs.pop(slot, None)
            if on_end:
                on_end()
            run.span.end()
            self._say(pack_result(slot, status, (time.perf_counter() - began) * 1000, run.emits, detail))

        def never_begun() -> None:
            """It was given up before its first step, and has not had the chance to say so."""
            have.close()
            end(Status.LOST)

        async def finish() -> None:
            end(*await _Watched(have, lambda: self._table.enter(slot)))

        task = self._loop.create_task(finish())
        self._runs[slot] = _Run(run, task)
        task.add_done_callback(lambda task: never_begun() if task.cancelled() else None)


@dataclass(slots=True)
class _Gate:
    """How many runs of a step may go on in this process, and those that wait for that."""

    limit: int
    running: int = 0
    waiting: deque[tuple[int, memoryview]] = field(default_factory=deque)


@dataclass(slots=True)
class _Run:
    """A run that is going on."""

    run: ActiveRun
    task: asyncio.Task[None]
    announced: bool = False
    """Whether it was told that it goes on."""

    def abort(self, reason: str) -> None:
        """Nobody waits for it any more. A plain function cannot be stopped: it is only refused what it wants to do."""
        self.run.fence(reason)
        if self.run.stream:
            self.task.cancel()
            return
        functions = [self.run.step.handler, *(self.run.step.config.get("middleware") or ())]
        if all(function and is_coroutine_function(function) for function in functions):
            self.task.cancel()


class _Watched:
    """Awaits a coroutine, and calls `enter` whenever it gets the processor: so who blocks the process is known."""

    __slots__ = ("_coroutine", "_enter")

    def __init__(self, coroutine: Coroutine[Any, Any, Any], enter: Callable[[], None]) -> None:
        self._coroutine = coroutine
        self._enter = enter

    def __await__(self) -> Generator[Any, None, Any]:
        thrown: BaseException | None = None
        while True:
            self._enter()
            try:
                future = self._coroutine.send(None) if thrown is None else self._coroutine.throw(thrown)
            except StopIteration as stop:
                return stop.value
            thrown = None
            try:
                yield future
            except BaseException as error:
                thrown = error
