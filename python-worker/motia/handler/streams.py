"""Realtime streams as one run sees them; their contract is `StreamManager` in `motia/stored_types.py`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from ..broker.streams import StreamStore
from ..errors import MotiaError
from .active_run import ActiveRun
from .perform import perform, to_name, to_value_change
from .services import Services

T = TypeVar("T")


class Streams:
    """Any stream by any name: whether there is one is seen when an operation on it is called."""

    __slots__ = ("_run", "_services")

    def __init__(self, run: ActiveRun, services: Services) -> None:
        self._run = run
        self._services = services

    def __getattr__(self, name: str) -> Stream:
        if name.startswith("__"):
            raise AttributeError(name)
        return self[name]

    def __getitem__(self, name: str) -> Stream:
        return Stream(name, self._run, self._services)


class Stream:
    """One stream."""

    __slots__ = ("_name", "_run", "_services")

    def __init__(self, name: str, run: ActiveRun, services: Services) -> None:
        self._name = name
        self._run = run
        self._services = services

    def get(self, group_id: object, id: object) -> Any:
        g, i = _to_text(group_id), _to_text(id)
        return self._perform("get", lambda store: store.get(self._name, g, i), g, i)

    def set(self, group_id: object, id: object, item: object) -> Any:
        g, i = _to_text(group_id), _to_text(id)
        return self._perform("set", lambda store: store.set(self._name, g, i, item), g, i)

    def update(self, group_id: object, id: object, change: object) -> Any:
        g, i, make = _to_text(group_id), _to_text(id), to_value_change(self._run, change)
        return self._perform("update", lambda store: store.update(self._name, g, i, make), g, i)

    def delete(self, group_id: object, id: object) -> Any:
        g, i = _to_text(group_id), _to_text(id)
        return self._perform("delete", lambda store: store.delete(self._name, g, i), g, i)

    def get_group(self, group_id: object) -> Any:
        g = _to_text(group_id)
        return self._perform("getGroup", lambda store: store.get_group(self._name, g), g)

    getGroup = get_group  # its name in the other languages

    def send(self, channel: object, event: object) -> Any:
        if not isinstance(channel, Mapping) or not isinstance(event, Mapping):
            message = 'send() needs a channel {"groupId": ..., "id": ...} and an event {"type": ..., "data": ...}'
            raise MotiaError("INVALID_VALUE", message)
        g, id = _to_text(channel.get("groupId")), channel.get("id")
        i = None if id is None else _to_text(id)
        type, data = event.get("type"), event.get("data")
        return self._perform("send", lambda store: store.send(self._name, g, i, type, data), g, i)

    def _perform(
        self, name: str, operation: Callable[[StreamStore], Awaitable[T]], group: str, id: str | None = None
    ) -> Any:
        attributes = {"motia.stream": self._name, "motia.stream.group": group}
        if id is not None:
            attributes["motia.stream.id"] = id

        async def have() -> T:
            await self._services.stream_names.check(self._name)
            return await operation(await self._services.streams())

        return perform(self._run, self._services.tracing, "stream", name, attributes, have)


def _to_text(value: object) -> str:
    return to_name(value, "groups and ids of streams")
