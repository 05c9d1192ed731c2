"""State: JSON values by group and key in a KV bucket. Any string is a valid group and key."""

from __future__ import annotations

import asyncio

from ..json_values import JsonValue, from_json, to_json
from ..protocol.headers import Header
from ..protocol.subjects import Names
from .blobs import BlobStore
from .connect import Broker
from .key_value import Entry, purge_entries, read_entries, read_entry, write_entry


class StateStore:
    """The state of one app."""

    def __init__(self, broker: Broker, names: Names) -> None:
        self._broker = broker
        self._names = names
        self._bucket = names.buckets.state
        self._blobs = BlobStore(broker, names.buckets.values)

    async def get(self, group: str, key: str) -> JsonValue:
        """The value, or `None`."""
        entry = await read_entry(self._broker, self._bucket, self._names.state_key(group, key))
        return await self._decode(entry) if entry else None

    async def set(self, group: str, key: str, value: object) -> None:
        """Stores a value.

        Raises `MotiaError` `INVALID_VALUE` for what JSON cannot say, `STORE_FULL` when the broker has no room.
        """
        json = to_json(value)
        name = self._names.state_key(group, key)
        if not self._blobs.needed(len(json)):
            await write_entry(self._broker, self._bucket, name, json)
            return
        blob = await self._blobs.put(json, f"{name}.")
        await write_entry(self._broker, self._bucket, name, b"", {Header.BLOB: blob})

    async def delete(self, group: str, key: str) -> JsonValue:
        """Removes the value and gives it back, or `None`."""
        name = self._names.state_key(group, key)
        entry = await read_entry(self._broker, self._bucket, name)
        if entry is None:
            return None
        value = await self._decode(entry)
        await purge_entries(self._broker, self._bucket, name)
        await self._free(entry)
        return value

    async def get_group(self, group: str) -> list[JsonValue]:
        """All values of a group, in no promised order."""
        return [await self._decode(entry) for entry in await self._entries(group)]

    async def clear(self, group: str) -> None:
        """Removes all values of a group."""
        entries = await self._entries(group)
        await purge_entries(self._broker, self._bucket, self._names.state_group(group))
        await asyncio.gather(*[self._free(entry) for entry in entries])

    async def _entries(self, group: str) -> list[Entry]:
        return await read_entries(self._broker, self._bucket, self._names.state_group(group))

    async def _decode(self, entry: Entry) -> JsonValue:
        blob = entry.header(Header.BLOB)
        return from_json(await self._blobs.get(blob) if blob else entry.data)

    async def _free(self, entry: Entry) -> None:
        blob = entry.header(Header.BLOB)
        if blob:
            await self._blobs.delete(blob)
