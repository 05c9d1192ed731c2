"""The lease of a worker: which consumers a live one serves.

A version of the app is over when no lease has any of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Callable, Iterable
from typing import Final

import orjson

from ..errors import MotiaError
from ..log import Log
from ..protocol.subjects import Names
from .connect import Broker
from .consumers import Source
from .key_value import mark_removed, read_entries, write_entry

# A worker that is lost is forgotten within this time.
_LEASE_S: Final = 30
_RENEW_S: Final = 5.0
# For the end of a worker, which a lost broker must not hold up: a lease that nobody could take back runs out.
_STOP_WITHIN_S: Final = 2.0


async def read_served(broker: Broker, names: Names) -> set[str]:
    """What all live workers serve, as `<broker stream>/<consumer>`."""
    entries = await read_entries(broker, names.buckets.leases, names.worker_leases)
    return {name for entry in entries for name in orjson.loads(entry.data)["serves"]}


async def read_versions(broker: Broker, names: Names, language: str) -> set[str]:
    """The versions of one language that live workers have."""
    entries = await read_entries(broker, names.buckets.leases, names.worker_leases)
    leases = [orjson.loads(entry.data) for entry in entries]
    return {lease["version"] for lease in leases if lease.get("language") == language and "version" in lease}


class WorkerLease:
    """Says on the broker which consumers this worker serves."""

    def __init__(self, broker: Broker, names: Names, log: Log, serves: Callable[[], Iterable[Source]]) -> None:
        """`serves`: what the worker serves at a moment."""
        self._broker = broker
        self._bucket = names.buckets.leases
        self.id = str(uuid.uuid4())
        self._key = names.worker_lease(self.id)
        self._log = log
        self._serves = serves
        self._about: list[Source] = []
        self._version: str | None = None
        self._writing = asyncio.Lock()
        self._renewal: asyncio.Task[None] | None = None

    async def name(self, about: Iterable[Source] = (), version: str | None = None) -> None:
        """Names what is served, and what is about to be; `version` is what that is, by default the one named before.

        Returns when the broker has it: only then may a consumer be relied upon to stay.
        """
        self._about = [*about]
        self._version = version or self._version
        if self._renewal is None:
            self._renewal = asyncio.create_task(self._renew())
        await self._write()

    async def stop(self) -> None:
        """What was served is no longer. Tells the broker, if that takes no longer than two seconds."""
        if self._renewal is None:
            return
        self._renewal.cancel()
        with contextlib.suppress(MotiaError, asyncio.TimeoutError):
            await asyncio.wait_for(self._take_back(), _STOP_WITHIN_S)

    async def _take_back(self) -> None:
        async with self._writing:
            await mark_removed(self._broker, self._bucket, self._key)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(_RENEW_S)
            try:
                await self._write()
            except MotiaError as error:
                fields = {"action": "lease_failed", "err": error}
                self._log.write("warn", fields, "The lease of this worker could not be renewed; trying again")

    async def _write(self) -> None:
        """One write after the other: the newest is the last."""
        async with self._writing:
            named: dict[bool, dict[str, None]] = {False: {}, True: {}}
            for source in [*self._serves(), *self._about]:
                named[source.runs_until is not None][f"{source.stream}/{source.durable}"] = None
            # Former partitions are apart: they are not to be kept, only their rest is taken.
            lease: dict[str, object] = {"language": "python", "serves": [*named[False]], "drains": [*named[True]]}
            if self._version is not None:
                lease["version"] = self._version
            data = orjson.dumps(lease)
            await write_entry(self._broker, self._bucket, self._key, data, {"Nats-TTL": f"{_LEASE_S}s"})
