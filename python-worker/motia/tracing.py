"""Spans. Ids are always made and carried, since `context.trace_id` and logs need them.

Spans are recorded only when they are stored or exported, and the OpenTelemetry SDK is loaded only when they are
exported.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Protocol, TypedDict, TypeVar

from .protocol.trace_ids import TraceContext, format_traceparent, new_span_id, new_trace_id, parse_traceparent
from .recorded_span import RecordedSpan, SpanSink
from .sampling import create_sampling
from .span_types import Attributes, SpanKind
from .thinning import Thinning

if TYPE_CHECKING:
    from .otlp import OtlpExport

Result = TypeVar("Result")


class _RequiredTelemetry(TypedDict):
    disabled: bool
    headers: dict[str, str]
    sampler: str
    """One of the names that OpenTelemetry has for `OTEL_TRACES_SAMPLER`."""
    samplerRatio: float
    """Share of traces kept by the ratio samplers, 0 to 1."""
    resourceAttributes: dict[str, str]


class TelemetryEnvironment(_RequiredTelemetry, total=False):
    """The settings of the OpenTelemetry specification that concern traces over HTTP, as read by the parent process."""

    tracesUrl: str | None
    """Full URL that spans are posted to; without one nothing is exported."""
    serviceName: str | None
    stored: bool
    """Whether spans and log records are stored on the broker."""
    tracesPerSecond: int | None
    """So many of the traces that a process begins in a second are recorded; absent for all that the sampler takes."""


class Span(Protocol):
    """One piece of work in a trace."""

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
        attributes: Attributes | None = None,
        links: Sequence[str] = (),
    ) -> Span:
        """`parent` is the `traceparent` of the cause in the same trace. Without one a new trace begins.

        `links` are `traceparent`s of related work.
        """
        ...

    def close(self) -> None:
        """Exports what is left, which may take seconds."""


class IdSpan:
    """A span that has ids and is recorded nowhere."""

    __slots__ = ("_context", "_parent")

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


class IdsOnly:
    """Makes and carries ids, records nothing."""

    recording = False

    def start_span(
        self,
        name: str,
        parent: str | None = None,
        kind: SpanKind = "internal",
        attributes: Attributes | None = None,
        links: Sequence[str] = (),
    ) -> Span:
        return IdSpan(parent)

    def close(self) -> None: ...


class RecordedTracing:
    """Records: spans are exported, stored, or both."""

    recording = True

    def __init__(self, settings: TelemetryEnvironment, export: OtlpExport | None, store: SpanSink | None) -> None:
        self._is_sampled = create_sampling(settings)
        self._export = export
        self._store = store
        self._thinning = Thinning()

    def start_span(
        self,
        name: str,
        parent: str | None = None,
        kind: SpanKind = "internal",
        attributes: Attributes | None = None,
        links: Sequence[str] = (),
    ) -> RecordedSpan:
        cause = parse_traceparent(parent)
        linked = [to for to in map(parse_traceparent, links) if to is not None]
        return self.start(name, cause, kind, attributes or {}, linked)

    def start(
        self,
        name: str,
        parent: TraceContext | None,
        kind: SpanKind,
        attributes: Attributes,
        links: Sequence[TraceContext] = (),
        started_at: int | None = None,
    ) -> RecordedSpan:
        """The same with what is parsed already. `started_at`: nanoseconds since 1970."""
        trace_id = new_trace_id() if parent is None else parent.trace_id
        context = TraceContext(trace_id, new_span_id(), sampled=self._is_sampled(parent, trace_id))
        return RecordedSpan(context, parent, name, kind, attributes, links, self._on_end, started_at)

    def _on_end(self, span: RecordedSpan) -> None:
        if self._export and span.sampled:
            self._export.add(span)
        if self._store and (span.error is not None or self._thinning.keeps(span.trace_id)):
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
