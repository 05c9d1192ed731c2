"""JSON values in a KV bucket.

Those above the broker's message limit are in an object store, and their entries are empty.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, NamedTuple

from ..errors import MotiaError, RevisionConflictError
from ..protocol.headers import Header
from .blobs import BlobStore
from .connect import Broker
from .key_value import WHOLE_BUCKET, Entry, Reach, replace_entry, write_entry

# Marks of removed entries are there for an hour.
_MARK: Final = {"KV-Operation": "DEL", "Nats-TTL": "3600s"}
# How often a large value may be replaced while it is read.
_MOST_READS: Final = 10
# A page ends at this size, whatever was asked for.
_MOST_BYTES: Final = 8 * 1024**2


@dataclass(frozen=True, slots=True)
class Stored:
    """What is under a key, at one moment."""

    json: bytes | None
    """`None` for nothing."""
    last: Entry | None
    """The entry, or the mark of its removal."""


@dataclass(frozen=True, slots=True)
class EntryFields:
    """What an entry has besides its value."""

    names: str | None = None
    """The names that its key was made of, if that does not say them; see `to_names_header`."""
    expires_at: int | None = None
    """When it goes by itself, ms since 1970."""


class JsonPage(NamedTuple):
    """Some of the values under keys that match, in the order of their revisions."""

    items: list[tuple[Entry, bytes]]
    next: int | None
    """There may be more: after this revision."""


_NO_FIELDS: Final = EntryFields()


class JsonBucket:
    """One bucket, and the object store of its large values.

    `watched`: entries say whether they are new, and what is removed by `replace` leaves a mark.
    `reach`: what the broker lets this user do.
    """

    def __init__(
        self, broker: Broker, bucket: str, blobs: str, *, watched: bool = False, reach: Reach = WHOLE_BUCKET
    ) -> None:
        self._broker = broker
        self._bucket = bucket
        self._watched = watched
        self._reach = reach
        self._blobs = BlobStore(broker, blobs)

    async def load(self, key: str) -> Stored:
        """The JSON under a key, if there is any, and what it takes to replace it."""
        reads = 0
        while True:
            reads += 1
            last = await self._reach.read_last(self._broker, self._bucket, key)
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
        for entry in await self._reach.read_entries(self._broker, self._bucket, filter):
            json = (await self.load(entry.key)).json if entry.header(Header.BLOB) else entry.data
            if json is not None:
                found.append(json)
        return found

    async def load_page(self, filter: str, after: int, most: int) -> JsonPage:
        """Values whose key matches, from the first one that has a higher revision than `after`.

        There are fewer than `most` when they are large.
        """
        page = await self._reach.read_page(self._broker, self._bucket, filter, after, most)
        items: list[tuple[Entry, bytes]] = []
        size = 0
        for entry in page.entries:
            stored = await self.load(entry.key) if entry.header(Header.BLOB) else Stored(entry.data, entry)
            if stored.json is None or stored.last is None:  # removed since
                continue
            items.append((stored.last, stored.json))
            size += len(stored.json)
            if size >= _MOST_BYTES:
                return JsonPage(items, entry.revision)
        return JsonPage(items, page.next)

    async def write(self, key: str, json: bytes, fields: EntryFields = _NO_FIELDS) -> None:
        """Stores a value, whatever is there. Raises `MotiaError` `STORE_FULL` when the broker has no room."""
        data, headers = await self._encode(key, json, fields)
        await write_entry(self._broker, self._bucket, key, data, headers)

    async def write_if(self, key: str, json: bytes, revision: int, fields: EntryFields) -> None:
        """Stores a value if what is there has just that revision; 0 means that nothing is there.

        Raises `MotiaError` `REVISION_CONFLICT`.
        """
        while True:
            last = await self._reach.read_last(self._broker, self._bucket, key)
            present = 0 if last is None or last.removed else last.revision
            if present != revision:
                raise RevisionConflictError(revision, present)
            if await self.replace(key, Stored(None, last), json, fields):
                return

    async def replace(self, key: str, before: Stored, json: bytes | None, fields: EntryFields = _NO_FIELDS) -> bool:
        """Stores a value, or removes it (`None`), if nothing has changed since `before` was loaded.

        Tells whether it was so.
        """
        last = before.last
        is_new = last is None or last.removed
        if json is None and is_new:
            return True
        data, headers = self._mark(before, fields) if json is None else await self._encode(key, json, fields)
        if self._watched and json is not None:
            headers[Header.CHANGE] = "create" if is_new else "update"
        replaced = await replace_entry(self._broker, self._bucket, key, data, last.revision if last else 0, headers)
        old = last.header(Header.BLOB) if last else ""
        own = headers.get(Header.BLOB, "")
        unused = old if replaced else own
        if unused and old != own:
            with suppress(MotiaError):  # what cannot be freed now is swept later: the change itself is made
                await self._blobs.delete(unused)
        return replaced

    async def remove(self, key: str) -> bytes | None:
        """Removes a value. Gives its JSON, if there was any."""
        stored = await self.load(key)
        if stored.json is None or stored.last is None:
            return None
        await self._reach.remove(self._broker, self._bucket, key)
        await self._free([stored.last])
        return stored.json

    async def purge(self, filter: str) -> None:
        """Removes all values of a group, whose pattern is `filter`."""
        await self._free(await self._reach.remove_group(self._broker, self._bucket, filter))

    async def _free(self, entries: Iterable[Entry]) -> None:
        blobs = [entry.header(Header.BLOB) for entry in entries]
        await asyncio.gather(*[self._blobs.delete(blob) for blob in blobs if blob])

    async def _is_used(self, key: str, blob: str) -> bool:
        last = await self._reach.read_last(self._broker, self._bucket, key)
        return last is not None and last.header(Header.BLOB) == blob

    async def _encode(self, key: str, json: bytes, fields: EntryFields) -> tuple[bytes, dict[str, str]]:
        headers = to_headers(fields)
        if not self._blobs.needed(len(json)):
            return json, headers
        headers[Header.BLOB] = await self._blobs.put(json, f"{key}.")
        return b"", headers

    def _mark(self, before: Stored, fields: EntryFields) -> tuple[bytes, dict[str, str]]:
        """The mark of a removal has the last value, so that whoever watches can tell what is gone."""
        blob = before.last.header(Header.BLOB) if before.last else ""
        headers = {**_MARK, **to_headers(EntryFields(names=fields.names))}
        return (b"", {**headers, Header.BLOB: blob}) if blob else (before.json or b"", headers)

    async def _json_of(self, entry: Entry) -> bytes:
        blob = entry.header(Header.BLOB)
        return await self._blobs.get(blob) if blob else entry.data


def expiry_of(entry: Entry | None) -> int | None:
    """When an entry goes by itself, ms since 1970."""
    text = entry.header(Header.EXPIRES) if entry else ""
    return int(text) if text else None


def to_headers(fields: EntryFields, now: int | None = None) -> dict[str, str]:
    """Headers of an entry that is stored `now`, ms since 1970.

    The broker counts in whole seconds, and from when it stores the entry.
    """
    headers: dict[str, str] = {}
    if fields.names is not None:
        headers[Header.NAMES] = fields.names
    if fields.expires_at is not None:
        headers[Header.EXPIRES] = str(fields.expires_at)
        left = fields.expires_at - (int(time.time() * 1000) if now is None else now)
        headers["Nats-TTL"] = f"{max(1, -(-left // 1000))}s"
    return headers
