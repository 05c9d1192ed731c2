"""What the process tells those who run it: `/health/live`, `/health/ready` and `/metrics`, on a port of its own."""

from __future__ import annotations

import asyncio
import contextlib
import errno
from dataclasses import dataclass
from typing import Any, Final

import orjson

from .broker.connect import Broker
from .errors import MotiaError
from .health import Health
from .log import Log
from .metrics.loop_lag import LoopLag
from .metrics.metrics import Metrics

_REQUEST_WITHIN_S: Final = 5.0
_LONGEST_HEAD: Final = 8 * 1024
_MOST_CONNECTIONS: Final = 64
_REASONS: Final = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    503: "Service Unavailable",
}


@dataclass(frozen=True, slots=True)
class OpsAddress:
    """Where metrics and health are served."""

    host: str
    port: int
    """0 takes any free port."""
    optional: bool
    """Nobody has asked for this very port: if it is taken, the process goes on without."""


class Ops:
    """Made before the broker is there, and closed last."""

    def __init__(self, app: str) -> None:
        self.health = Health()
        self.metrics = Metrics({"app": app, "role": "python-worker"})
        self._lag = LoopLag()
        self._broker: Broker | None = None
        self._server: asyncio.Server | None = None
        self._connections = 0
        self.metrics.gauge("motia_ready", lambda: not self.health.ready())
        self.metrics.gauge("motia_broker_connected", lambda: self._broker is not None and self._broker.connected())
        self.metrics.gauge("motia_event_loop_lag_seconds", lambda: self._lag.worst)
        self.health.ready_if(self._is_connected)
        self.health.live_if(self._is_not_closed)

    def watch(self, broker: Broker) -> None:
        """The connection that the process cannot work without."""
        self._broker = broker

    async def serve(self, address: OpsAddress, log: Log) -> None:
        """Serves until `close`. Raises `MotiaError` `PORT_BUSY`."""
        try:
            self._server = await asyncio.start_server(
                self._on_connection, address.host, address.port, limit=_LONGEST_HEAD
            )
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            where = f"port {address.port} for metrics and health is in use on {address.host}"
            busy = f"{where}: choose another one with MOTIA_METRICS_PORT"
            if not address.optional:
                raise MotiaError("PORT_BUSY", busy) from error
            log.write("warn", {"action": "metrics_off"}, f"No metrics and health of this process: {busy}")
            return
        port = self._server.sockets[0].getsockname()[1]
        log.write("info", {"action": "metrics", "port": port}, f"Metrics and health are served on port {port}")

    async def close(self) -> None:
        self._lag.stop()
        if self._server:
            self._server.close()

    def answer(self, path: str, accept: str) -> tuple[int, str, bytes]:
        """Status, content type and body."""
        if path == "/health/live":
            return _report(self.health.live(), "alive", "not alive")
        if path == "/health/ready":
            return _report(self.health.ready(), "ready", "not ready")
        if path == "/metrics":
            return 200, *self.metrics.expose(accept)
        return 404, "text/plain", b"Not found\n"

    async def _on_connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request for each connection: it is asked every few seconds at most."""
        self._connections += 1
        try:
            if self._connections <= _MOST_CONNECTIONS:
                with contextlib.suppress(
                    asyncio.TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError
                ):
                    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), _REQUEST_WITHIN_S)
                    writer.write(self._respond(head))
                    await asyncio.wait_for(writer.drain(), _REQUEST_WITHIN_S)
        finally:
            self._connections -= 1
            writer.close()

    def _respond(self, head: bytes) -> bytes:
        lines = head.decode("latin-1").split("\r\n")
        method, _, rest = lines[0].partition(" ")
        path = rest.partition(" ")[0].partition("?")[0]
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        if not path:
            status, content_type, body = 400, "text/plain", b"Bad request\n"
        elif method not in ("GET", "HEAD"):
            status, content_type, body = 405, "text/plain", b"Method not allowed\n"
        else:
            status, content_type, body = self.answer(path, headers.get("accept", ""))
        start = f"HTTP/1.1 {status} {_REASONS[status]}\r\ncontent-type: {content_type}\r\n"
        end = f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        return (start + end).encode() + (b"" if method == "HEAD" else body)

    def _is_connected(self) -> str | None:
        if self._broker is None:
            return "it has not connected to the broker yet"
        return None if self._broker.connected() else "the connection to the broker is lost"

    def _is_not_closed(self) -> str | None:
        is_closed = self._broker is not None and self._broker.closed()
        return "the connection to the broker is closed for good" if is_closed else None


def _report(reasons: list[str], good: str, bad: str) -> tuple[int, str, bytes]:
    body: dict[str, Any] = {"status": bad, "reasons": reasons} if reasons else {"status": good}
    return 503 if reasons else 200, "application/json; charset=utf-8", orjson.dumps(body)
