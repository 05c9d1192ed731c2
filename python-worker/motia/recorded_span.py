"""Spans that are recorded. They are our own, without the OpenTelemetry SDK, which only their export needs."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Final, NamedTuple, TypeAlias

from .errors import ErrorRecord, to_error_record
from .protocol.trace_ids import TraceContext, format_traceparent
from .span_types import Attributes, AttributeValue, SpanKind

_MOST_EVENTS: Final = 128


class SpanEvent(NamedTuple):
    """Something that happened during a span."""

    name: str
    time: int
    """Nanoseconds since 1970."""
    attributes: Attributes


class RecordedSpan:
    """A span that goes to `sink` when it ends, if it is sampled or has failed. Times are nanoseconds since 1970."""

    __slots__ = (
        "_context",
        "_sink",
        "attributes",
        "ended_at",
        "error",
        "events",
        "kind",
        "links",
        "name",
        "parent",
        "payload",
        "started_at",
    )

    recorded: ClassVar[bool] = True

    def __init__(
        self,
        context: TraceContext,
        parent: TraceContext | None,
        name: str,
        kind: SpanKind,
        attributes: Attributes,
        links: Sequence[TraceContext],
        sink: SpanSink,
        started_at: int | None = None,
    ) -> None:
        self._context = context
        self._sink = sink
        self.parent = parent
        self.name = name
        self.kind: SpanKind = kind
        self.attributes = attributes
        self.links = links
        self.events: list[SpanEvent] = []
        self.payload: dict[str, Any] | None = None
        """Of an emit: what was emitted. It is stored, and not exported."""
        self.error: str | None = None
        """Why it failed; `None` if it has not."""
        self.started_at = time.time_ns() if started_at is None else started_at
        self.ended_at = 0
        """0 while it goes on."""

    @property
    def context(self) -> TraceContext:
        return self._context

    @property
    def trace_id(self) -> str:
        return self._context.trace_id

    @property
    def span_id(self) -> str:
        return self._context.span_id

    @property
    def sampled(self) -> bool:
        return self._context.sampled

    @property
    def traceparent(self) -> str:
        return format_traceparent(self._context)

    def set(self, attributes: Mapping[str, AttributeValue]) -> None:
        """Adds attributes."""
        self.attributes = {**self.attributes, **attributes}

    def add_event(self, name: str, attributes: Attributes, time_ns: int | None = None) -> None:
        """Says that something happened, now or then."""
        if len(self.events) < _MOST_EVENTS:
            self.events.append(SpanEvent(name, time.time_ns() if time_ns is None else time_ns, attributes))

    def record_exception(self, error: BaseException) -> None:
        """Describes an exception."""
        self._describe(to_error_record(error))

    def fail(self, error: BaseException) -> None:
        """Marks the span as failed. Never raises, whatever the error does."""
        record = to_error_record(error)
        self.error = record["message"]
        self._describe(record)

    def _describe(self, record: ErrorRecord) -> None:
        attributes = {"exception.type": record["name"], "exception.message": record["message"]}
        if "stack" in record:
            attributes["exception.stacktrace"] = record["stack"]
        self.add_event("exception", attributes)

    def end(self, ended_at: int | None = None) -> None:
        """Only the first end counts."""
        if self.ended_at:
            return
        self.ended_at = time.time_ns() if ended_at is None else ended_at
        if self._context.sampled or self.error is not None:
            self._sink(self)


SpanSink: TypeAlias = Callable[[RecordedSpan], object]
"""Where ended spans go."""
