"""Spans. Ids are always made and carried, since `context.trace_id` and logs need them.

Spans are recorded only when they are stored or exported, and the OpenTelemetry SDK is loaded only when they are
exported.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final, Protocol, TypeAlias, TypedDict, TypeVar

from .per_second import first_of_each_second
from .protocol.trace_ids import TraceContext, format_traceparent, new_span_id, new_trace_id, parse_traceparent
from .recorded_span import RecordedSpan, SpanSink
from .sampling import create_sampling
from .span_types import Attributes, SpanKind
from .thinning import Thinning

if TYPE_CHECKING:
    from .otlp import OtlpExport

Result = TypeVar("Result")

_MOST_STORED: Final = 500
"""Spans that a process stores in a second, whichever traces they are of: one trace may have thousands of runs."""

Description: TypeAlias = Attributes | Callable[[], Attributes]
"""Attributes of a span, or what makes them."""


class _RequiredTelemetry(TypedDict):
    disabled: bool
    headers: dict[str, str]
    sampler: str
    """One of the names that OpenTelemetry has for `OTEL_TRACES_SAMPLER`."""
    samplerRatio: float
    """Share of traces kept by the ratio samplers, 0 to 1."""
    resourceAttributes: dict[str, str]
    waitingSpans: int
    """How many spans of a process wait for their export at most."""
    exportedTogether: int


class TelemetryEnvironment(_RequiredTelemetry, total=False):
    """The settings of the OpenTelemetry specification that concern traces over HTTP, as read by the parent process."""

    tracesUrl: str | None
    """Full URL that spans are posted to; without one nothing is exported."""
    serviceName: str | None
    payloads: bool
    """Whether spans bear what was emitted, where `motia.config` says nothing."""
    stored: bool
    """Whether spans and log records are stored on the broker."""
    tracesPerSecond: int | None
    """So many of the traces that a process begins in a second are recorded; absent for all that the sampler takes."""


class Span(Protocol):
    """One piece of work in a trace."""

    recorded: ClassVar[bool]
    """Whether it is kept. Otherwise what it causes is not told of, unless something fails."""

    @property
    def trace_id(self) -> str: ...
    @property
    def span_id(self) -> str: ...
    @property
    def traceparent(self) -> str:
        """To be sent along with whatever this span causes."""
        ...

    def fail(self, error: BaseException) -> None:
        """Marks the span as failed."""

    def end(self) -> None: ...


class Tracing(Protocol):
    """Where spans come from."""

    @property
    def recording(self) -> bool:
        """Whether spans go anywhere: lets callers skip the work of describing them."""
        ...

    def start_span(
        self,
        name: str,
        parent: str | None = None,
        kind: SpanKind = "internal",
        attributes: Description | None = None,
        links: Sequence[str] = (),
    ) -> Span:
        """`parent` is the `traceparent` of the cause in the same trace. Without one a new trace begins.

        `attributes` may be what makes them, for a span that is kept. `links` are `traceparent`s of related work.
        """
        ...

    def close(self) -> None:
        """Exports what is left, which may take seconds."""


class IdSpan:
    """A span that has ids and is recorded nowhere."""

    __slots__ = ("_context", "_parent")

    recorded: ClassVar[bool] = False

    def __init__(self, parent: str | None) -> None:
        self._parent = parent
        self._context: TraceContext | None = None

    def _ids(self) -> TraceContext:
        """Made when they are asked for: many runs need none."""
        if self._context is None:
            cause = parse_traceparent(self._parent)
            self._context = TraceContext(
                cause.trace_id if cause else new_trace_id(), new_span_id(), sampled=cause.sampled if cause else True
            )
        return self._context

    @property
    def trace_id(self) -> str:
        return self._ids().trace_id

    @property
    def span_id(self) -> str:
        return self._ids().span_id

    @property
    def traceparent(self) -> str:
        return format_traceparent(self._ids())

    def fail(self, error: BaseException) -> None: ...
    def end(self) -> None: ...


class QuietSpan(IdSpan):
    """A span that nobody keeps unless it fails: until then it costs next to nothing."""

    __slots__ = ("_described", "_error", "_started_at", "_tracing")

    def __init__(self, tracing: RecordedTracing, parent: str | None, *described: Any) -> None:
        """`described`: name, kind, attributes and links."""
        self._parent = parent
        self._context: TraceContext | None = None
        self._tracing = tracing
        self._described = described
        self._started_at = time.time_ns()
        self._error: BaseException | None = None

    @staticmethod
    def of(trace_id: str, tracing: RecordedTracing, parent: str | None, *described: Any) -> QuietSpan:
        """One of a trace that is not sampled, although nothing that caused it says so."""
        span = QuietSpan(tracing, parent, *described)
        span._context = TraceContext(trace_id, new_span_id(), sampled=False)
        return span

    def fail(self, error: BaseException) -> None:
        self._error = error

    def end(self) -> None:
        error, self._error = self._error, None  # only the first end counts
        if error is not None:
            cause = parse_traceparent(self._parent)
            span = self._tracing.record(self._ids(), cause, *self._described, started_at=self._started_at)
            span.fail(error)
            span.end()


class IdsOnly:
    """Makes and carries ids, records nothing."""

    recording = False

    def start_span(
        self,
        name: str,
        parent: str | None = None,
        kind: SpanKind = "internal",
        attributes: Description | None = None,
        links: Sequence[str] = (),
    ) -> Span:
        return IdSpan(parent)

    def close(self) -> None: ...


class RecordedTracing:
    """Records: spans are exported, stored, or both."""

    recording = True

    def __init__(self, settings: TelemetryEnvironment, export: OtlpExport | None, store: SpanSink | None) -> None:
        self._is_sampled = create_sampling(settings)
        self._follows = settings["sampler"].startswith("parentbased")
        self._export = export
        self._store = store
        self._thinning = Thinning()
        # Whoever exports has asked for all that is sampled.
        self._has_room = first_of_each_second(_MOST_STORED) if export is None else lambda: True

    def start_span(
        self,
        name: str,
        parent: str | None = None,
        kind: SpanKind = "internal",
        attributes: Description | None = None,
        links: Sequence[str] = (),
    ) -> Span:
        if self._follows and parent is not None and parent.endswith("-00"):
            return QuietSpan(self, parent, name, kind, attributes, links)
        cause = parse_traceparent(parent)
        trace_id = new_trace_id() if cause is None else cause.trace_id
        if not self._is_sampled(cause, trace_id):
            return QuietSpan.of(trace_id, self, parent, name, kind, attributes, links)
        if not self._has_room():
            return QuietSpan(self, parent, name, kind, attributes, links)
        context = TraceContext(trace_id, new_span_id(), sampled=True)
        return self.record(context, cause, name, kind, attributes, links)

    def record(
        self,
        context: TraceContext,
        parent: TraceContext | None,
        name: str,
        kind: SpanKind,
        attributes: Description | None,
        links: Sequence[str],
        started_at: int | None = None,
    ) -> RecordedSpan:
        """A span that is kept."""
        described = attributes() if callable(attributes) else attributes or {}
        linked = [to for to in map(parse_traceparent, links) if to is not None]
        return RecordedSpan(context, parent, name, kind, described, linked, self._on_end, started_at)

    def start(
        self,
        name: str,
        parent: TraceContext | None,
        kind: SpanKind,
        attributes: Attributes,
        links: Sequence[TraceContext] = (),
        started_at: int | None = None,
    ) -> RecordedSpan:
        """One of the user's. `started_at`: nanoseconds since 1970."""
        trace_id = new_trace_id() if parent is None else parent.trace_id
        context = TraceContext(trace_id, new_span_id(), sampled=self._is_sampled(parent, trace_id))
        sink = self._on_end if self._has_room() else self._on_end_without_room
        return RecordedSpan(context, parent, name, kind, attributes, links, sink, started_at)

    def _on_end_without_room(self, span: RecordedSpan) -> None:
        if span.error is not None:
            self._on_end(span)

    def _on_end(self, span: RecordedSpan) -> None:
        if self._export and span.sampled:
            self._export.add(span)
        if self._store and (not self._export or span.error is not None or self._thinning.keeps(span.trace_id)):
            self._store(span)

    def close(self) -> None:
        if self._export:
            self._export.close()


def create_tracing(
    settings: TelemetryEnvironment,
    service_name: str,
    role: str,
    warn: Callable[[str], None],
    store: SpanSink | None = None,
) -> Tracing:
    """Tracing as configured: ids only, or spans that are exported over OTLP/HTTP, stored, or both.

    `warn` is told when spans should be exported and the packages for it are missing. `store` takes what is to be
    stored; without one nothing is.
    """
    if settings["disabled"]:
        return IdsOnly()
    export = _create_export(settings, service_name, role, warn) if settings.get("tracesUrl") else None
    return IdsOnly() if export is None and store is None else RecordedTracing(settings, export, store)


def _create_export(
    settings: TelemetryEnvironment, service_name: str, role: str, warn: Callable[[str], None]
) -> OtlpExport | None:
    try:
        from .otlp import OtlpExport  # noqa: PLC0415  # most processes export nothing
    except ImportError as error:
        warn(
            f"Traces of Python steps are not exported ({error}): "
            "pip install opentelemetry-sdk opentelemetry-exporter-otlp-proto-http"
        )
        return None
    return OtlpExport(settings, service_name, role)


async def traced(span: Span, operation: Callable[[str], Awaitable[Result]]) -> Result:
    """Runs an operation inside a span, whose `traceparent` it is given; a failure marks the span."""
    try:
        return await operation(span.traceparent)
    except BaseException as error:
        span.fail(error)
        raise
    finally:
        span.end()
