"""Spans that handlers, and libraries that they use, make with `opentelemetry-api`.

They are in the trace of the run and go where its spans go, without anything being set up. Whoever has set up an SDK of
their own keeps it.

Imported only when the project has imported the API.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    Span,
    SpanContext,
    Status,
    StatusCode,
    TraceFlags,
    Tracer,
    TracerProvider,
)

from ..protocol.trace_ids import TraceContext
from ..recorded_span import RecordedSpan
from ..span_types import Attributes, AttributeValue, SpanKind
from ..tracing import RecordedTracing
from ..tracing import Span as OurSpan
from . import active_run
from .active_run import ActiveRun

try:  # also decorates coroutine functions
    from opentelemetry.util._decorator import _agnosticcontextmanager as context_manager
except ImportError:
    from contextlib import contextmanager as context_manager

_KINDS: Final[dict[trace.SpanKind, SpanKind]] = {
    trace.SpanKind.INTERNAL: "internal",
    trace.SpanKind.SERVER: "server",
    trace.SpanKind.CLIENT: "client",
    trace.SpanKind.PRODUCER: "producer",
    trace.SpanKind.CONSUMER: "consumer",
}
_MOST_ATTRIBUTES: Final = 128


def install_user_spans(tracing: RecordedTracing) -> None:
    """To be called when the project is loaded: by then an SDK of its own has been set up."""
    if trace._TRACER_PROVIDER is not None:
        return
    trace.set_tracer_provider(_Provider(tracing))
    active_run.on_enter = _enter
    active_run.enter_span = _enter_span
    active_run.cause_within = _cause_within


def _enter(run: ActiveRun) -> None:
    """Spans that the code of a run makes have its span as their parent."""
    otel_context.attach(trace.set_span_in_context(_as_users(run.span), Context()))


def _enter_span(span: OurSpan) -> Callable[[], object]:
    """The same of a part of a run. Gives what goes back to where it was."""
    before = otel_context.get_current()
    otel_context.attach(trace.set_span_in_context(_as_users(span), before))
    return lambda: otel_context.attach(before)


def _as_users(span: OurSpan) -> Span:
    """A span of ours as user code has it. Below one that is not kept nothing is."""
    if isinstance(span, RecordedSpan):
        return _UserSpan(span, is_run=True)
    return NonRecordingSpan(SpanContext(int(span.trace_id, 16), int(span.span_id, 16), is_remote=False))


def _cause_within(run: ActiveRun) -> str | None:
    """The span of the user's that the code of a run is in."""
    span = trace.get_current_span()
    return span.traceparent if isinstance(span, _UserSpan) and span.trace_id == run.span.trace_id else None


class _Provider(TracerProvider):
    def __init__(self, tracing: RecordedTracing) -> None:
        self._tracing = tracing

    def get_tracer(self, *args: Any, **kwargs: Any) -> Tracer:
        return _Tracer(self._tracing)


class _Tracer(Tracer):
    def __init__(self, tracing: RecordedTracing) -> None:
        self._tracing = tracing

    def start_span(
        self,
        name: str,
        context: Context | None = None,
        kind: trace.SpanKind = trace.SpanKind.INTERNAL,
        attributes: Any = None,
        links: Sequence[Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
    ) -> Span:
        around = trace.get_current_span(context).get_span_context()
        parent = _to_ours(around) if around.is_valid else None
        linked = [_to_ours(link.context) for link in links or ()]
        span = self._tracing.start(str(name), parent, _KINDS[kind], _to_attributes(attributes), linked, start_time)
        return _UserSpan(span, ends_failed=set_status_on_exception, records=record_exception)

    @context_manager
    def start_as_current_span(  # pyright: ignore[reportIncompatibleMethodOverride]  # as the decorator is typed
        self,
        name: str,
        context: Context | None = None,
        kind: trace.SpanKind = trace.SpanKind.INTERNAL,
        attributes: Any = None,
        links: Sequence[Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
        end_on_exit: bool = True,
    ) -> Iterator[Span]:
        span = self.start_span(name, context, kind, attributes, links, start_time)
        with trace.use_span(span, end_on_exit, record_exception, set_status_on_exception) as current:
            yield current


class _UserSpan(Span):
    """OpenTelemetry's interface in front of a span of ours.

    The end of a run, or of its middleware, is not the user's to say.
    """

    def __init__(
        self, span: RecordedSpan, *, is_run: bool = False, ends_failed: bool = True, records: bool = True
    ) -> None:
        self._span = span
        self._is_run = is_run
        self._ends_failed = ends_failed
        self._records = records

    @property
    def trace_id(self) -> str:
        return self._span.trace_id

    @property
    def traceparent(self) -> str:
        return self._span.traceparent

    def get_span_context(self) -> SpanContext:
        context = self._span.context
        flags = TraceFlags(TraceFlags.SAMPLED if context.sampled else TraceFlags.DEFAULT)
        return SpanContext(int(context.trace_id, 16), int(context.span_id, 16), is_remote=False, trace_flags=flags)

    def is_recording(self) -> bool:
        return not self._span.ended_at

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        if self.is_recording() and len(self._span.attributes) < _MOST_ATTRIBUTES:
            self._span.set(_to_attributes(attributes))

    def set_attribute(self, key: str, value: Any) -> None:
        self.set_attributes({key: value})

    def add_event(self, name: str, attributes: Any = None, timestamp: int | None = None) -> None:
        if self.is_recording():
            self._span.add_event(str(name), _to_attributes(attributes), timestamp)

    def add_link(self, context: SpanContext, attributes: Any = None) -> None:
        if self.is_recording() and len(self._span.links) < _MOST_ATTRIBUTES:
            self._span.links = [*self._span.links, _to_ours(context)]

    def update_name(self, name: str) -> None:
        if self.is_recording() and not self._is_run:
            self._span.name = str(name)

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        if not self.is_recording() or self._is_run:
            return
        code = status.status_code if isinstance(status, Status) else status
        told = status.description if isinstance(status, Status) else description
        self._span.error = (told or "") if code is StatusCode.ERROR else None

    def record_exception(
        self, exception: BaseException, attributes: Any = None, timestamp: int | None = None, escaped: bool = False
    ) -> None:
        if self.is_recording():
            self._span.record_exception(exception)

    def end(self, end_time: int | None = None) -> None:
        if not self._is_run:
            self._span.end(end_time)

    def __exit__(self, exc_type: Any, exc_val: BaseException | None, exc_tb: Any) -> None:
        if exc_val is not None and self.is_recording():
            if self._records:
                self.record_exception(exc_val)
            if self._ends_failed:
                self.set_status(StatusCode.ERROR, f"{type(exc_val).__name__}: {exc_val}")
        self.end()


def _to_ours(context: SpanContext) -> TraceContext:
    return TraceContext(f"{context.trace_id:032x}", f"{context.span_id:016x}", sampled=context.trace_flags.sampled)


def _to_attributes(attributes: Mapping[str, Any] | None) -> Attributes:
    """Those that can be told, up to a number."""
    told: dict[str, AttributeValue] = {}
    for key, value in list((attributes or {}).items())[:_MOST_ATTRIBUTES]:
        if isinstance(value, (str, bool, int, float)):
            told[str(key)] = value
        elif isinstance(value, (list, tuple)):
            told[str(key)] = [str(item) for item in value]
    return told
