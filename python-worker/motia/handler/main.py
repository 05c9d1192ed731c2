"""A handler process: loads the user's steps, then has the runs that the broker process sends."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from mmap import mmap
from typing import Any, Final, cast

import orjson

from ..broker.address import BrokerAddress
from ..event_loop import new_event_loop
from ..ipc import tickets
from ..ipc.run_table import RunTable
from ..ipc.wire import Kind, LoadedApp, LoadOrder, Unpacker, pack, unpack_credit
from ..log import Log, LogLevel
from ..payloads import create_payloads
from ..redaction import Redaction
from ..steps.load import LoadedProject, load_project
from ..tracing import RecordedTracing, TelemetryEnvironment, Tracing, create_tracing
from .broker_services import BrokerServices
from .capture import capture_output
from .guards import install_guards, run_guarded
from .runs import Runs
from .services import HttpSettings, Services
from .span_outbox import SpanOutbox
from .stream_names import StreamNames

# Plain functions that run at the same time; more wait for a thread.
_THREADS: Final = 128
_LONG_RUN_S: Final = 1.0


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
    install_guards(loop, process.log, process.runs.blame_exit)
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
        self.log = Log(setup.log_level, self._write_line, self._store_line)
        self.log.redaction = _redaction(order.settings)
        if setup.telemetry.get("stored", False):
            capture_output(self.log)
        self._tickets_fd = tickets_fd
        self._telemetry = setup.telemetry
        self._project = project
        self._loop = loop
        self._spans = SpanOutbox(loop, self._say)
        self._tracing: Tracing = create_tracing(
            setup.telemetry,
            setup.app,
            "python-worker",
            lambda text: self.log.write("warn", {"action": "tracing"}, text),
            self._spans.add if setup.telemetry.get("stored", False) else None,
        )
        if isinstance(self._tracing, RecordedTracing) and "opentelemetry.trace" in sys.modules:
            from .user_spans import install_user_spans  # noqa: PLC0415  # needs the API

            install_user_spans(self._tracing)
        self._executor: Executor = ThreadPoolExecutor(_THREADS, thread_name_prefix="handler")
        self._broker = BrokerServices(setup.broker, setup.app)
        services = Services(
            events=self._broker.events,
            state=self._broker.state,
            streams=self._broker.streams,
            stream_names=StreamNames([stream["name"] for stream in project.streams], self._stream_names),
            bodies=self._broker.bodies,
            tracing=self._tracing,
            log=self.log,
            payloads=create_payloads(order.settings, setup.telemetry),
            settings=_http_settings(order.settings),
            executor=self._executor,
        )
        self.runs = Runs([*project.steps, *project.access], table, services, loop, self._say)
        self._unpacker = Unpacker()
        self._transport: asyncio.WriteTransport | None = None
        self._outgoing: list[bytes] = []
        # Runs that were sent and have not started, and those that are ours to start as soon as they are here.
        self._sent: dict[int, tuple[int, memoryview]] = {}
        self._claimed: set[int] = set()
        self._starting = False
        self._closed = asyncio.Event()

    async def run(self, channel: socket.socket) -> None:
        """Returns when the broker process says so, or is gone."""
        channel.setblocking(False)
        await self._loop.create_unix_connection(lambda: self, sock=channel)
        self._say(pack(Kind.READY, 0, orjson.dumps(self._describe()._asdict())))
        self._broker.connect()
        if self._tracing.recording:
            self._loop.call_later(_LONG_RUN_S, self._announce_long_runs)
        await self._closed.wait()
        self._spans.flush()
        await self._loop.run_in_executor(None, self._tracing.close)
        await self._broker.close()
        self._flush()

    def _announce_long_runs(self) -> None:
        """Runs that go on for so long are told of while they do."""
        self.runs.announce(_LONG_RUN_S, self._spans.announce)
        self._loop.call_later(_LONG_RUN_S, self._announce_long_runs)

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
        """The broker process is gone without a word: nobody hears how runs end, and another worker has them again."""
        if not self._closed.is_set():
            os._exit(1)

    def data_received(self, data: bytes) -> None:
        for kind, slot, payload in self._unpacker.feed(data):
            if kind in (Kind.RUN_API, Kind.RUN_EVENT, Kind.RUN_CRON):
                if slot in self._claimed:
                    self._claimed.discard(slot)
                    self.runs.start(slot, kind, payload)
                else:
                    self._sent[slot] = (kind, payload)
                    self._start_soon()
            elif kind == Kind.ABORT:
                self.runs.abort(slot, bytes(payload).decode())
            elif kind == Kind.CREDIT:
                self.runs.credit(slot, unpack_credit(payload))
            elif kind == Kind.WITHDRAWN:
                self._sent.pop(slot, None)
                self._say(pack(Kind.WITHDRAWN, slot))
            elif kind == Kind.PING:
                self._say(pack(Kind.PONG))
            elif kind == Kind.SETTINGS:
                settings = orjson.loads(payload)
                self.log.redaction = _redaction(settings)
                self.runs.services = replace(
                    self.runs.services,
                    payloads=create_payloads(settings, self._telemetry),
                    settings=_http_settings(settings),
                )
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
                self.runs.start(slot, *sent)
            else:
                self._claimed.add(slot)
        self._starting = False
        if self._sent and slot is not None:
            self._start_soon()

    def _write_line(self, line: bytes) -> None:
        """Of the log, from any thread."""
        self._say_from_anywhere(pack(Kind.LOG, 0, line))

    def _store_line(self, line: bytes) -> None:
        """The same of what is not printed."""
        self._say_from_anywhere(pack(Kind.CONSOLE, 0, line))

    def _say_from_anywhere(self, message: bytes) -> None:
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


def _http_settings(settings: dict[str, Any]) -> HttpSettings:
    return HttpSettings(body_limit=settings["bodyLimit"], validation=settings["validation"])


def _redaction(settings: dict[str, Any]) -> Redaction:
    return Redaction(settings.get("telemetry", {}).get("redact", ()))
