"""State as one run sees it; its contract is `StateManager` in `motia/stored_types.py`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from json import dumps
from typing import Any, TypeVar

from ..broker.state import StateStore
from ..errors import MotiaError
from ..steps.manifest import StepEntry
from .active_run import ActiveRun
from .perform import perform, to_name, to_value_change
from .services import Services
from .state_value import to_state_value

T = TypeVar("T")


class State:
    """The state manager of one run."""

    __slots__ = ("_run", "_services")

    def __init__(self, run: ActiveRun, services: Services) -> None:
        self._run = run
        self._services = services

    def get(self, group: object, key: object) -> Any:
        g, k = _to_text(group), _to_text(key)

        async def get(store: StateStore) -> object:
            return to_state_value(await store.get(g, k))

        return self._perform("get", get, g, k)

    def get_entry(self, group: object, key: object) -> Any:
        g, k = _to_text(group), _to_text(key)
        return self._perform("getEntry", lambda store: store.get_entry(g, k), g, k)

    getEntry = get_entry  # its name in the other languages

    def set(
        self, group: object, key: object, value: object, *, ttl: int | None = None, if_revision: int | None = None
    ) -> Any:
        g, k = _to_text(group), _to_text(key)

        async def set_(store: StateStore) -> object:
            await store.set(g, k, value, ttl, if_revision)
            return value

        return self._perform("set", set_, g, k)

    def update(self, group: object, key: object, change: object) -> Any:
        g, k, make = _to_text(group), _to_text(key), to_value_change(self._run, change)
        return self._perform("update", lambda store: store.update(g, k, make), g, k)

    def delete(self, group: object, key: object) -> Any:
        g, k = _to_text(group), _to_text(key)
        return self._perform("delete", lambda store: store.delete(g, k), g, k)

    def get_group(self, group: object) -> Any:
        g = _to_text(group)
        return self._perform("getGroup", lambda store: store.get_group(g), g)

    getGroup = get_group  # its name in the other languages

    def get_group_page(self, group: object, *, limit: object = None, after: object = None) -> Any:
        g = _to_text(group)
        return self._perform("getGroupPage", lambda store: store.get_group_page(g, limit, after), g)

    getGroupPage = get_group_page

    def list_groups(self, *, limit: object = None, after: object = None) -> Any:
        return self._perform("listGroups", lambda store: store.list_groups(limit, after))

    listGroups = list_groups

    def clear(self, group: object) -> Any:
        g = _to_text(group)
        return self._perform("clear", lambda store: store.clear(g), g)

    def _perform(
        self,
        name: str,
        operation: Callable[[StateStore], Awaitable[T]],
        group: str | None = None,
        key: str | None = None,
    ) -> Any:
        entry = self._run.step.entry
        _check_group(entry, group)
        attributes: dict[str, str] = {}
        if group is not None:
            attributes["motia.state.group"] = group
        if key is not None:
            attributes["motia.state.key"] = key

        async def have() -> T:
            return await operation(await self._services.state("stateGroups" in entry))

        return perform(self._run, self._services.tracing, "state", name, attributes, have)


def _to_text(value: object) -> str:
    return to_name(value, "groups and keys of state")


def _check_group(step: StepEntry, group: str | None) -> None:
    """`group` is `None` for what concerns all of them.

    Raises `MotiaError` `STATE_GROUP_NOT_DECLARED` if the step names its groups and this is none of them.
    """
    declared = step.get("stateGroups")
    if declared is None or group in declared:
        return
    what = "all groups of state" if group is None else f"the group of state {dumps(group, ensure_ascii=False)}"
    advice = "remove its stateGroups" if group is None else "add that to its stateGroups"
    raise MotiaError("STATE_GROUP_NOT_DECLARED", f"{step['name']} may not touch {what}: {advice} in {step['file']}")
