"""State: JSON values by group and key in a KV bucket. Any string is a valid group and key."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias

from ..errors import MotiaError
from ..json_values import JsonValue, from_json, to_json
from ..protocol.encoding import decode_token
from ..protocol.entry_names import names_of, to_names_header
from ..protocol.headers import Header
from ..protocol.subjects import Names
from ..stored_types import StateEntry, StateGroupPage, StatePage
from .change_queue import ChangeQueue
from .connect import Broker
from .group_list import list_groups
from .json_bucket import EntryFields, JsonBucket, expiry_of
from .key_value import WHOLE_BUCKET, Entry, Reach, read_page
from .page import to_limit, to_position

ValueChange: TypeAlias = Callable[[Any], Awaitable[object]]
"""Makes the next value from the present one, `None` for nothing. May be called several times."""

# Ten years.
_LONGEST_TTL_S: Final = 315_360_000
_LARGEST_REVISION: Final = 2**53 - 1


class StateStore:
    """The state of one app. `reach`: what the broker lets this user do; to list groups takes all of it."""

    def __init__(self, broker: Broker, names: Names, reach: Reach = WHOLE_BUCKET) -> None:
        self._broker = broker
        self._names = names
        self._values = JsonBucket(broker, names.buckets.state, names.buckets.values, reach=reach)
        self._changes = ChangeQueue(self._values)

    async def get(self, group: str, key: str) -> JsonValue:
        """The value, or `None`."""
        return _parse((await self._values.load(self._names.state_key(group, key))).json)

    async def get_entry(self, group: str, key: str) -> StateEntry | None:
        """The value and what is known of it, or `None`."""
        stored = await self._values.load(self._names.state_key(group, key))
        return None if stored.json is None or stored.last is None else _to_entry(stored.last, stored.json)

    async def set(
        self, group: str, key: str, value: object, ttl: int | None = None, if_revision: int | None = None
    ) -> None:
        """Stores a value.

        Raises `MotiaError` `INVALID_VALUE` for what JSON cannot say and for wrong options, `STORE_FULL` when the broker
        has no room, `REVISION_CONFLICT` if what is there is not at `if_revision`.
        """
        json = to_json(value)
        if not (ttl is None or _is_whole(ttl, 1, _LONGEST_TTL_S)):
            raise MotiaError("INVALID_VALUE", f"ttl is a whole number of seconds from 1 to {_LONGEST_TTL_S}")
        if not (if_revision is None or _is_whole(if_revision, 0, _LARGEST_REVISION)):
            raise MotiaError("INVALID_VALUE", "if_revision is a revision, or 0 for nothing")
        at = self._names.state_key(group, key)
        expires_at = None if ttl is None else int(time.time() * 1000) + ttl * 1000
        fields = EntryFields(to_names_header(at, (group, key)), expires_at)
        if if_revision is None:
            await self._values.write(at, json, fields)
        else:
            await self._values.write_if(at, json, if_revision, fields)

    async def update(self, group: str, key: str, change: ValueChange) -> JsonValue:
        """Changes a value, whoever else does so at the same time, and gives the new one.

        Raises what the change raises, and what `set` does. Then nothing is stored.
        """
        made = b""

        async def make(json: bytes | None) -> bytes:
            nonlocal made
            made = to_json(await change(_parse(json)))
            return made

        at = self._names.state_key(group, key)
        await self._changes.apply(at, make, to_names_header(at, (group, key)))
        return from_json(made)

    async def delete(self, group: str, key: str) -> JsonValue:
        """Removes the value and gives it back, or `None`."""
        return _parse(await self._values.remove(self._names.state_key(group, key)))

    async def get_group(self, group: str) -> list[JsonValue]:
        """All values of a group, in no promised order."""
        return [from_json(json) for json in await self._values.load_all(self._names.state_group(group))]

    async def get_group_page(self, group: str, limit: object = None, after: object = None) -> StatePage:
        """Some of the values of a group, in the order of their revisions.

        Raises `MotiaError` `INVALID_VALUE` for a wrong `limit` or `after`.
        """
        position, most = to_position(after), to_limit(limit)
        found = await self._values.load_page(self._names.state_group(group), position, most)
        page: StatePage = {
            "items": [{"key": _name_at(entry, 1), **_to_entry(entry, json)} for entry, json in found.items]
        }
        if found.next is not None:
            page["next"] = str(found.next)
        return page

    async def list_groups(self, limit: object = None, after: object = None) -> StateGroupPage:
        """Some of the groups. Raises `MotiaError` `INVALID_VALUE` for a wrong `limit` or `after`."""
        if not (after is None or isinstance(after, str)):
            raise MotiaError("INVALID_VALUE", "`after` is the `next` of the page before")
        groups, next = await list_groups(self._broker, self._names.buckets.state, limit, after)
        page: StateGroupPage = {
            "items": [{"group": await self._group_of(token), "keys": keys} for token, keys in groups]
        }
        if next is not None:
            page["next"] = next
        return page

    async def clear(self, group: str) -> None:
        """Removes all values of a group."""
        await self._values.purge(self._names.state_group(group))

    async def _group_of(self, token: str) -> str:
        """The name behind a token; if it was shortened, an entry of the group says it."""
        name = decode_token(token)
        if name is not None:
            return name
        found = await read_page(self._broker, self._names.buckets.state, f"{token}.*", 0, 1)
        return _name_at(found.entries[0], 0) if found.entries else token


def _is_whole(value: object, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _to_entry(entry: Entry, json: bytes) -> StateEntry:
    known: StateEntry = {"value": _parse(json), "revision": entry.revision}
    expires_at = expiry_of(entry)
    if expires_at is not None:
        known["expiresAt"] = expires_at
    return known


def _name_at(entry: Entry, position: int) -> str:
    return names_of(entry.key, entry.header(Header.NAMES))[position]


def _parse(json: bytes | None) -> JsonValue:
    return None if json is None else from_json(json)
