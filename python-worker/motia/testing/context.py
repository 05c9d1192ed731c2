"""The context of a handler that a test calls by itself: it records everything, and keeps values in memory."""

from __future__ import annotations

import copy
import inspect
import time
import uuid
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock, MagicMock

from ..errors import RevisionConflictError
from ..handler.state_value import to_state_value
from ..update_operations import apply_operations

Mock = Callable[..., Any]


class MockContext:
    """Fits every handler. `emit`, the logger and the methods of state and streams are mocks of `unittest.mock`."""

    def __init__(self, *, sync: bool, state: Mapping[str, Mapping[str, Any]], trace_id: str, attempt: int) -> None:
        self._emitted: list[dict[str, Any]] = []
        self.emit: Any = _mock(self._emit, sync)
        self.logger: Any = MagicMock(name="logger")
        self.logger.child.return_value = self.logger
        self.state: Any = _mocks(_MemoryState(state), sync)
        self.streams: Any = _Streams(sync)
        self.trace_id = self.traceId = trace_id
        self.flows: list[str] = []
        self.attempt = attempt

    def emitted(self, topic: str | None = None) -> list[dict[str, Any]]:
        """The events that were emitted, in their order; of one topic, if it is given."""
        return [event for event in self._emitted if topic is None or event["topic"] == topic]

    def _emit(self, event: Mapping[str, Any] | None = None, /, **fields: Any) -> None:
        emitted = dict(event) if event is not None else fields
        if "message_group_id" in emitted:
            emitted["messageGroupId"] = emitted.pop("message_group_id")
        self._emitted.append(copy.deepcopy(emitted))


def create_mock_context(
    *,
    sync: bool = False,
    state: Mapping[str, Mapping[str, Any]] | None = None,
    trace_id: str | None = None,
    attempt: int = 1,
) -> MockContext:
    """Makes a context for an `async def` handler, or with `sync` for a plain `def`.

    `state` has the values that are there at first, by group and key.
    """
    return MockContext(sync=sync, state=state or {}, trace_id=trace_id or uuid.uuid4().hex, attempt=attempt)


class _Memory:
    """Values by group and key, copied on their way in and out as a broker does."""

    def __init__(self) -> None:
        self.groups: dict[str, dict[str, Any]] = {}
        self.revisions: dict[tuple[str, str], int] = {}
        self._revision = 0

    def read(self, group: str, key: str) -> Any:
        return copy.deepcopy(self.groups.get(group, {}).get(key))

    def write(self, group: str, key: str, value: Any) -> None:
        self._revision += 1
        self.revisions[group, key] = self._revision
        self.groups.setdefault(group, {})[key] = copy.deepcopy(value)

    def remove(self, group: str, key: str) -> Any:
        self.revisions.pop((group, key), None)
        return self.groups.get(group, {}).pop(key, None)

    def changed(self, group: str, key: str, change: Any, current: Any) -> Any:
        return change(current) if callable(change) else apply_operations(current, change)


class _MemoryState:
    def __init__(self, given: Mapping[str, Mapping[str, Any]]) -> None:
        self._memory = _Memory()
        for group, values in given.items():
            for key, value in values.items():
                self._memory.write(group, key, value)

    def get(self, group: str, key: str) -> Any:
        return to_state_value(self._memory.read(group, key))

    def get_entry(self, group: str, key: str) -> Any:
        revision = self._memory.revisions.get((group, key))
        return None if revision is None else {"value": self._memory.read(group, key), "revision": revision}

    def set(self, group: str, key: str, value: Any, *, ttl: int | None = None, if_revision: int | None = None) -> Any:
        revision = self._memory.revisions.get((group, key), 0)
        if if_revision is not None and if_revision != revision:
            raise RevisionConflictError(if_revision, revision)
        self._memory.write(group, key, value)
        return value

    def update(self, group: str, key: str, change: Any) -> Any:
        self._memory.write(group, key, self._memory.changed(group, key, change, self._memory.read(group, key)))
        return self._memory.read(group, key)

    def delete(self, group: str, key: str) -> Any:
        return self._memory.remove(group, key)

    def get_group(self, group: str) -> list[Any]:
        return copy.deepcopy(list(self._memory.groups.get(group, {}).values()))

    def get_group_page(self, group: str, *, limit: int | None = None, after: str | None = None) -> dict[str, Any]:
        return {"items": [{"key": key, **self.get_entry(group, key)} for key in self._memory.groups.get(group, {})]}

    def list_groups(self, *, limit: int | None = None, after: str | None = None) -> dict[str, Any]:
        sizes = {group: len(values) for group, values in self._memory.groups.items() if values}
        return {"items": [{"group": group, "keys": keys} for group, keys in sizes.items()]}

    def clear(self, group: str) -> None:
        for key in list(self._memory.groups.get(group, {})):
            self._memory.remove(group, key)


class _MemoryStream:
    def __init__(self, name: str) -> None:
        self._name = name
        self._memory = _Memory()

    def get(self, group_id: str, id: str) -> dict[str, Any] | None:
        return self._item(group_id, self._memory.read(group_id, id))

    def set(self, group_id: str, id: str, item: Mapping[str, Any]) -> dict[str, Any]:
        before = self._memory.read(group_id, id) or {}
        created = item.get("_createdAt") or before.get("_createdAt") or round(time.time() * 1000)
        own = {key: value for key, value in item.items() if key != "__motia"}
        self._memory.write(group_id, id, {**own, "id": id, "_createdAt": created})
        return self._item(group_id, self._memory.read(group_id, id)) or {}

    def update(self, group_id: str, id: str, change: Any) -> dict[str, Any]:
        return self.set(group_id, id, self._memory.changed(group_id, id, change, self.get(group_id, id)))

    def delete(self, group_id: str, id: str) -> dict[str, Any] | None:
        return self._item(group_id, self._memory.remove(group_id, id))

    def get_group(self, group_id: str) -> list[dict[str, Any]]:
        values = self._memory.groups.get(group_id, {}).values()
        return [item for value in values if (item := self._item(group_id, copy.deepcopy(value)))]

    def send(self, channel: Mapping[str, str], event: Mapping[str, Any]) -> None:
        pass

    def _item(self, group_id: str, value: dict[str, Any] | None) -> dict[str, Any] | None:
        if value is None:
            return None
        where = {"type": "state-stream", "streamName": self._name, "groupId": group_id, "id": value["id"]}
        return {**value, "__motia": where}


class _Streams:
    """Any stream by any name, as handlers have them."""

    def __init__(self, sync: bool) -> None:
        self._sync = sync
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = _mocks(_MemoryStream(name), self._sync)
        return self._made[name]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self[name]


def _mock(act: Mock, sync: bool) -> Any:
    return MagicMock(side_effect=act) if sync else AsyncMock(side_effect=act)


def _mocks(owner: object, sync: bool) -> SimpleNamespace:
    """Each method of something as a mock, under its name in the other languages, too."""
    methods = inspect.getmembers(owner, inspect.ismethod)
    mocks = {name: _mock(method, sync) for name, method in methods if not name.startswith("_")}
    others = {_camel(name): mock for name, mock in mocks.items()}
    return SimpleNamespace(**{**others, **mocks})


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
