"""What runs are had with: one set per handler process."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Literal

from ..broker.blobs import BlobStore
from ..broker.events import EventStore
from ..broker.state import StateStore
from ..broker.streams import StreamStore
from ..log import Log
from ..payloads import Payloads
from ..tracing import Tracing
from .stream_names import StreamNames


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """What concerns workers of the project's HTTP settings."""

    body_limit: int
    """Largest request body in bytes."""
    validation: Literal["enforce", "warn", "ignore"]
    """What happens to a body that does not fit `bodySchema`."""


@dataclass(frozen=True, slots=True)
class Services:
    """The stores are asked for each time, so that the connection may be made meanwhile."""

    events: Callable[[], Awaitable[EventStore]]
    state: Callable[[bool], Awaitable[StateStore]]
    """Told whether it is for a step that names its groups of state."""
    streams: Callable[[], Awaitable[StreamStore]]
    stream_names: StreamNames
    bodies: Callable[[], Awaitable[BlobStore]]
    tracing: Tracing
    log: Log
    payloads: Payloads | None
    """`None` where they are not kept."""
    settings: HttpSettings
    executor: Executor
    """Where plain `def` handlers and middleware run."""
