"""JSON values in a KV bucket.

Those above the broker's message limit are in an object store, and their entries are empty.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from ..errors import MotiaError
from ..protocol.headers import Header
from .blobs import BlobStore
from .connect import Broker
from .key_value import Entry, purge_entries, read_entries, read_last, replace_entry, write_entry

# Marks of removed entries are there for an hour.
_MARK: Final = {"KV-Operation": "DEL", "Nats-TTL": "3600s"}
# How often a large value may be replaced while it is read.
_MOST_READS: Final = 10


@dataclass(frozen=True, slots=True)
class Stored:
    """What is under a key, at one moment."""

    json: bytes | None
    """`None` for nothing."""
    last: Entry | None
    """The entry, or the mark of its removal."""


class JsonBucket:
    """One bucket, and the object store of its large values.

    `watched`: entries say whether they are new, and what is removed by `replace` leaves a mark.
    """

    def __init__(self, broker: Broker, bucket: str, blobs: str, *, watched: bool = False) -> None:
        self._broker = broker
        self._bucket = bucket
        self._watched = watched
        self._blobs = BlobStore(broker, blobs)

    async def load(self, key: str) -> Stored:
        """The JSON under a key, if there is any, and what it takes to replace it."""
        reads = 0
        while True:
            reads += 1
            last = await read_last(self._broker, self._bucket, key)
            if last is None or last.removed:
                return Stored(None, last)
            try:
                return Stored(await self._json_of(last), last)
            except MotiaError:
                # A value that has been replaced meanwhile took its blob along.
                blob = last.header(Header.BLOB)
                if not blob or reads == _MOST_READS or await self._is_used(key, blob):
                    raise

    async def load_all(self, filter: str) -> list[bytes]:
        """All values whose key matches, as JSON. In no promised order."""
        found: list[bytes] = []
        for entry in await read_entries(self._broker, self._bucket, filter):
            json = (await self.load(entry.key)).json if entry.header(Header.BLOB) else entry.data
            if json is not None:
                found.append(json)
        return found

    async def write(self, key: str, json: bytes) -> None:
        """Stores a value, whatever is there. Raises `MotiaError` `STORE_FULL` when the broker has no room."""
        data, headers = await self._encode(key, json)
        await write_entry(self._broker, self._bucket, key, data, headers)

    async def replace(self, key: str, before: Stored, json: bytes | None) -> bool:
        """Stores a value, or removes it (`None`), if nothing has changed since `before` was loaded.

        Tells whether it was so.
        """
        if json is None and before.json is None:
            return True
        data, headers = self._mark(before) if json is None else await self._encode(key, json)
        if self._watched and json is not None:
            headers[Header.CHANGE] = "create" if before.json is None else "update"
        revision = before.last.revision if before.last else 0
        replaced = await replace_entry(self._broker, self._bucket, key, data, revision, headers)
        old = before.last.header(Header.BLOB) if before.last else ""
        own = headers.get(Header.BLOB, "")
        unused = old if replaced else own
        if unused and old != own:
            with suppress(MotiaError):  # what cannot be freed now is swept later: the change itself is made
                await self._blobs.delete(unused)
        return replaced

    async def remove(self, key: str) -> bytes | None:
        """Removes a value without leaving a mark. Gives its JSON, if there was any."""
        stored = await self.load(key)
        if stored.json is None or stored.last is None:
            return None
        await purge_entries(self._broker, self._bucket, key)
        await self._free([stored.last])
        return stored.json

    async def purge(self, filter: str) -> None:
        """Removes all values whose key matches, without leaving marks."""
        entries = await read_entries(self._broker, self._bucket, filter)
        await purge_entries(self._broker, self._bucket, filter)
        await self._free(entries)

    async def _free(self, entries: Iterable[Entry]) -> None:
        blobs = [entry.header(Header.BLOB) for entry in entries]
        await asyncio.gather(*[self._blobs.delete(blob) for blob in blobs if blob])

    async def _is_used(self, key: str, blob: str) -> bool:
        last = await read_last(self._broker, self._bucket, key)
        return last is not None and last.header(Header.BLOB) == blob

    async def _encode(self, key: str, json: bytes) -> tuple[bytes, dict[str, str]]:
        if not self._blobs.needed(len(json)):
            return json, {}
        return b"", {Header.BLOB: await self._blobs.put(json, f"{key}.")}

    def _mark(self, before: Stored) -> tuple[bytes, dict[str, str]]:
        """The mark of a removal has the last value, so that whoever watches can tell what is gone."""
        blob = before.last.header(Header.BLOB) if before.last else ""
        return (b"", {**_MARK, Header.BLOB: blob}) if blob else (before.json or b"", dict(_MARK))

    async def _json_of(self, entry: Entry) -> bytes:
        blob = entry.header(Header.BLOB)
        return await self._blobs.get(blob) if blob else entry.data
