"""Stores what the worker tells of itself, its spans and log records, in the broker stream that people's views are made
from. Nobody waits for it: records are gathered, and published in batches.
"""

from __future__ import annotations

import asyncio
import gzip
import os
import socket
import time
from collections.abc import Callable, Iterator
from typing import Final, Literal

from ..errors import MotiaError
from ..log import Log
from ..protocol.headers import Header
from ..protocol.subjects import Names
from ..protocol.trace_ids import began_at, new_span_id
from ..telemetry_buffer import TelemetryBuffer
from ..telemetry_records import log_line, trace_of_log, trace_of_span
from .connect import Broker
from .publish import publish_stored

# Records wait this long for others.
_FLUSH_S: Final = 0.2
# Of text, before it is compressed.
_LARGEST_BATCH: Final = 512 * 1024
# Records that are sorted into batches without a pause.
_MOST_AT_ONCE: Final = 500
# What is told of a trace by then is found by when the trace began; what comes later has subjects of its own.
_YOUNG_MS: Final = 15_000
_CLOCK_SKEW_MS: Final = 5_000
_RETRY_FOR_S: Final = 5.0
_AGAIN_AFTER_S: Final = 30.0
_CLOSE_WITHIN_S: Final = 2.0


class TelemetryStore:
    """The store of one worker. To be used on the event loop of its broker."""

    def __init__(self, broker: Broker, names: Names, role: str, log: Log) -> None:
        self._broker = broker
        self._names = names
        self._node = f"{role}-{socket.gethostname()}-{os.getpid()}"
        self._log = log
        self._loop = asyncio.get_running_loop()
        self._spans: TelemetryBuffer[bytes] = TelemetryBuffer()
        self._logs: TelemetryBuffer[bytes] = TelemetryBuffer()
        # Makes message ids unique over processes.
        self._origin = new_span_id()
        self._batches = 0
        self._publishing: asyncio.Task[None] | None = None
        self._failing = False

    def add_spans(self, lines: list[bytes], dropped: int) -> None:
        """Takes spans of a handler process, and how many that one has dropped."""
        for line in lines:
            self._spans.add(line, len(line))
        self._spans.lose(dropped)
        self._schedule()

    def add_log_line(self, line: bytes) -> None:
        """Takes a finished line of the log, without its end."""
        stored = log_line(line)
        self._logs.add(stored, len(stored))
        self._schedule()

    async def close(self) -> None:
        """Publishes what is left, if that takes no longer than two seconds."""
        publishing = self._publishing
        if publishing:
            publishing.cancel()
            await asyncio.wait([publishing])
        rest = asyncio.ensure_future(self._publish_all())
        await asyncio.wait([rest], timeout=_CLOSE_WITHIN_S)
        rest.cancel()

    def _schedule(self) -> None:
        if self._publishing is None or self._publishing.done():
            self._publishing = self._loop.create_task(self._publish_soon())

    async def _publish_soon(self) -> None:
        while self._spans or self._logs:
            await asyncio.sleep(_FLUSH_S)
            await self._publish_all()

    async def _publish_all(self) -> None:
        # Only then is it decided what is late. Meanwhile the buffers are full at most.
        await self._broker.when_connected(_AGAIN_AFTER_S)
        if self._broker.connected():
            await self._publish("spans", self._spans, trace_of_span)
            await self._publish("logs", self._logs, trace_of_log)

    async def _publish(
        self,
        kind: Literal["spans", "logs"],
        buffer: TelemetryBuffer[bytes],
        trace_of: Callable[[bytes], str | None],
    ) -> None:
        records, untold = buffer.take()
        unsure = len(records)
        try:
            for at in range(0, len(records), _MOST_AT_ONCE):
                for subject, lines in self._to_batches(kind, records[at : at + _MOST_AT_ONCE], trace_of):
                    if await self._is_published(subject, lines, untold):
                        untold = 0
                    else:
                        buffer.lose(len(lines))
                    unsure -= len(lines)
        finally:
            buffer.lose(untold + unsure)

    async def _is_published(self, subject: str, lines: list[bytes], dropped: int) -> bool:
        data = await self._loop.run_in_executor(None, lambda: gzip.compress(b"\n".join(lines), 1))
        headers = {Header.MESSAGE_ID: f"{self._origin}.{self._batches}", Header.NODE: self._node}
        if dropped:
            headers[Header.DROPPED] = str(dropped)
        self._batches += 1
        try:
            await publish_stored(self._broker, subject, data, headers, _RETRY_FOR_S)
        except MotiaError as error:
            if not self._failing:
                fields = {"action": "telemetry_failed", "err": error}
                self._log.write("warn", fields, "Spans and log records could not be stored")
            self._failing = True
            return False
        self._failing = False
        return True

    def _to_batches(
        self, kind: Literal["spans", "logs"], records: list[bytes], trace_of: Callable[[bytes], str | None]
    ) -> Iterator[tuple[str, list[bytes]]]:
        sizes: dict[str, int] = {}
        batches: dict[str, list[bytes]] = {}
        now = time.time() * 1000
        for line in records:
            trace_id = trace_of(line)
            if trace_id is None or _is_young(trace_id, now):
                subject = self._names.telemetry(kind, self._node)
            else:
                subject = self._names.late_telemetry(kind, trace_id)
            if sizes.get(subject, 0) + len(line) > _LARGEST_BATCH and subject in batches:
                yield subject, batches.pop(subject)
                sizes[subject] = 0
            batches.setdefault(subject, []).append(line)
            sizes[subject] = sizes.get(subject, 0) + len(line) + 1
        yield from batches.items()


def _is_young(trace_id: str, now: float) -> bool:
    """Whether a record is found by when its trace began."""
    return -_CLOCK_SKEW_MS < now - began_at(trace_id) < _YOUNG_MS
