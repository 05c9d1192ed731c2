"""Spans exported over OTLP/HTTP: one trace, under the right parents."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from typing import Any

import pytest

from motia.tracing import IdsOnly, TelemetryEnvironment, Tracing, create_tracing
from tests.helpers.telemetry import telemetry
from tests.integration.handler.conftest import SPAN_ID, TRACE_ID, Collector, Runs, Subscription

pytest.importorskip("opentelemetry.sdk")

WAITED = {"motia.queue.wait_ms": 0}


def settings(**changes: Any) -> TelemetryEnvironment:
    return telemetry(**{"resourceAttributes": {"deployment.environment.name": "test"}, **changes})


def tracing_to(collector: Collector, **changes: Any) -> Tracing:
    return create_tracing(settings(tracesUrl=collector.url, **changes), "shop", "python-worker", pytest.fail)


def attributes(span: Any) -> dict[str, object]:
    def value_of(value: Any) -> object:
        texts = [each.string_value for each in value.array_value.values]
        return texts or value.string_value or value.int_value

    return {item.key: value_of(item.value) for item in span.attributes}


async def test_run_emit_and_state_are_spans_of_the_callers_trace(
    runs: Runs, subscription: Subscription, collector: Collector
) -> None:
    tracing = tracing_to(collector)
    runs.services = replace(runs.services, tracing=tracing)

    async def handler(req: Any, context: Any) -> dict[str, Any]:
        await context.emit(topic=subscription.topic, data=1)
        await context.state.set("orders", "7", 1)
        await context.streams.chat.update("room", "1", [{"type": "increment", "path": "n"}])
        context.logger.info("done")
        return {"status": 200, "body": context.trace_id}

    async def on_event(data: object, context: Any) -> None:
        await context.state.get_group("orders")
        raise ValueError("no truck")

    assert (await runs.api(handler)).body == TRACE_ID.encode()
    await runs.event(on_event, attempt=2)
    await asyncio.to_thread(tracing.close)

    run, emit = collector.named("run Order"), collector.named(f"send {subscription.topic}")
    set_, process = collector.named("state.set"), collector.named("process order")
    group, update = collector.named("state.getGroup"), collector.named("stream.update")
    assert update.parent_span_id == run.span_id
    where = {"motia.stream": "chat", "motia.stream.group": "room", "motia.stream.id": "1"}
    assert where.items() <= attributes(update).items()
    assert {span.trace_id.hex() for span in collector.spans} == {TRACE_ID}
    assert run.parent_span_id.hex() == process.parent_span_id.hex() == SPAN_ID
    assert emit.parent_span_id == set_.parent_span_id == run.span_id
    assert group.parent_span_id == process.span_id
    await subscription.arrived(1)
    assert subscription.events[0][0].traceparent == f"00-{TRACE_ID}-{emit.span_id.hex()}-01"
    assert runs.records[0]["spanId"] == run.span_id.hex()

    step = {"motia.step.name": "Order", "code.file.path": "src/order_step.py", "motia.step.flows": ["orders"], **WAITED}
    assert attributes(run) == {**step, "faas.trigger": "http"}
    assert (emit.kind, process.kind, set_.kind, run.kind) == (4, 5, 3, 1)  # producer, consumer, client, internal
    assert attributes(emit) == {
        "messaging.system": "nats",
        "messaging.operation.type": "send",
        "messaging.destination.name": subscription.topic,
        "messaging.message.id": subscription.events[0][0].id,
    }
    assert attributes(process) == {
        **step,
        "faas.trigger": "pubsub",
        "messaging.system": "nats",
        "messaging.operation.type": "process",
        "messaging.destination.name": "order",
        "messaging.message.id": "event-1",
        "motia.attempt": 2,
    }
    assert attributes(set_) == {
        "db.system.name": "nats",
        "db.operation.name": "set",
        "motia.state.group": "orders",
        "motia.state.key": "7",
    }
    assert "motia.state.key" not in attributes(group)
    assert (run.status.code, process.status.code, process.status.message) == (0, 2, "no truck")
    (exception,) = process.events
    assert "in on_event" in str(attributes(exception)["exception.stacktrace"])
    resource = collector.resources[0]
    assert (resource["service.name"], resource["motia.role"]) == ("shop", "python-worker")
    assert resource["deployment.environment.name"] == "test"


@pytest.mark.parametrize(
    ("sampler", "ratio", "parent_sampled", "exported"),
    [
        ("parentbased_always_on", 1, True, True),
        ("parentbased_always_on", 1, False, False),
        ("always_on", 1, False, True),
        ("always_off", 1, True, False),
        ("parentbased_always_off", 1, True, True),
        ("traceidratio", 0, True, False),
        ("traceidratio", 1, False, True),
    ],
)
def test_samplers(collector: Collector, sampler: str, ratio: float, parent_sampled: bool, exported: bool) -> None:
    tracing = tracing_to(collector, sampler=sampler, samplerRatio=ratio, serviceName="mine")
    span = tracing.start_span("s", f"00-{TRACE_ID}-{SPAN_ID}-0{int(parent_sampled)}")
    assert span.traceparent == f"00-{TRACE_ID}-{span.span_id}-0{int(exported)}"
    span.end()
    tracing.close()
    assert len(collector.spans) == exported
    assert [resource["service.name"] for resource in collector.resources] == ["mine"] * exported


def test_without_a_parent_a_trace_begins(collector: Collector) -> None:
    tracing = tracing_to(collector)
    first, second = tracing.start_span("a"), tracing.start_span("b", "nonsense")
    assert first.trace_id != second.trace_id
    tracing.close()


class TestIdsOnly:
    @pytest.mark.parametrize("changes", [{}, {"tracesUrl": ""}, {"tracesUrl": "http://x", "disabled": True}])
    def test_is_what_there_is_without_an_exporter(self, changes: dict[str, Any]) -> None:
        assert isinstance(create_tracing(settings(**changes), "shop", "python-worker", pytest.fail), IdsOnly)

    def test_and_without_the_packages_which_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        told: list[str] = []
        for name in [name for name in sys.modules if name.startswith(("opentelemetry", "motia.otlp"))]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setitem(sys.modules, "opentelemetry", None)
        tracing = create_tracing(settings(tracesUrl="http://x"), "shop", "python-worker", told.append)
        assert isinstance(tracing, IdsOnly)
        assert len(told) == 1
        assert told[0].endswith("pip install opentelemetry-sdk opentelemetry-exporter-otlp-proto-http")

    def test_carries_ids(self) -> None:
        tracing = IdsOnly()
        child = tracing.start_span("", f"00-{TRACE_ID}-{SPAN_ID}-00")
        assert child.traceparent == f"00-{TRACE_ID}-{child.span_id}-00"
        assert child.span_id != SPAN_ID
        assert len(child.span_id) == 16
        fresh = tracing.start_span("")
        assert fresh.traceparent == f"00-{fresh.trace_id}-{fresh.span_id}-01"
        assert tracing.start_span("").trace_id != fresh.trace_id


async def test_a_cron_run_is_a_span_that_begins_a_trace(
    runs: Runs, subscription: Subscription, collector: Collector
) -> None:
    tracing = tracing_to(collector)
    runs.services = replace(runs.services, tracing=tracing)

    async def handler(context: Any) -> None:
        await context.emit(topic=subscription.topic, data=1)
        raise ValueError("no broom")

    error = await runs.cron(handler)
    await asyncio.to_thread(tracing.close)
    assert error is not None
    run, emit = collector.named("cron Order"), collector.named(f"send {subscription.topic}")
    assert (run.parent_span_id, emit.parent_span_id) == (b"", run.span_id)
    assert run.trace_id == emit.trace_id
    assert run.trace_id.hex() != TRACE_ID
    step = {"motia.step.name": "Order", "code.file.path": "src/order_step.py", "motia.step.flows": ["orders"], **WAITED}
    assert attributes(run) == {**step, "faas.trigger": "timer", "faas.cron": "@daily"}
    (told,) = runs.records
    assert (told["level"], told["action"], told["traceId"]) == ("error", "run_failed", run.trace_id.hex())
