"""State: JSON values by group and key in a KV bucket. Any string is a valid group and key."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from ..json_values import JsonValue, from_json, to_json
from ..protocol.subjects import Names
from .change_queue import ChangeQueue
from .connect import Broker
from .json_bucket import JsonBucket

ValueChange: TypeAlias = Callable[[Any], Awaitable[object]]
"""Makes the next value from the present one, `None` for nothing. May be called several times."""


class StateStore:
    """The state of one app."""

    def __init__(self, broker: Broker, names: Names) -> None:
        self._names = names
        self._values = JsonBucket(broker, names.buckets.state, names.buckets.values)
        self._changes = ChangeQueue(self._values)

    async def get(self, group: str, key: str) -> JsonValue:
        """The value, or `None`."""
        return _parse((await self._values.load(self._names.state_key(group, key))).json)

    async def set(self, group: str, key: str, value: object) -> None:
        """Stores a value.

        Raises `MotiaError` `INVALID_VALUE` for what JSON cannot say, `STORE_FULL` when the broker has no room.
        """
        await self._values.write(self._names.state_key(group, key), to_json(value))

    async def update(self, group: str, key: str, change: ValueChange) -> JsonValue:
        """Changes a value, whoever else does so at the same time, and gives the new one.

        Raises what the change raises, and what `set` does. Then nothing is stored.
        """
        made = b""

        async def make(json: bytes | None) -> bytes:
            nonlocal made
            made = to_json(await change(_parse(json)))
            return made

        await self._changes.apply(self._names.state_key(group, key), make)
        return from_json(made)

    async def delete(self, group: str, key: str) -> JsonValue:
        """Removes the value and gives it back, or `None`."""
        return _parse(await self._values.remove(self._names.state_key(group, key)))

    async def get_group(self, group: str) -> list[JsonValue]:
        """All values of a group, in no promised order."""
        return [from_json(json) for json in await self._values.load_all(self._names.state_group(group))]

    async def clear(self, group: str) -> None:
        """Removes all values of a group."""
        await self._values.purge(self._names.state_group(group))


def _parse(json: bytes | None) -> JsonValue:
    return None if json is None else from_json(json)
