"""Changes of a JSON value that are data themselves.

They mean the same in every language: `shared/protocol/golden/updates.json`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .errors import MotiaError
from .json_values import kind_of
from .steps.checks import is_number

_INDEX = re.compile(r"0|[1-9][0-9]{0,9}")


def apply_operations(value: Any, operations: Iterable[object]) -> Any:
    """The value after these operations, one after the other; the given one, `None` for nothing, stays as it is.

    Raises `MotiaError` `INVALID_VALUE` that names the operation which cannot be done.
    """
    for operation in operations:
        value = _apply(value, operation)
    return value


def _apply(value: Any, operation: object) -> Any:
    if not isinstance(operation, Mapping):
        raise _refused("an operation is an object with a type")
    type_, path = operation.get("type"), operation.get("path")
    what = f'{type_} "{path}"' if isinstance(path, str) and path else str(type_)
    keys = _to_keys(path, what)
    match type_:
        case "set":
            if "value" not in operation:
                raise _refused(f"{what}: no value is given")
            return _replace_at(value, keys, what, lambda _: operation["value"])
        case "merge":
            members = operation.get("value")
            if not isinstance(members, Mapping):
                raise _refused(f"{what}: what is merged has to be an object, not {kind_of(members)}")
            return _replace_at(value, keys, what, lambda old: {**_to_dict(old, what), **members})
        case "increment":
            return _replace_at(value, keys, what, lambda old: _add(old, operation.get("by", 1), 1, what))
        case "decrement":
            return _replace_at(value, keys, what, lambda old: _add(old, operation.get("by", 1), -1, what))
        case "remove":
            if not keys:
                raise _refused("remove: a path is needed")
            return _remove_at(value, keys, what)
        case _:
            raise _refused(f"there is no operation of type {type_!r}")


def _to_keys(path: object, what: str) -> list[str]:
    """The keys from the whole value to the place of a path: none if there is no path."""
    if path is None or path == "":
        return []
    if not isinstance(path, str):
        raise _refused(f"{what}: the path has to be a text, not {kind_of(path)}")
    return path.split(".")


def _replace_at(value: Any, keys: list[str], what: str, change: Callable[[Any], Any]) -> Any:
    """Replaces what is at a place, `None` for nothing. Objects on the way there are made where nothing is."""
    if not keys:
        return change(value)
    key, *rest = keys
    if isinstance(value, list):
        index = _to_index(key, len(value), what)
        old = value[index] if index < len(value) else None
        return [*value[:index], _replace_at(old, rest, what, change), *value[index + 1 :]]
    members = _to_dict(value, what)
    return {**members, key: _replace_at(members.get(key), rest, what, change)}


def _remove_at(value: Any, keys: list[str], what: str) -> Any:
    """Takes away what is at a place, if anything is."""
    key, *rest = keys
    if value is None:
        return None
    if isinstance(value, list):
        index = _to_index(key, len(value), what)
        if index == len(value):
            return value
        left = [_remove_at(value[index], rest, what)] if rest else []
        return [*value[:index], *left, *value[index + 1 :]]
    members = _to_dict(value, what)
    if key not in members:
        return members
    if rest:
        return {**members, key: _remove_at(members[key], rest, what)}
    return {name: member for name, member in members.items() if name != key}


def _to_index(key: str, length: int, what: str) -> int:
    """The index of an element, or of the one that may follow the last."""
    index = int(key) if _INDEX.fullmatch(key) else -1
    if not 0 <= index <= length:
        raise _refused(f'{what}: "{key}" is no index of a list of {length}')
    return index


def _to_dict(value: Any, what: str) -> Mapping[str, Any]:
    """What has members: `None` is taken for an object without any."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise _refused(f"{what}: there is {kind_of(value)} where an object has to be")
    return value


def _add(old: object, by: object, sign: int, what: str) -> int | float:
    if not is_number(by):
        raise _refused(f'{what}: "by" is {kind_of(by)}, not a number')
    if old is not None and not is_number(old):
        raise _refused(f"{what}: there is {kind_of(old)}, not a number")
    try:
        total = (old or 0) + sign * by  # type: ignore[operator]
    except OverflowError:  # an integer of hundreds of digits and a float
        total = math.inf
    if not is_number(total):
        raise _refused(f"{what}: the result is too large for a number")
    return total


def _refused(message: str) -> MotiaError:
    return MotiaError("INVALID_VALUE", message)
