"""Runs of handlers with a real broker behind their context."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any

import orjson
import pytest

from motia.broker.blobs import BlobStore
from motia.broker.connect import Broker
from motia.broker.consumers import ensure_consumer, subscription_source
from motia.broker.delivery import Delivery
from motia.broker.events import EventEnvelope, EventStore, read_envelope
from motia.broker.pull_consumer import PullConsumer
from motia.broker.state import StateStore
from motia.broker.streams import StreamStore
from motia.errors import ErrorRecord
from motia.handler.active_run import ActiveRun
from motia.handler.run_api import run_api
from motia.handler.run_cron import run_cron
from motia.handler.run_event import run_event
from motia.handler.run_span import start_api_span, start_cron_span, start_event_span
from motia.handler.services import HttpSettings, Services
from motia.handler.stream_names import StreamNames
from motia.ipc.wire import EventMeta
from motia.log import Log
from motia.protocol.frames import decode_frame
from motia.protocol.subjects import Names
from motia.steps.json_schema import compile_validator
from motia.steps.load import LoadedStep
from motia.tracing import IdsOnly
from tests.helpers.wait_for import wait_for
from tests.integration.broker.conftest import broker, connect, names, pytest_asyncio_loop_factories, server

__all__ = ["broker", "connect", "names", "pytest_asyncio_loop_factories", "server"]

TRACE_ID, SPAN_ID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
_topics = (f"order.created.{i}" for i in count())


@dataclass
class Reply:
    """What the gateway gets."""

    status: int
    headers: dict[str, str]
    body: bytes
    blob: str | None

    def json(self) -> Any:
        return orjson.loads(self.body)


@dataclass
class Runs:
    """Has runs of handlers."""

    services: Services
    records: list[dict[str, Any]]
    """What was logged."""
    frames: list[bytes] = field(default_factory=list)
    """What was sent of streamed answers before their last frames."""
    leased: Callable[[], bool] = lambda: True
    _ids: Iterator[int] = field(default_factory=count)
    run: ActiveRun | None = None
    """The newest."""

    async def api(
        self, handler: Callable[..., Any], body: bytes = b"{}", meta: Mapping[str, Any] | None = None, **config: Any
    ) -> Reply:
        step = self.step(handler, config | {"type": "api"})
        span = start_api_span(self.services.tracing, step, self.traceparent, 0)
        self.run = run = ActiveRun(step, f"call-{next(self._ids)}", 1, span, self.leased)
        head = {"method": "POST", "url": "/", "params": {}, "headers": {"content-type": "application/json"}}
        frame = await run_api(run, {**head, **(meta or {})}, memoryview(body), self.services, self.frames.append)
        span.end()
        assert run.ended
        end, data = decode_frame(frame)
        assert end["t"] == "end"
        return Reply(end["status"], dict(end["headers"]), bytes(data), end.get("blob"))

    async def event(
        self,
        handler: Callable[..., Any],
        payload: bytes = b"{}",
        attempt: int = 1,
        link: str | None = None,
        **config: Any,
    ) -> ErrorRecord | None:
        step = self.step(handler, config | {"type": "event"})
        event_id = f"event-{next(self._ids)}"
        span = start_event_span(
            self.services.tracing, step, EventMeta(event_id, "order", attempt, self.traceparent, link), 0
        )
        self.run = run = ActiveRun(step, event_id, attempt, span, self.leased)
        error = await run_event(run, memoryview(payload), self.services)
        span.end()
        assert run.ended
        return error

    async def cron(self, handler: Callable[..., Any], **config: Any) -> ErrorRecord | None:
        """Has a cron run."""
        step = self.step(handler, config | {"type": "cron"})
        step.entry["cron"] = "@daily"
        self.run = run = ActiveRun(
            step, f"tick-{next(self._ids)}", 1, start_cron_span(self.services.tracing, step, 0), self.leased
        )
        error = await run_cron(run, self.services)
        run.span.end()
        assert run.ended
        return error

    def step(self, handler: Callable[..., Any], config: dict[str, Any]) -> LoadedStep:
        schema = config.get("bodySchema") or config.get("input")
        entry = {
            "id": "Order",
            "name": "Order",
            "file": "src/order_step.py",
            "flows": ["orders"],
            "method": "POST",
            "path": "/orders",
            "emits": [{"topic": topic} for topic in config.get("emits", ())],
        }
        return LoadedStep(entry, config, handler, compile_validator(schema) if schema else None)

    @property
    def traceparent(self) -> str:
        return f"00-{TRACE_ID}-{SPAN_ID}-01"

    def with_settings(self, **settings: Any) -> None:
        self.services = replace(self.services, settings=replace(self.services.settings, **settings))


@pytest.fixture
def runs(broker: Broker, names: Names) -> Iterator[Runs]:
    def give(store: Any) -> Callable[..., Awaitable[Any]]:
        async def get(*_: object) -> Any:
            return store

        return get

    records: list[dict[str, Any]] = []
    streams = StreamStore(broker, names)
    with ThreadPoolExecutor(2) as executor:
        services = Services(
            events=give(EventStore(broker, names)),
            state=give(StateStore(broker, names)),
            streams=give(streams),
            stream_names=StreamNames(["chat"], streams.defined_names),
            bodies=give(BlobStore(broker, names.buckets.bodies)),
            tracing=IdsOnly(),
            log=Log("debug", lambda line: records.append(orjson.loads(line))),
            payloads=None,
            settings=HttpSettings(body_limit=32 * 1024 * 1024, validation="warn"),
            executor=executor,
        )
        yield Runs(services, records)


@dataclass
class Subscription:
    """Keeps all events of a topic."""

    topic: str
    events: list[tuple[EventEnvelope, Any]]
    """With their payloads."""

    async def arrived(self, number: int) -> list[Any]:
        """The payloads, when so many are there."""
        await wait_for(lambda: len(self.events) >= number)
        return [payload for _, payload in self.events]


@pytest.fixture
async def subscription(broker: Broker, names: Names) -> AsyncIterator[Subscription]:
    topic = next(_topics)
    source = subscription_source(names, {"id": "mail"}, topic)
    await ensure_consumer(broker, source, "mail")
    found = Subscription(topic, [])

    def keep(delivery: Delivery) -> None:
        found.events.append((read_envelope(delivery, source.stream, topic), orjson.loads(delivery.data)))
        delivery.ack()

    puller = PullConsumer(
        broker,
        stream=source.stream,
        durable=source.durable,
        ack_wait_ms=source.ack_wait_ms,
        room=lambda: 1000,
        on_gone=lambda: None,
        on_delivery=keep,
    )
    puller.start()
    yield found
    puller.close()


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    yield collector
    collector.close()


class Collector:
    """Takes what is exported over OTLP/HTTP."""

    def __init__(self) -> None:
        self.spans: list[Any] = []
        """Of `opentelemetry.proto.trace.v1.trace_pb2.Span`."""
        self.resources: list[dict[str, str]] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                collector.take(self.rfile.read(int(self.headers["content-length"])))
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.01,)).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1/traces"

    def take(self, body: bytes) -> None:
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            self.resources.append({item.key: item.value.string_value for item in resource.resource.attributes})
            self.spans += [span for scope in resource.scope_spans for span in scope.spans]

    def named(self, name: str) -> Any:
        (span,) = [span for span in self.spans if span.name == name]
        return span

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
