"""The contract of what is stored, as handlers see it: state, realtime streams, and the changes that `update` makes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol, TypeAlias, TypedDict, TypeVar

Value = TypeVar("Value")


class _OperationPath(TypedDict, total=False):
    path: str


class _OperationBy(_OperationPath, total=False):
    by: float
    """1 by default."""


class SetOperation(_OperationPath):
    """Replaces a value, or a part of it."""

    type: Literal["set"]
    value: Any


class MergeOperation(_OperationPath):
    """Adds members to an object, or replaces those that it has."""

    type: Literal["merge"]
    value: Mapping[str, Any]


class AddOperation(_OperationBy):
    """Adds to a number, or takes from it. Nothing counts as 0."""

    type: Literal["increment", "decrement"]


class RemoveOperation(TypedDict):
    """Takes a part of a value away."""

    type: Literal["remove"]
    path: str


UpdateOperation: TypeAlias = SetOperation | MergeOperation | AddOperation | RemoveOperation
"""One change of a JSON value.

`path` leads to a part of it: the keys from outside in, with dots between them (`"a.b"`); in a list they are indices.
Without one the whole value is meant. What is missing on the way is made, except by `remove`.
"""
UpdateChange: TypeAlias = Sequence[UpdateOperation] | Callable[[Any], Any]
"""What `update` takes: a function, `def` or `async def`, from the present value to the new one, or operations that are
done one after the other."""


class _StateEntry(TypedDict):
    value: Any
    revision: int
    """A whole number above 0, which each change of the value makes greater."""


class StateEntry(_StateEntry, total=False):
    """A stored value and what is known of it."""

    expiresAt: int
    """When the value goes by itself, in ms since 1970."""


class StateItem(StateEntry):
    """The same in a page of a group."""

    key: str


class _StatePage(TypedDict):
    items: list[StateItem]


class StatePage(_StatePage, total=False):
    """Some of the values of a group."""

    next: str
    """There may be more: `after` of the next page."""


class StateGroup(TypedDict):
    """A group, and how many keys it has."""

    group: str
    keys: int


class _StateGroupPage(TypedDict):
    items: list[StateGroup]


class StateGroupPage(_StateGroupPage, total=False):
    """Some of the groups."""

    next: str
    """There may be more: `after` of the next page."""


class StateManager(Protocol):
    """Values shared by all steps, kept by the broker. Any text is a valid group and key.

    Calls begin at once, awaited or not, and are done before the run ends.
    """

    async def get(self, group: str, key: str) -> Any:
        """The stored value. A dict reads directly and through `["data"]`, as it did in Motia 0.17.

        What is not there gives a value that is falsy, equals `None`, answers `.get("data")` with `None`, and has
        `is_missing`. It is not `None` itself: ask `if not value` or `value == None`, not `value is None`.
        """

    async def get_entry(self, group: str, key: str) -> StateEntry | None:
        """The stored value with its revision, or `None` if nothing is there."""
        ...

    async def set(
        self, group: str, key: str, value: Value, *, ttl: int | None = None, if_revision: int | None = None
    ) -> Value:
        """Stores a JSON value (falsy ones included) and returns it.

        `ttl`: whole seconds, 1 to 315,360,000, after which the value goes by itself; a later `set` without it ends it.
        `if_revision`: stores the value only if what is there has this revision, 0 meaning that nothing is there, and
        otherwise raises `RevisionConflictError`, a `MotiaError` with the `revision` of what is there.
        """
        ...

    async def update(self, group: str, key: str, change: UpdateChange) -> Any:
        """Changes a value in one step, whoever else changes it at the same time, in any language. Gives the new one.

        A function is given the present value, `None` for nothing, and returns the new one; it runs on the event loop.
        It may be called several times, so it should do nothing else, and it holds up all other updates of this key. If
        it raises, nothing is stored.
        """

    async def delete(self, group: str, key: str) -> Any:
        """Removes a value and returns it, or `None`."""

    async def get_group(self, group: str) -> list[Any]:
        """All values of a group, in no promised order."""
        ...

    async def get_group_page(self, group: str, *, limit: int | None = None, after: str | None = None) -> StatePage:
        """Some of the values of a group with their keys, those first that were not changed for the longest time.

        `limit`: 1 to 1,000, 100 without it; a page has fewer items when they are large. `after`: `next` of the page
        before. A value that is changed while pages are read comes again, in a later one; none is left out.
        """
        ...

    async def list_groups(self, *, limit: int | None = None, after: str | None = None) -> StateGroupPage:
        """Some of the groups that there are. `limit` and `after` are those of `get_group_page`."""
        ...

    async def clear(self, group: str) -> None:
        """Removes all values of a group."""


class SyncStateManager(Protocol):
    """`StateManager` as a plain `def` handler sees it: each call returns when it is done."""

    def get(self, group: str, key: str) -> Any: ...
    def get_entry(self, group: str, key: str) -> StateEntry | None: ...
    def set(
        self, group: str, key: str, value: Value, *, ttl: int | None = None, if_revision: int | None = None
    ) -> Value: ...
    def update(self, group: str, key: str, change: UpdateChange) -> Any: ...
    def delete(self, group: str, key: str) -> Any: ...
    def get_group(self, group: str) -> list[Any]: ...
    def get_group_page(self, group: str, *, limit: int | None = None, after: str | None = None) -> StatePage: ...
    def list_groups(self, *, limit: int | None = None, after: str | None = None) -> StateGroupPage: ...
    def clear(self, group: str) -> None: ...


class StreamManager(Protocol):
    """A realtime collection of items, which are given back with their `id`, `_createdAt` (ms) and `__motia`."""

    async def get(self, group_id: str, id: str) -> dict[str, Any] | None: ...
    async def set(self, group_id: str, id: str, item: Mapping[str, Any]) -> dict[str, Any]:
        """Stores an item and gives it as stored. `id` wins over one in the item."""
        ...

    async def update(self, group_id: str, id: str, change: UpdateChange) -> dict[str, Any]:
        """Changes an item in one step, as `StateManager.update` does a value, and gives it as stored."""
        ...

    async def delete(self, group_id: str, id: str) -> dict[str, Any] | None:
        """Removes an item and gives it, or `None`."""

    async def get_group(self, group_id: str) -> list[dict[str, Any]]:
        """All items of a group, the oldest first."""
        ...

    async def send(self, channel: Mapping[str, str], event: Mapping[str, Any]) -> None:
        """Sends `{"type": ..., "data": ...}` to whoever follows `{"groupId": ..., "id": ...}`, or all of a group."""


class SyncStreamManager(Protocol):
    """`StreamManager` as a plain `def` handler sees it: each call returns when it is done."""

    def get(self, group_id: str, id: str) -> dict[str, Any] | None: ...
    def set(self, group_id: str, id: str, item: Mapping[str, Any]) -> dict[str, Any]: ...
    def update(self, group_id: str, id: str, change: UpdateChange) -> dict[str, Any]: ...
    def delete(self, group_id: str, id: str) -> dict[str, Any] | None: ...
    def get_group(self, group_id: str) -> list[dict[str, Any]]: ...
    def send(self, channel: Mapping[str, str], event: Mapping[str, Any]) -> None: ...


class Streams(Protocol):
    """The project's streams by name: `streams.chat` or `streams["chat"]`."""

    def __getattr__(self, name: str) -> StreamManager: ...
    def __getitem__(self, name: str) -> StreamManager: ...


class SyncStreams(Protocol):
    """`Streams` as a plain `def` handler sees them."""

    def __getattr__(self, name: str) -> SyncStreamManager: ...
    def __getitem__(self, name: str) -> SyncStreamManager: ...
