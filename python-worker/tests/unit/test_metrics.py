"""What the worker counts, and how it tells."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Any

import pytest

from motia.errors import MotiaError
from motia.log import Log
from motia.metrics.definitions import METRICS
from motia.metrics.metrics import Metrics
from motia.ops import Ops, OpsAddress
from motia.protocol.frames import encode_frame
from motia.worker.outcome import Displaced, Failed, Lost, Succeeded
from motia.worker.processes.job import JobEnd, Replied
from motia.worker.run_metrics import RunMetrics
from tests.golden import golden

_OPEN = "application/openmetrics-text; version=1.0.0"
_LOG = Log("error", lambda line: None)


def test_the_metrics_are_those_of_the_golden_file() -> None:
    expected = {metric["name"]: metric for metric in golden("metrics.json")["metrics"]}
    wanted = {name: metric for name, metric in expected.items() if "python-worker" in metric["roles"]}
    ours = {
        name: {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(metric).items()}
        for name, metric in METRICS.items()
    }
    assert ours == {
        name: {"type": m["type"], "help": m["help"], "labels": m["labels"], "buckets": m.get("buckets", [])}
        for name, m in wanted.items()
    }


def _metrics() -> Metrics:
    return Metrics({"app": "shop", "role": "python-worker"})


def test_counters_histograms_and_gauges_become_text() -> None:
    metrics = _metrics()
    metrics.counter("motia_emits_total", "A").value += 2
    metrics.gauge("motia_ready", lambda: True)
    durations = metrics.histogram("motia_run_duration_seconds", "A", "api", "succeeded")
    for seconds in (0.001, 0.0011, 1, 4000):
        durations.add(seconds, f"00-{'1' * 32}-{'2' * 16}-01")
    own = 'app="shop",role="python-worker"'

    def bucket(bound: str) -> str:
        labels = f'app="shop",kind="api",le="{bound}",outcome="succeeded",role="python-worker",step="A"'
        return f"motia_run_duration_seconds_bucket{{{labels}}}"

    content_type, text = metrics.expose("")
    lines = text.decode().split("\n")
    assert content_type.startswith("text/plain; version=")
    assert {
        f'motia_emits_total{{{own},step="A"}} 2.0',
        f"motia_ready{{{own}}} 1.0",
        f"{bucket('0.001')} 1.0",
        f"{bucket('0.0025')} 2.0",
        f"{bucket('1.0')} 3.0",
        f"{bucket('+Inf')} 4.0",
    } <= set(lines)
    assert any(line.startswith(f"process_resident_memory_bytes{{{own}}}") for line in lines)
    content_type, text = metrics.expose(_OPEN)
    assert content_type.startswith("application/openmetrics-text")
    assert f'# {{trace_id="{"1" * 32}"}} 0.0011 ' in text.decode()


def test_the_same_is_told_as_data() -> None:
    metrics = _metrics()
    metrics.histogram("motia_queue_wait_seconds", "A", "event").add(0.02, f"00-{'1' * 32}-{'2' * 16}-01")
    (family,) = (family for family in metrics.families() if family["name"] == "motia_queue_wait_seconds")
    assert family["type"] == "histogram"
    (bucket,) = (sample for sample in family["samples"] if sample["labels"].get("le") == "0.05")
    assert (bucket["suffix"], bucket["value"], bucket["exemplar"]["traceId"]) == ("_bucket", 1.0, "1" * 32)


@pytest.mark.parametrize(
    ("end", "outcome"),
    [
        (Replied(encode_frame({"t": "end", "status": 404, "headers": []})), "succeeded"),
        (Replied(encode_frame({"t": "end", "status": 500, "headers": []})), "failed"),
        (Succeeded(), "succeeded"),
        (Failed({"name": "E", "message": "m"}), "failed"),
        (Failed({"name": "E", "message": "m", "code": "RUN_CUT_OFF"}), "cut_off"),
        (Displaced(), "cut_off"),
        (Lost(), None),
    ],
)
def test_how_runs_end(end: JobEnd, outcome: str | None) -> None:
    metrics = _metrics()
    RunMetrics(metrics, "A", "api").ended(end, 5, 2)
    counted = [
        sample["labels"]["outcome"]
        for family in metrics.families()
        for sample in family["samples"]
        if family["name"] == "motia_run_duration_seconds" and sample["suffix"] == "_count"
    ]
    assert counted == ([] if outcome is None else [outcome])
    assert metrics.counter("motia_emits_total", "A").value == 2


class _Connection:
    """What health wants to know of the broker."""

    up = True
    gone = False

    def connected(self) -> bool:
        return self.up

    def closed(self) -> bool:
        return self.gone


async def test_health() -> None:
    ops = Ops("shop")
    broker: Any = _Connection()
    statuses = lambda: tuple(ops.answer(path, "")[0] for path in ("/health/live", "/health/ready"))  # noqa: E731
    assert statuses() == (200, 503)
    ops.watch(broker)
    assert statuses() == (200, 200)
    broker.up = False
    assert statuses() == (200, 503)
    broker.gone = True
    assert statuses() == (503, 503)
    ops.health.drain()
    assert statuses() == (200, 503)
    await ops.close()


async def _ask(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        return await asyncio.wait_for(reader.read(), 10)
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


async def test_it_is_served_over_http() -> None:
    ports: list[int] = []
    lines: list[bytes] = []
    ops = Ops("shop")
    await ops.serve(OpsAddress("127.0.0.1", 0, optional=False), Log("info", lines.append))
    assert ops._server is not None
    ports.append(ops._server.sockets[0].getsockname()[1])
    port = ports[0]
    assert b'"action":"metrics","port":%d' % port in lines[0]
    assert (await _ask(port, b"GET /health/live?x HTTP/1.1\r\n\r\n")).startswith(b"HTTP/1.1 200 OK\r\n")
    assert (await _ask(port, b"GET /health/ready HTTP/1.1\r\n\r\n")).startswith(b"HTTP/1.1 503 ")
    answer = await _ask(port, b"GET /metrics HTTP/1.1\r\nAccept: %s\r\n\r\n" % _OPEN.encode())
    assert b"content-type: application/openmetrics-text" in answer
    assert answer.endswith(b"# EOF\n")
    head = await _ask(port, b"HEAD /metrics HTTP/1.1\r\n\r\n")
    assert head.endswith(b"\r\n\r\n")
    assert (await _ask(port, b"POST /metrics HTTP/1.1\r\n\r\n")).startswith(b"HTTP/1.1 405 ")
    assert (await _ask(port, b"GET /other HTTP/1.1\r\n\r\n")).startswith(b"HTTP/1.1 404 ")
    assert (await _ask(port, b"nonsense\r\n\r\n")).startswith(b"HTTP/1.1 400 ")
    assert await _ask(port, b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\n\r\n") == b""
    with pytest.raises(MotiaError, match="MOTIA_METRICS_PORT"):
        await ops.serve(OpsAddress("127.0.0.1", port, optional=False), _LOG)
    other = Ops("shop")
    await other.serve(OpsAddress("127.0.0.1", port, optional=True), _LOG)  # goes on without
    assert other._server is None
    await other.close()
    await ops.close()
