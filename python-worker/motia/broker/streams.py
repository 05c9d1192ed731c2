"""Realtime streams: items by group and id in a KV bucket that hubs watch, and events that are sent and not kept."""

from __future__ import annotations

import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from ..errors import MotiaError
from ..json_values import JsonValue, from_json, kind_of, to_json
from ..protocol.entry_names import to_names_header
from ..protocol.headers import Header
from ..protocol.subjects import Names
from ..steps.canonical_json import text_order
from .blobs import fits_message
from .change_queue import Change, ChangeQueue
from .connect import Broker
from .json_bucket import JsonBucket
from .manifest_store import read_manifest
from .publish import publish_stored
from .state import ValueChange

Item: TypeAlias = dict[str, Any]


class StreamStore:
    """The streams of one app."""

    def __init__(self, broker: Broker, names: Names) -> None:
        self._broker = broker
        self._names = names
        self._items = JsonBucket(broker, names.buckets.streams, names.buckets.items, watched=True)
        self._changes = ChangeQueue(self._items)

    async def defined_names(self) -> list[str]:
        """Names of the streams that the current manifest has: those of all languages."""
        manifest = await read_manifest(self._broker, self._names)
        return [stream["name"] for stream in (manifest or {}).get("streams", ())]

    async def get(self, stream: str, group: str, id: str) -> Item | None:
        """The item, or `None`."""
        json = (await self._items.load(self._names.item_key(stream, group, id))).json
        return None if json is None else _as_item(json, stream, group)

    async def set(self, stream: str, group: str, id: str, item: object) -> Item:
        """Stores an item under an id, whatever id it has itself, and gives it as it is stored.

        Raises `MotiaError` `INVALID_VALUE` for what is no object or what JSON cannot say, `STORE_FULL` when the broker
        has no room.
        """
        data = _to_data(item)  # now, since the handler may change it before it is stored

        async def make(_: JsonValue) -> Item:
            return data

        return await self._store(stream, group, id, make)

    async def update(self, stream: str, group: str, id: str, change: ValueChange) -> Item:
        """Changes an item, whoever else does so at the same time, and gives it as it is stored.

        Raises what the change raises, and what `set` does. Then nothing is stored.
        """

        async def make(current: JsonValue) -> Item:
            return _to_data(await change(current))

        return await self._store(stream, group, id, make)

    async def delete(self, stream: str, group: str, id: str) -> Item | None:
        """Removes an item and gives it back, or `None`."""
        old: bytes | None = None

        async def remove(json: bytes | None) -> None:
            nonlocal old
            old = json

        await self._change(stream, group, id, remove)
        return None if old is None else _as_item(old, stream, group)

    async def get_group(self, stream: str, group: str) -> list[Item]:
        """All items of a group: the oldest first, those of the same millisecond by their ids."""
        found = await self._items.load_all(self._names.item_group(stream, group))
        return sorted((_as_item(json, stream, group) for json in found), key=_age)

    async def send(self, stream: str, group: str, id: str | None, type: object, data: object) -> None:
        """Sends an event to whoever follows a group, or one item of it. It is not kept.

        Raises `MotiaError` `INVALID_VALUE` for an event that does not fit into a message or that JSON cannot say.
        """
        if not isinstance(type, str):
            message = 'an event is a dict {"type": ..., "data": ...} with a text as type'
            raise MotiaError("INVALID_VALUE", message)
        json = to_json({"type": type, "data": data})
        if not fits_message(self._broker, len(json)):
            message = f'the event "{type}" is too large to be sent: store an item and send its id'
            raise MotiaError("INVALID_VALUE", message)
        names = self._names
        subject = names.sent_to_group(stream, group) if id is None else names.sent_to_item(stream, group, id)
        await publish_stored(self._broker, subject, json, {Header.MESSAGE_ID: str(uuid.uuid4())})

    async def _store(self, stream: str, group: str, id: str, make: Callable[[Any], Awaitable[Item]]) -> Item:
        """What `make` gives is stored under the item's id, and with the time of its creation."""
        made = b""

        async def change(json: bytes | None) -> bytes:
            nonlocal made
            current: Any = None if json is None else from_json(json)
            created_at = current.get("_createdAt") if current else None  # before it is given away
            data = await make(current)
            if data.get("_createdAt") is not None:
                created_at = data["_createdAt"]
            if created_at is None:
                created_at = int(time.time() * 1000)
            made = to_json({**data, "id": id, "_createdAt": created_at})
            return made

        await self._change(stream, group, id, change)
        return _as_item(made, stream, group)

    async def _change(self, stream: str, group: str, id: str, change: Change) -> None:
        key = self._names.item_key(stream, group, id)
        await self._changes.apply(key, change, to_names_header(key, (stream, group, id)))


def _to_data(value: object) -> Item:
    """What a handler gives for an item, as plain data."""
    data = from_json(to_json(value))
    if not isinstance(data, dict):
        raise MotiaError("INVALID_VALUE", f"an item of a stream is an object, not {kind_of(data)}")
    data.pop("__motia", None)  # of an item that was read
    return data


def _as_item(json: bytes, stream: str, group: str) -> Item:
    """An item as handlers see it."""
    item: Any = from_json(json)
    where = {"type": "state-stream", "streamName": stream, "groupId": group, "id": item["id"]}
    return {**item, "__motia": where}


def _age(item: Item) -> tuple[float, bytes]:
    created_at = item.get("_createdAt")
    is_number = isinstance(created_at, (int, float)) and not isinstance(created_at, bool)
    return (created_at if is_number else 0, text_order(item["id"]))  # type: ignore[return-value]
