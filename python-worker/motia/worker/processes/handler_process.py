"""One handler process as the broker process sees it: what it runs, whether it answers, how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import time
from enum import Enum
from mmap import mmap
from typing import Final, Protocol, cast

import orjson

from ...errors import ErrorRecord, MotiaError, to_error_record
from ...ipc import tickets
from ...ipc.run_table import SLOTS, RunTable
from ...ipc.wire import (
    Kind,
    LoadedApp,
    Result,
    Status,
    Unpacker,
    pack,
    pack_call,
    pack_credit,
    pack_event,
    pack_tick,
    unpack_result,
    unpack_spans,
)
from ..outcome import Displaced, Failed, Lost, Succeeded
from .job import Job, JobEnd, Replied, Unknown
from .zygote import Zygote

_PING_AFTER_MS: Final = 100
# A process that does not answer for this long gets no new work.
_SILENT_AFTER_MS: Final = 250
_CLOSE_WITHIN_S: Final = 3.0
# What an ended process has written is read within this time, even if something that it started keeps its socket open.
_LAST_WORDS_S: Final = 0.2
# A run that was given up and has not ended by then never will: its process is replaced.
_STUCK_AFTER_MS: Final = 1_000
# A job that was in this many cut-off processes is taken to be the one that ends them.
_MOST_DISPLACEMENTS: Final = 3


class State(Enum):
    """`starting` → `ready` ⇄ `silent` → `draining` → `ended`. A silent process has not answered for a while."""

    STARTING = "starting"
    READY = "ready"
    SILENT = "silent"
    DRAINING = "draining"
    ENDED = "ended"


class ProcessEvents(Protocol):
    """What the pool hears of a process."""

    def before_send(self) -> None:
        """Runs that nobody may have twice are about to leave for the process: their acks have to be on the broker's
        socket before."""
        ...

    def on_ready(self, process: HandlerProcess, app: LoadedApp) -> None: ...

    def on_log(self, line: bytes) -> None: ...

    def on_console(self, line: bytes) -> None:
        """What a handler has printed, as a line of the log that is only stored."""
        ...

    def on_spans(self, lines: list[bytes], dropped: int) -> None:
        """Lines of ended spans, and how many more were dropped."""
        ...

    def on_room(self, process: HandlerProcess) -> None:
        """Something ended, so there may be room for another run."""
        ...

    def on_ended(self, process: HandlerProcess, unfinished: list[Job], surprise: str | None) -> None:
        """The process is gone. `unfinished` has to go elsewhere; `surprise` says why, if nobody asked it to end."""
        ...


class HandlerProcess(asyncio.Protocol):
    """Made with `index` into the shared memory; `start` forks it."""

    def __init__(self, index: int, memory: mmap, events: ProcessEvents) -> None:
        self.index = index
        self.state = State.STARTING
        self._table = RunTable(memory, index)
        self._table.reset()
        self._events = events
        self._loop = asyncio.get_running_loop()
        self._jobs: dict[int, Job] = {}
        self._free = list(range(SLOTS - 1, -1, -1))
        # Runs that were given up and go on all the same, with the time of that.
        self._given_up: dict[int, float] = {}
        self._unpacker = Unpacker()
        self._outgoing: list[bytes] = []
        self._tickets: list[int] = []
        self._may_not_run_twice = False
        self._transport: asyncio.WriteTransport | None = None
        self._pid = 0
        self._ticket_ends: tuple[int, int] | None = None
        self._disconnected = False
        self._exit_status: int | None = None
        self._heard_at = _now()
        self._pinged_at = 0.0
        self._end_reason: str | None = None
        self._terminated = False

    async def start(self, zygote: Zygote) -> None:
        """Forks the process and connects to it."""
        ours, theirs = socket.socketpair()
        self._ticket_ends = tickets.make_pipe()
        self._pid = await zygote.spawn(self.index, (theirs.fileno(), self._ticket_ends[0]))
        theirs.close()
        ours.setblocking(False)
        await self._loop.create_unix_connection(lambda: self, sock=ours)
        if self._terminated:
            self._kill()

    @property
    def pid(self) -> int:
        return self._pid

    @property
    def in_flight(self) -> int:
        """Runs that it has."""
        return len(self._jobs)

    @property
    def has_room(self) -> bool:
        return self.state is State.READY and bool(self._free)

    def load(self, order: object) -> None:
        """Has the process load the steps. Once."""
        self._say(pack(Kind.LOAD, 0, orjson.dumps(order)))

    def update_settings(self, settings: object) -> None:
        """The HTTP settings of the manifest have changed."""
        if self.state is not State.ENDED:
            self._say(pack(Kind.SETTINGS, 0, orjson.dumps(settings)))

    def dispatch(self, job: Job) -> None:
        """Sends a job to the process. Only if it `has_room`."""
        slot = self._free.pop()
        if not self._jobs:
            self._heard_at = _now()
        self._jobs[slot] = job
        job.at = (self, slot)
        if job.on_dispatch:
            job.on_dispatch()
        self._table.queue(slot, job.lease_until, job.stored_at)
        self._tickets.append(slot)
        self._may_not_run_twice = self._may_not_run_twice or not job.restartable
        if job.tick is not None:
            self._say(pack_tick(slot, job.key, job.tick))
        elif job.event is None:
            self._say(pack_call(slot, job.key, job.body))
        else:
            self._say(pack_event(slot, job.key, job.event, job.limit, job.body))

    def give_up(self, slot: int, reason: str) -> None:
        """The run is cancelled, fenced off from the world, and does not count any more."""
        self._table.lease(slot, 0)
        job = self._jobs.pop(slot, None)
        if job is not None:
            job.span = self._table.span(slot)
            self._given_up[slot] = _now()
        self._say(pack(Kind.ABORT, slot, reason.encode()))
        self._close_if_drained()

    def credit(self, slot: int, taken: int) -> None:
        """Tells a run how many bytes of its streamed answer the caller has taken."""
        self._say(pack_credit(slot, taken))

    def lease(self, slot: int, until: float) -> None:
        """Renews what a run may rely on."""
        self._table.lease(slot, until)

    def started_at(self, slot: int) -> float:
        """When a run started, ms since 1970; 0 if it has not."""
        return self._table.started_at(slot)

    def drain(self) -> None:
        """No new work; it ends by itself when the last run is over."""
        if self.state is State.ENDED:
            return
        self.state = State.DRAINING
        self._close_if_drained()

    def terminate(self, reason: str) -> None:
        """Ends the process at once, computing or not."""
        if self._end_reason is None:
            self._end_reason = reason
        self._terminated = True
        self._kill()

    def check_pulse(self, now: float) -> float:
        """Asks for a sign of life while there is work, and takes the process out of service when none comes.

        Call it regularly. Gives for how long the process has been silent, in ms.
        """
        if not self._jobs and not self._given_up:
            return 0
        if self._terminated or self.state in (State.STARTING, State.ENDED):
            return 0
        if now - self._heard_at >= _PING_AFTER_MS and self._pinged_at <= self._heard_at:
            self._pinged_at = now
            self._say(pack(Kind.PING))
        # Silence counts from the ping: without one there may just be nothing to say.
        if self._pinged_at <= self._heard_at:
            return 0
        unanswered = now - self._pinged_at
        if unanswered >= _SILENT_AFTER_MS - _PING_AFTER_MS and self.state is State.READY:
            self.state = State.SILENT
        return unanswered

    @property
    def has_given_up(self) -> bool:
        """Whether a run goes on that was given up."""
        return bool(self._given_up)

    def is_stuck(self, now: float) -> bool:
        """Whether a run goes on that was given up a while ago: a plain function cannot be stopped in its thread."""
        return any(now - since > _STUCK_AFTER_MS for since in self._given_up.values())

    def withdraw_unstarted(self, but_calls: bool = False) -> list[Job]:
        """Takes back what the process has not started."""
        if self._ticket_ends is None:
            return []
        read_end, write_end = self._ticket_ends
        withdrawn: list[Job] = []
        kept: list[int] = []
        for slot in [*self._tickets, *tickets.take_back(read_end)]:
            job = self._jobs.get(slot)
            if job is not None and but_calls and job.is_call:
                kept.append(slot)
                continue
            self._say(pack(Kind.WITHDRAWN, slot))  # the slot stays taken until the process has seen it
            self._given_up.pop(slot, None)
            if job is not None:
                del self._jobs[slot]
                job.at = None
                withdrawn.append(job)
        self._tickets.clear()
        tickets.issue(write_end, kept)
        return withdrawn

    def on_exit(self, status: int) -> None:
        """The zygote has told that the process ended, and how."""
        self._exit_status = status
        if self._disconnected or self._transport is None:
            self._finish()
        else:
            self._loop.call_later(_LAST_WORDS_S, self._finish)

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)  # uvloop's are no subclasses
        self._flush()

    def data_received(self, data: bytes) -> None:
        self._heard_at = _now()
        if self.state is State.SILENT:
            self.state = State.READY
        for kind, slot, payload in self._unpacker.feed(data):
            if kind == Kind.RESULT:
                self._end_run(slot, unpack_result(payload))
            elif kind == Kind.FRAME:
                job = self._jobs.get(slot)
                if job is not None and job.on_frame:
                    job.on_frame(bytes(payload))
            elif kind == Kind.LOG:
                self._events.on_log(bytes(payload))
            elif kind == Kind.CONSOLE:
                self._events.on_console(bytes(payload))
            elif kind == Kind.SPANS:
                self._events.on_spans(*unpack_spans(payload))
            elif kind == Kind.WITHDRAWN:
                self._free.append(slot)
            elif kind == Kind.READY:
                if self.state is State.STARTING:
                    self.state = State.READY
                self._events.on_ready(self, LoadedApp(**orjson.loads(payload)))
        self._events.on_room(self)
        self._close_if_drained()

    def connection_lost(self, exc: Exception | None) -> None:
        self._disconnected = True
        if self._exit_status is not None:
            self._finish()

    def _say(self, message: bytes) -> None:
        """Says it at the end of this turn of the event loop, with all else that is said in it."""
        if not self._outgoing:
            self._loop.call_soon(self._flush)
        self._outgoing.append(message)

    def _flush(self) -> None:
        if self._transport is None or self._ticket_ends is None:
            return
        if self._may_not_run_twice:
            self._may_not_run_twice = False
            self._events.before_send()
        # Tickets first: the process looks for them when it has read the runs, and not again.
        tickets.issue(self._ticket_ends[1], self._tickets)
        self._tickets.clear()
        self._transport.write(b"".join(self._outgoing))
        self._outgoing.clear()

    def _end_run(self, slot: int, result: Result) -> None:
        job = self._jobs.pop(slot, None)
        self._given_up.pop(slot, None)
        self._free.append(slot)
        if job is not None:
            job.at = None
            if result.status is Status.FAILED:
                job.span = self._table.span(slot)
            job.on_end(_to_end(result), result.took_ms, result.emits)

    def _close_if_drained(self) -> None:
        if self.state is not State.DRAINING or self._jobs:
            return
        self._say(pack(Kind.CLOSE))
        self._loop.call_later(_CLOSE_WITHIN_S, self.terminate, "it did not close in time")

    def _kill(self) -> None:
        if self._pid and self._exit_status is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)

    def _finish(self) -> None:
        """The process is gone, and all that it said is here."""
        if self.state is State.ENDED:
            return
        drained = self.state is State.DRAINING and not self._jobs
        self.state = State.ENDED
        unstarted = self.withdraw_unstarted()
        reason = self._end_reason or f"its process {_how(self._exit_status or 0)}"
        guilty = self._table.current()
        displaced: list[Job] = []
        for slot, job in self._jobs.items():
            job.at = None
            job.span = self._table.span(slot)
            job.displacements += 1
            if slot == guilty or job.displacements >= _MOST_DISPLACEMENTS:
                job.on_end(Failed(_cut_off(reason)), 0, 0)
            elif job.restartable:
                displaced.append(job)
            else:
                job.on_end(Displaced(), 0, 0)
        self._jobs.clear()
        if self._transport:
            self._transport.close()
        if self._ticket_ends:
            for end in self._ticket_ends:
                os.close(end)
            self._ticket_ends = None
        self._events.on_ended(self, [*unstarted, *displaced], None if drained or self._terminated else reason)


def _to_end(result: Result) -> JobEnd:
    if result.status is Status.REPLIED:
        return Replied(result.detail)
    if result.status is Status.SUCCEEDED:
        return Succeeded()
    if result.status is Status.FAILED:
        return Failed(orjson.loads(result.detail))
    return Unknown() if result.status is Status.UNKNOWN else Lost()


def _cut_off(reason: str) -> ErrorRecord:
    return to_error_record(MotiaError("RUN_CUT_OFF", f"the run was cut off: {reason}"))


def _how(status: int) -> str:
    if os.WIFSIGNALED(status):
        return f"was ended by {signal.Signals(os.WTERMSIG(status)).name}"
    return f"ended with code {os.waitstatus_to_exitcode(status)}"


def _now() -> float:
    return time.monotonic() * 1000
