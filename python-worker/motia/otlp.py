"""Export of spans over OTLP/HTTP, by the OpenTelemetry SDK. Imported only when an exporter is configured."""

from __future__ import annotations

import os
import socket

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, Status, StatusCode, TraceFlags

from .protocol.trace_ids import TraceContext
from .recorded_span import RecordedSpan
from .tracing import TelemetryEnvironment

_KINDS = {
    "internal": trace.SpanKind.INTERNAL,
    "server": trace.SpanKind.SERVER,
    "client": trace.SpanKind.CLIENT,
    "producer": trace.SpanKind.PRODUCER,
    "consumer": trace.SpanKind.CONSUMER,
}
_SCOPE = InstrumentationScope("motia")


class OtlpExport:
    """Exports in batches. To be made after the last fork: it has a thread."""

    def __init__(self, settings: TelemetryEnvironment, service_name: str, role: str) -> None:
        self._resource = Resource(
            {
                "service.name": settings.get("serviceName") or service_name,
                "service.instance.id": f"{socket.gethostname()}-{os.getpid()}",
                "motia.role": role,
                **settings["resourceAttributes"],
            }
        )
        exporter = OTLPSpanExporter(endpoint=settings.get("tracesUrl"), headers=settings["headers"])
        self._processor = BatchSpanProcessor(
            exporter,
            max_queue_size=settings["waitingSpans"],
            max_export_batch_size=settings["exportedTogether"],
        )

    def add(self, span: RecordedSpan) -> None:
        """Takes a span that has ended."""
        self._processor.on_end(
            ReadableSpan(
                span.name,
                context=_span_context(span.context, is_remote=False),
                parent=None if span.parent is None else _span_context(span.parent),
                resource=self._resource,
                attributes=span.attributes,
                events=[Event(event.name, event.attributes, event.time) for event in span.events],
                links=[trace.Link(_span_context(link)) for link in span.links],
                kind=_KINDS[span.kind],
                status=Status() if span.error is None else Status(StatusCode.ERROR, span.error),
                start_time=span.started_at,
                end_time=span.ended_at,
                instrumentation_scope=_SCOPE,
            )
        )

    def close(self) -> None:
        """Exports what is left."""
        self._processor.shutdown()


def _span_context(context: TraceContext, *, is_remote: bool = True) -> SpanContext:
    flags = TraceFlags(TraceFlags.SAMPLED if context.sampled else TraceFlags.DEFAULT)
    return SpanContext(int(context.trace_id, 16), int(context.span_id, 16), is_remote=is_remote, trace_flags=flags)
