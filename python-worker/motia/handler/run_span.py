"""The spans around runs. The semantic conventions have no attribute for how long a message has waited."""

from __future__ import annotations

from typing import Final

from ..ipc.wire import EventMeta
from ..span_types import Attributes
from ..steps.load import LoadedStep
from ..tracing import Span, Tracing

_WAIT: Final = "motia.queue.wait_ms"


def start_api_span(tracing: Tracing, step: LoadedStep, traceparent: str, waited_ms: float) -> Span:
    """The span of an API run, a child of the gateway's."""
    if not tracing.recording:
        return tracing.start_span("", traceparent)
    return tracing.start_span(
        f"run {step.entry['name']}",
        traceparent,
        attributes=lambda: {**_describe(step), "faas.trigger": "http", _WAIT: waited_ms},
    )


def start_event_span(tracing: Tracing, step: LoadedStep, event: EventMeta, waited_ms: float) -> Span:
    """The span of one attempt at an event, a child of the emit's; of a retried dead letter a child of the retry's."""
    if not tracing.recording:
        return tracing.start_span("", event.traceparent)
    return tracing.start_span(
        f"process {event.topic}",
        event.traceparent,
        "consumer",
        lambda: {
            **_describe(step),
            "faas.trigger": "pubsub",
            "messaging.system": "nats",
            "messaging.operation.type": "process",
            "messaging.destination.name": event.topic,
            "messaging.message.id": event.id,
            "motia.attempt": event.attempt,
            _WAIT: waited_ms,
        },
        () if event.link is None else (event.link,),
    )


def start_cron_span(tracing: Tracing, step: LoadedStep, waited_ms: float) -> Span:
    """The span of a cron run, which begins a trace."""
    if not tracing.recording:
        return tracing.start_span("")
    attributes = {**_describe(step), "faas.trigger": "timer", "faas.cron": step.entry["cron"], _WAIT: waited_ms}
    return tracing.start_span(f"cron {step.entry['name']}", attributes=attributes)


def _describe(step: LoadedStep) -> Attributes:
    entry = step.entry
    attributes = {"motia.step.name": entry["name"], "code.file.path": entry["file"]}
    return {**attributes, "motia.step.flows": entry["flows"]} if entry.get("flows") else attributes
