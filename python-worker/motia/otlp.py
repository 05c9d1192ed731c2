"""Spans recorded by the OpenTelemetry SDK and exported over OTLP/HTTP. Imported only when an exporter is configured."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased, Sampler, TraceIdRatioBased
from opentelemetry.trace import NonRecordingSpan, SpanContext, Status, StatusCode, TraceFlags

from .protocol.trace_ids import TraceContext, format_traceparent, parse_traceparent
from .tracing import Attributes, Span, SpanKind, TelemetryEnvironment

_KINDS = {
    "internal": trace.SpanKind.INTERNAL,
    "server": trace.SpanKind.SERVER,
    "client": trace.SpanKind.CLIENT,
    "producer": trace.SpanKind.PRODUCER,
    "consumer": trace.SpanKind.CONSUMER,
}


class OtlpTracing:
    """Tracing that records and exports. To be made after the last fork: it has a thread."""

    recording = True

    def __init__(self, settings: TelemetryEnvironment, service_name: str, role: str) -> None:
        self._provider = TracerProvider(
            sampler=_create_sampler(settings),
            resource=Resource(
                {
                    "service.name": settings.get("serviceName") or service_name,
                    "service.instance.id": f"{socket.gethostname()}-{os.getpid()}",
                    "motia.role": role,
                    **settings["resourceAttributes"],
                }
            ),
            shutdown_on_exit=False,
        )
        exporter = OTLPSpanExporter(endpoint=settings.get("tracesUrl"), headers=settings["headers"])
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("motia")

    def start_span(
        self,
        name: str,
        parent: str | None = None,
        kind: SpanKind = "internal",
        attributes: Attributes | None = None,
        links: Sequence[str] = (),
    ) -> Span:
        context = _parent_context(parent)
        linked = [trace.Link(to) for to in map(_span_context, links) if to is not None]
        return RecordedSpan(
            self._tracer.start_span(name, context=context, kind=_KINDS[kind], attributes=attributes, links=linked)
        )

    def close(self) -> None:
        self._provider.shutdown()


class RecordedSpan:
    """A span of the SDK, as the rest of the worker sees it."""

    __slots__ = ("_span", "span_id", "trace_id", "traceparent")

    def __init__(self, span: trace.Span) -> None:
        context = span.get_span_context()
        self._span = span
        self.trace_id = f"{context.trace_id:032x}"
        self.span_id = f"{context.span_id:016x}"
        self.traceparent = format_traceparent(
            TraceContext(self.trace_id, self.span_id, sampled=context.trace_flags.sampled)
        )

    def fail(self, error: BaseException) -> None:
        self._span.set_status(Status(StatusCode.ERROR, str(error)))
        self._span.record_exception(error)

    def end(self) -> None:
        self._span.end()


def _create_sampler(settings: TelemetryEnvironment) -> Sampler:
    name = settings["sampler"]
    if name.endswith("always_on"):
        root: Sampler = ALWAYS_ON
    elif name.endswith("always_off"):
        root = ALWAYS_OFF
    else:
        root = TraceIdRatioBased(settings["samplerRatio"])
    return ParentBased(root) if name.startswith("parentbased") else root


def _parent_context(traceparent: str | None) -> Context:
    context = _span_context(traceparent)
    return Context() if context is None else trace.set_span_in_context(NonRecordingSpan(context), Context())


def _span_context(traceparent: str | None) -> SpanContext | None:
    parsed = parse_traceparent(traceparent)
    if parsed is None:
        return None
    return SpanContext(
        int(parsed.trace_id, 16),
        int(parsed.span_id, 16),
        is_remote=True,
        trace_flags=TraceFlags(TraceFlags.SAMPLED if parsed.sampled else TraceFlags.DEFAULT),
    )
