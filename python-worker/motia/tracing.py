"""Spans. Ids are always made and carried, since `context.trace_id` and logs need them.

Spans are recorded only when an exporter is configured, and the OpenTelemetry SDK is loaded only then.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Literal, Protocol, TypeAlias, TypedDict, TypeVar

from .protocol.trace_ids import TraceContext, format_traceparent, new_span_id, new_trace_id, parse_traceparent

SpanKind: TypeAlias = Literal["internal", "server", "client", "producer", "consumer"]
Attributes: TypeAlias = Mapping[str, str | int | float | bool]
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


def create_tracing(
    settings: TelemetryEnvironment, service_name: str, role: str, warn: Callable[[str], None]
) -> Tracing:
    """Tracing as configured: ids only, or spans exported over OTLP/HTTP.

    `warn` is told when spans should be exported and the packages for it are missing.
    """
    if settings["disabled"] or not settings.get("tracesUrl"):
        return IdsOnly()
    try:
        from .otlp import OtlpTracing  # noqa: PLC0415  # most processes export nothing
    except ImportError as error:
        warn(
            f"Traces of Python steps are not exported ({error}): "
            "pip install opentelemetry-sdk opentelemetry-exporter-otlp-proto-http"
        )
        return IdsOnly()
    return OtlpTracing(settings, service_name, role)


async def traced(span: Span, operation: Callable[[str], Awaitable[Result]]) -> Result:
    """Runs an operation inside a span, whose `traceparent` it is given; a failure marks the span."""
    try:
        return await operation(span.traceparent)
    except BaseException as error:
        span.fail(error)
        raise
    finally:
        span.end()
