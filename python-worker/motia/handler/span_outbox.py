"""The ended spans of a handler process, handed to the broker process in batches: that one stores them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from ..ipc.wire import pack_spans
from ..recorded_span import RecordedSpan
from ..telemetry_buffer import TelemetryBuffer
from ..telemetry_records import span_line

_FLUSH_S: Final = 0.2
# Beyond it the oldest are dropped, and counted.
_MOST_SPANS: Final = 5_000


class SpanOutbox:
    """Takes spans from any thread, and says them on the event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, say: Callable[[bytes], None]) -> None:
        self._loop = loop
        self._say = say
        self._spans: TelemetryBuffer[RecordedSpan | bytes] = TelemetryBuffer(_MOST_SPANS)
        self._is_due = False

    def add(self, span: RecordedSpan) -> None:
        """Takes a span that has ended."""
        try:
            here = asyncio.get_running_loop() is self._loop
        except RuntimeError:
            here = False
        if here:
            self._add(span)
        else:
            self._loop.call_soon_threadsafe(self._add, span)

    def announce(self, span: RecordedSpan) -> None:
        """Tells of a span that still goes on."""
        if span.sampled and not span.ended_at:
            self._add(span_line(span))

    def flush(self) -> None:
        """Hands over what is left."""
        self._is_due = False
        spans, dropped = self._spans.take()
        if spans:
            lines = [span if isinstance(span, bytes) else span_line(span) for span in spans]
            self._say(pack_spans(lines, dropped))

    def _add(self, span: RecordedSpan | bytes) -> None:
        self._spans.add(span, 0)
        if not self._is_due:
            self._is_due = True
            self._loop.call_later(_FLUSH_S, self.flush)
