"""A handler process: loads the user's steps, then has the runs that the broker process sends."""

from __future__ import annotations

import asyncio
import socket
import time
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from mmap import mmap
from typing import Any, Final, cast

import orjson

from ..broker.address import BrokerAddress
from ..event_loop import new_event_loop
from ..ipc import tickets
from ..ipc.run_table import RunTable
from ..ipc.wire import (
    Kind,
    LoadedApp,
    LoadOrder,
    Status,
    Unpacker,
    pack,
    pack_result,
    parse_step_key,
    unpack_event,
    unpack_key,
    unpack_limit,
    unpack_tick,
)
from ..log import Log, LogLevel
from ..protocol.frames import decode_frame
from ..steps.load import LoadedProject, LoadedStep, load_project
from ..tracing import TelemetryEnvironment, Tracing, create_tracing
from .active_run import ActiveRun
from .broker_services import BrokerServices
from .compose import is_coroutine_function
from .guards import install_guards, run_guarded
from .run_api import run_api
from .run_cron import run_cron
from .run_event import run_event
from .run_span import start_api_span, start_cron_span, start_event_span
from .services import HttpSettings, Services
from .stream_names import StreamNames

# Plain functions that run at the same time; more wait for a thread.
_THREADS: Final = 128


@dataclass(frozen=True, slots=True)
class HandlerSetup:
    """What all handler processes of a worker are made with."""

    app: str
    root: str
    broker: BrokerAddress
    log_level: LogLevel
    telemetry: TelemetryEnvironment


def run_handler(setup: HandlerSetup, memory: mmap, index: int, socket_fd: int, tickets_fd: int) -> int:
    """The life of a handler process, from its fork to its exit code."""
    channel = socket.socket(fileno=socket_fd)
    order = _read_order(channel)
    if order is None:
        return 0
    project = load_project(setup.root, order.files)  # while no event loop runs: a module may run one of its own
    loop = new_event_loop()
    asyncio.set_event_loop(loop)
    process = HandlerMain(setup, RunTable(memory, index), tickets_fd, project, order, loop)
    install_guards(loop, process.log, process.blame_exit)
    run_guarded(loop, process.run(channel), process.log)
    return 0


def _read_order(channel: socket.socket) -> LoadOrder | None:
    """The first message; `None` if the broker process has ended."""
    unpacker = Unpacker()
    while data := channel.recv(1 << 16):
        for _, _, payload in unpacker.feed(data):  # nothing else is sent before the steps are loaded
            return LoadOrder(**orjson.loads(payload))
    return None


class HandlerMain(asyncio.Protocol):
    """Has runs on the event loop of a handler process."""

    def __init__(
        self,
        setup: HandlerSetup,
        table: RunTable,
        tickets_fd: int,
        project: LoadedProject,
        order: LoadOrder,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.log = Log(setup.log_level, self._write_line)
        self._table = table
        self._tickets_fd = tickets_fd
        self._project = project
        self._loop = loop
        self._steps = {step.entry["file"]: step for step in project.steps}
        self._targets: dict[bytes, LoadedStep | None] = {}
        self._tracing: Tracing = create_tracing(
            setup.telemetry,
            setup.app,
            "python-worker",
            lambda text: self.log.write("warn", {"action": "tracing"}, text),
        )
        self._executor: Executor = ThreadPoolExecutor(_THREADS, thread_name_prefix="handler")
        self._broker = BrokerServices(setup.broker, setup.app)
        self._services = Services(
            events=self._broker.events,
            state=self._broker.state,
            streams=self._broker.streams,
            stream_names=StreamNames([stream["name"] for stream in project.streams], self._stream_names),
            bodies=self._broker.bodies,
            tracing=self._tracing,
            log=self.log,
            settings=_http_settings(order.settings),
            executor=self._executor,
        )
        self._unpacker = Unpacker()
        self._transport: asyncio.WriteTransport | None = None
        self._outgoing: list[bytes] = []
        # Runs that were sent and have not started, and those that are ours to start as soon as they are here.
        self._sent: dict[int, tuple[int, memoryview]] = {}
        self._claimed: set[int] = set()
        self._runs: dict[int, _Run] = {}
        self._gates: dict[bytes, _Gate] = {}
        self._starting = False
        self._closed = asyncio.Event()

    async def run(self, channel: socket.socket) -> None:
        """Returns when the broker process says so, or is gone."""
        channel.setblocking(False)
        await self._loop.create_unix_connection(lambda: self, sock=channel)
        self._say(pack(Kind.READY, 0, orjson.dumps(self._describe()._asdict())))
        self._broker.connect()
        await self._closed.wait()
        await self._loop.run_in_executor(None, self._tracing.close)
        await self._broker.close()
        self._flush()

    async def _stream_names(self) -> list[str]:
        return await (await self._broker.streams()).defined_names()

    def _describe(self) -> LoadedApp:
        return LoadedApp(
            steps=[step.entry for step in self._project.steps],
            streams=self._project.streams,
            failures=[asdict(failure) for failure in self._project.failures],
            warnings=self._project.warnings,
        )

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)  # uvloop's are no subclasses

    def connection_lost(self, exc: Exception | None) -> None:
        self._closed.set()

    def data_received(self, data: bytes) -> None:
        for kind, slot, payload in self._unpacker.feed(data):
            if kind in (Kind.RUN_API, Kind.RUN_EVENT, Kind.RUN_CRON):
                if slot in self._claimed:
                    self._claimed.discard(slot)
                    self._start(slot, kind, payload)
                else:
                    self._sent[slot] = (kind, payload)
                    self._start_soon()
            elif kind == Kind.ABORT:
                run = self._runs.get(slot)
                if run:
                    run.abort(bytes(payload).decode())
            elif kind == Kind.WITHDRAWN:
                self._sent.pop(slot, None)
                self._say(pack(Kind.WITHDRAWN, slot))
            elif kind == Kind.PING:
                self._say(pack(Kind.PONG))
            elif kind == Kind.SETTINGS:
                self._services = replace(self._services, settings=_http_settings(orjson.loads(payload)))
            elif kind == Kind.CLOSE:
                self._closed.set()

    def _start_soon(self) -> None:
        if not self._starting:
            self._starting = True
            self._loop.call_soon(self._start_next)

    def _start_next(self) -> None:
        """Starts one run in each turn of the event loop.

        Its first piece comes before the next one's ticket is claimed: while it computes, the others can be taken back.
        """
        slot = tickets.claim(self._tickets_fd)
        if slot is not None:
            sent = self._sent.pop(slot, None)
            if sent:
                self._start(slot, *sent)
            else:
                self._claimed.add(slot)
        self._starting = False
        if self._sent and slot is not None:
            self._start_soon()

    def _start(self, slot: int, kind: int, payload: memoryview) -> None:
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

    def _ready_step(self, slot: int, key: bytes) -> LoadedStep | None:
        """The step of a run that begins now; `None` if it will not."""
        self._table.start(slot)
        step = self._target(key)
        if step is not None and self._table.leased(slot):
            return step
        self._say(pack_result(slot, Status.UNKNOWN if step is None else Status.LOST, 0))
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
        span = start_api_span(self._tracing, step, meta["traceparent"])
        run = ActiveRun(step, meta["id"], 1, span, *self._table_of(slot))

        async def have() -> tuple[Status, bytes]:
            return Status.REPLIED, await run_api(run, meta, body, self._services)

        self._have(slot, run, have())

    def _start_tick(self, slot: int, step: LoadedStep, rest: memoryview) -> None:
        span = start_cron_span(self._tracing, step)
        run = ActiveRun(step, unpack_tick(rest).id, 1, span, lambda: self._table.leased(slot))

        async def have() -> tuple[Status, bytes]:
            error = await run_cron(run, self._services)
            return (Status.SUCCEEDED, b"") if error is None else (Status.FAILED, orjson.dumps(error))

        self._have(slot, run, have())

    def _start_event(self, slot: int, key: bytes, gate: _Gate, rest: memoryview) -> None:
        step = self._ready_step(slot, key)
        if step is None:
            return
        gate.running += 1
        event, payload = unpack_event(rest)
        span = start_event_span(self._tracing, step, event)
        run = ActiveRun(step, event.id, event.attempt, span, *self._table_of(slot))

        async def have() -> tuple[Status, bytes]:
            error = await run_event(run, payload, self._services)
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

        def end(status: Status, detail: bytes = b"") -> None:
            self._runs.pop(slot, None)
            if on_end:
                on_end()
            run.span.end()
            self._say(pack_result(slot, status, (time.perf_counter() - began) * 1000, detail))

        def never_begun() -> None:
            """It was given up before its first step, and has not had the chance to say so."""
            have.close()
            end(Status.LOST)

        async def finish() -> None:
            end(*await _Watched(have, lambda: self._table.enter(slot)))

        task = self._loop.create_task(finish())
        self._runs[slot] = _Run(run, task)
        task.add_done_callback(lambda task: never_begun() if task.cancelled() else None)

    def blame_exit(self, run: ActiveRun) -> None:
        """This run ends the process."""
        for slot, going in [*self._runs.items()]:
            if going.run is run:
                self._table.enter(slot)

    def _write_line(self, line: bytes) -> None:
        """Of the log, from any thread."""
        message = pack(Kind.LOG, 0, line)
        try:
            here = asyncio.get_running_loop() is self._loop
        except RuntimeError:
            here = False
        if here:
            self._say(message)
        else:
            self._loop.call_soon_threadsafe(self._say, message)

    def _say(self, message: bytes) -> None:
        """Says it at the end of this turn of the event loop, with all else that is said in it."""
        if not self._outgoing:
            self._loop.call_soon(self._flush)
        self._outgoing.append(message)

    def _flush(self) -> None:
        if self._outgoing and self._transport:
            self._transport.write(b"".join(self._outgoing))
        self._outgoing.clear()


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

    def abort(self, reason: str) -> None:
        """Nobody waits for it any more. A plain function cannot be stopped: it is only refused what it wants to do."""
        self.run.fence(reason)
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


def _http_settings(settings: dict[str, Any]) -> HttpSettings:
    return HttpSettings(body_limit=settings["bodyLimit"], validation=settings["validation"])
