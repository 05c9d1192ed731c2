"""The handler processes of one worker: sends each job to the least loaded process that answers, replaces processes that
compute for too long, and swaps all of them for new code without dropping a job.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from mmap import mmap
from typing import Any, Final

from ...errors import MotiaError
from ...ipc.run_table import PROCESSES
from ...ipc.wire import LoadedApp
from ...log import Log
from ..outcome import Lost
from .handler_process import HandlerProcess, State
from .job import Job
from .zygote import Zygote

_PULSE_S: Final = 0.05
# Processes beyond the set number, started while others compute.
_MOST_SPARES: Final = 6
_SPARE_LINGERS_MS: Final = 10_000
_RESTART_AFTER_S: Final = 0.2
# Steps that load for longer are taken to hang.
_LOAD_WITHIN_S: Final = 60.0
_BLOCKED_TIMEOUT_MS: Final = 30_000


@dataclass(eq=False, slots=True)
class Generation:
    """Processes with one version of the code."""

    order: dict[str, Any]
    """What they are told to load: a `LoadOrder`."""
    files: frozenset[str]
    """Steps that it serves."""
    processes: set[HandlerProcess]


class ProcessPool:
    """All handler processes. Made and used on one event loop."""

    def __init__(
        self,
        zygote: Zygote,
        memory: mmap,
        size: int,
        log: Log,
        on_log: Callable[[bytes], None],
        on_console: Callable[[bytes], None],
        on_spans: Callable[[list[bytes], int], None],
        before_send: Callable[[], None],
        on_lost: Callable[[], None],
    ) -> None:
        """`size`: handler processes in service. `on_lost`: no process can be started any more."""
        self._zygote = zygote
        self._memory = memory
        self._size = size
        self._log = log
        self._on_log = on_log
        self._on_console = on_console
        self._on_spans = on_spans
        self._before_send = before_send
        self._loop = asyncio.get_running_loop()
        self._processes: set[HandlerProcess] = set()
        # The newest first; older ones serve what does not load any more.
        self._generations: list[Generation] = []
        self._queue: deque[Job] = deque()
        self._indexes = list(range(PROCESSES - 1, -1, -1))
        self._loading: dict[HandlerProcess, asyncio.Future[LoadedApp]] = {}
        self._pulse: asyncio.TimerHandle | None = None
        self._crowded_since = 0.0
        self._closing = False
        self._empty = asyncio.Event()
        self._starting: set[asyncio.Task[None]] = set()
        zygote.attach(self._on_exit, on_lost)

    @property
    def size(self) -> int:
        """Handler processes in service."""
        return self._size

    @property
    def load(self) -> int:
        """Runs in flight or waiting for a process."""
        return len(self._queue) + sum(process.in_flight for process in self._processes)

    @property
    def waiting(self) -> int:
        """Runs that wait for a process."""
        return len(self._queue)

    @property
    def answers(self) -> bool:
        """Whether a process with the newest code answers."""
        return any(process.state is State.READY for process in self._generations[0].processes)

    def states(self) -> dict[str, int]:
        """How many processes there are in each state. One that is blocked computes without a pause."""
        states: dict[str, int] = dict.fromkeys(("idle", "busy", "blocked", "starting", "draining"), 0)
        for process in self._processes:
            if process.state is State.READY:
                states["busy" if process.in_flight else "idle"] += 1
            elif process.state is State.SILENT:
                states["blocked"] += 1
            elif process.state is not State.ENDED:
                states[process.state.value] += 1
        return states

    async def swap(self, order: dict[str, Any], accept: Callable[[LoadedApp], Awaitable[Sequence[str] | None]]) -> bool:
        """Has a new process load the steps and shows `accept` what it found.

        If that gives the files that it serves, the process takes over: further ones of the same code join it, and the
        old ones drain, but for those that serve a file which the new code has and cannot load. With `None` all stays
        as it is.

        Raises `MotiaError` `PROJECT_INVALID` when the process ended while it loaded, or took too long; and what
        `accept` raises.
        """
        process = self._start(order)
        files: Sequence[str] | None = None
        try:
            app = await self._loading[process]
            files = await accept(app)
        finally:
            if files is None or self._closing:
                process.drain()
        if files is None or self._closing:
            return False
        broken = {failure["file"] for failure in app.failures}
        self._generations.insert(0, Generation(order, frozenset(files), {process}))
        for older in self._generations[1:]:
            older.files &= broken
            broken -= older.files
            if not older.files:
                self._generations.remove(older)
                for replaced in older.processes:
                    replaced.drain()
                    for job in replaced.withdraw_unstarted():
                        self.dispatch(job)
        self._dispatch_queued()
        self._refill()
        return True

    def update_settings(self, settings: dict[str, Any]) -> None:
        """The HTTP settings of the manifest have changed."""
        for generation in self._generations:
            generation.order["settings"] = settings
        for process in self._processes:
            process.update_settings(settings)

    def dispatch(self, job: Job) -> None:
        """Runs a job as soon as a process is free for it."""
        process = self._least_loaded(job.file)
        if process:
            process.dispatch(job)
        else:
            self._queue.append(job)
        if self._pulse is None:
            self._pulse = self._loop.call_later(_PULSE_S, self._check_pulses)

    def withdraw(self, job: Job) -> bool:
        """Takes a job back that waits for a process."""
        try:
            self._queue.remove(job)
        except ValueError:
            return False
        return True

    def withdraw_events(self) -> list[Job]:
        """Takes back the events and ticks that have not started. Calls stay: their callers wait."""
        queued = [job for job in self._queue if not job.is_call]
        for job in queued:
            self._queue.remove(job)
        for process in self._processes:
            queued += process.withdraw_unstarted(but_calls=True)
        return queued

    async def close(self, grace: float) -> None:
        """Lets every process end after its last run, and ends those that do not within `grace` seconds."""
        self._closing = True
        for process in self._processes:
            process.drain()
        if self._processes:
            try:
                await asyncio.wait_for(self._empty.wait(), grace)
            except asyncio.TimeoutError:
                for process in self._processes:
                    process.terminate("the worker shut down")
        if self._pulse:
            self._pulse.cancel()
        self._zygote.close()

    # ProcessEvents

    def before_send(self) -> None:
        self._before_send()

    def on_log(self, line: bytes) -> None:
        self._on_log(line)

    def on_console(self, line: bytes) -> None:
        self._on_console(line)

    def on_spans(self, lines: list[bytes], dropped: int) -> None:
        self._on_spans(lines, dropped)

    def on_ready(self, process: HandlerProcess, app: LoadedApp) -> None:
        loaded = self._loading.pop(process, None)
        if loaded and not loaded.done():
            loaded.set_result(app)
        self._dispatch_queued()

    def on_room(self, process: HandlerProcess) -> None:
        self._dispatch_queued()

    def on_ended(self, process: HandlerProcess, unfinished: list[Job], surprise: str | None) -> None:
        if surprise:
            fields = {"action": "process_ended", "reason": surprise}
            self._log.write("error", fields, f"A handler process ended: {surprise}")
        self._processes.discard(process)
        self._indexes.append(process.index)
        loaded = self._loading.pop(process, None)
        if loaded and not loaded.done():
            loaded.set_exception(MotiaError("PROJECT_INVALID", "a handler process ended while it loaded the steps"))
        for job in unfinished:
            self.dispatch(job)
        for generation in self._generations:
            if process in generation.processes:
                generation.processes.discard(process)
                self._loop.call_later(_RESTART_AFTER_S, self._refill)
        if not self._processes:
            self._empty.set()

    def _on_exit(self, pid: int, status: int) -> None:
        for process in self._processes:
            if process.pid == pid:
                process.on_exit(status)
                return

    def _start(self, order: dict[str, Any]) -> HandlerProcess:
        """Starts a process and has it load the steps; in `_loading` is what will come of that."""
        if not self._indexes:
            raise MotiaError("PROJECT_INVALID", f"{PROCESSES} handler processes are still ending; try again")
        process = HandlerProcess(self._indexes.pop(), self._memory, self)
        self._processes.add(process)
        self._empty.clear()
        loaded: asyncio.Future[LoadedApp] = self._loop.create_future()
        self._loading[process] = loaded
        late = MotiaError("PROJECT_INVALID", f"the steps did not load within {_LOAD_WITHIN_S:.0f} s: an import hangs")
        timer = self._loop.call_later(_LOAD_WITHIN_S, lambda: loaded.done() or loaded.set_exception(late))

        def on_loaded(result: asyncio.Future[LoadedApp]) -> None:
            timer.cancel()
            if result.cancelled() or result.exception():
                process.terminate("it did not load the steps")

        loaded.add_done_callback(on_loaded)
        process.load(order)
        self._starting.add(starting := self._loop.create_task(process.start(self._zygote)))
        starting.add_done_callback(self._starting.discard)
        return process

    def _generation_of(self, file: str) -> Generation | None:
        for generation in self._generations:
            if file in generation.files:
                return generation
        return self._generations[0] if self._generations else None  # it answers that there is no such step

    def _least_loaded(self, file: str) -> HandlerProcess | None:
        generation = self._generation_of(file)
        if generation is None:
            return None
        free = [process for process in generation.processes if process.has_room]
        return min(free, key=lambda process: process.in_flight) if free else None

    def _dispatch_queued(self) -> None:
        for _ in range(len(self._queue)):
            job = self._queue.popleft()
            process = self._least_loaded(job.file)
            if process is None:
                self._queue.append(job)
            elif job.lease_until > time.time() * 1000:
                process.dispatch(job)
            else:
                job.on_end(Lost(), 0, 0)

    def _refill(self) -> None:
        """Brings the newest generation to its size; an older one keeps a single process."""
        if self._closing:
            return
        for number, generation in enumerate(self._generations):
            for _ in range((self._size if number == 0 else 1) - len(generation.processes)):
                self._join(generation)

    def _join(self, generation: Generation) -> None:
        """Has a process join a generation. One that ends while it loads is replaced like any other."""
        if self._indexes:  # otherwise one more when a process has ended
            generation.processes.add(self._start(generation.order))

    def _check_pulses(self) -> None:
        now = time.monotonic() * 1000
        for process in [*self._processes]:
            silence = process.check_pulse(now)
            if process.state is State.SILENT:
                for job in process.withdraw_unstarted():
                    self.dispatch(job)
            if silence > _BLOCKED_TIMEOUT_MS:
                self._log.write(
                    "error",
                    {"action": "process_blocked", "blockedMs": round(silence)},
                    "A handler has blocked its process for too long; the process is ended",
                )
                process.terminate(f"it blocked its process for more than {_BLOCKED_TIMEOUT_MS // 1000} s")
            elif process.is_stuck(now):
                self._replace(process, computes=process.state is State.SILENT)
        self._adjust(now)
        crowded = any(len(generation.processes) > self._size for generation in self._generations)
        if self.load or crowded or any(process.has_given_up for process in self._processes):
            self._pulse = self._loop.call_later(_PULSE_S, self._check_pulses)
        else:
            self._pulse = None

    def _replace(self, process: HandlerProcess, computes: bool) -> None:
        """A run goes on that was given up. One that computes is cut off; beside one that waits, others may finish."""
        if computes:
            process.terminate("a handler went on after its time")
        elif process.state is not State.DRAINING:
            for generation in self._generations:
                generation.processes.discard(process)
            process.drain()
            for job in process.withdraw_unstarted():
                self.dispatch(job)
            self._refill()

    def _adjust(self, now: float) -> None:
        """Keeps the set number of processes answering, within bounds; lets spares go once they are not needed."""
        if not self._generations:
            return
        newest = self._generations[0]
        silent = sum(process.state is State.SILENT for process in newest.processes)
        wanted = self._size + min(silent, _MOST_SPARES)
        if len(newest.processes) < wanted:
            fields = {"action": "process_silent", "silent": silent}
            self._log.write("warn", fields, "A handler keeps its process busy; another process starts")
            self._join(newest)
        if len(newest.processes) <= wanted:
            self._crowded_since = now
        if now - self._crowded_since < _SPARE_LINGERS_MS:
            return
        for process in newest.processes:
            if process.state is State.READY and not process.in_flight:
                newest.processes.discard(process)
                process.drain()
                self._crowded_since = now
                return
