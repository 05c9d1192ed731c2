"""Turns whatever user code logs into plain JSON values, without ever raising or running away."""

from __future__ import annotations

import dataclasses
import math
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Set
from enum import Enum
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

from .protocol.encoding import well_formed
from .redaction import DEFAULT_REDACTION, REDACTED, Redaction

# More than this many values in one record are not looked at.
_MOST_VALUES = 5_000
_DEEPEST = 32
# Keys that the logger writes itself; a second one of the same name would hide it.
_OURS = frozenset({"level", "time", "msg"})
# Beyond it JSON writers give up.
_SMALLEST_INTEGER, _LARGEST_INTEGER = -(2**63), 2**64 - 1


@dataclasses.dataclass(slots=True)
class _Walk:
    redaction: Redaction
    left: int = _MOST_VALUES
    path: list[int] = dataclasses.field(default_factory=list)
    """Identities of the objects around the current one, to notice cycles."""
    keys: list[str] = dataclasses.field(default_factory=list)
    """The keys that lead to it."""


def safe_fields(value: object, redaction: Redaction = DEFAULT_REDACTION) -> dict[str, object]:
    """The fields of a log record: those of a mapping or object, or `{"value": ...}` for anything else.

    A field named as one of the logger's own gets an underscore in front, and secrets are left out. Total: cycles, huge
    integers, properties that raise and hostile classes give a text in their place.
    """
    if value is None:
        return {}
    plain = _safe(value, _Walk(redaction))
    if not isinstance(plain, dict):
        return {"value": plain}
    return {f"_{key}" if key in _OURS else key: field for key, field in plain.items()}


def _safe(value: object, walk: _Walk) -> object:
    kind = type(value)
    if value is None or kind is bool:
        return value
    if kind is str:
        return well_formed(str(value))
    if kind is int or kind is float:
        return _safe_number(value)
    if id(value) in walk.path:
        return "[circular]"
    walk.left -= 1
    if len(walk.path) >= _DEEPEST or walk.left < 0:
        return "[cut off]"
    walk.path.append(id(value))
    try:
        return _safe_object(value, walk)
    except Exception:
        return "[unreadable]"
    finally:
        walk.path.pop()


def _safe_number(value: object) -> object:
    if isinstance(value, float):
        if math.isfinite(value):
            return float(value)
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, int):
        return int(value) if _SMALLEST_INTEGER <= value <= _LARGEST_INTEGER else _digits(value)
    return value


def _digits(value: int) -> str:
    try:
        return str(int(value))
    except ValueError:  # Python refuses to write thousands of digits
        return hex(value)


def _safe_object(value: Any, walk: _Walk) -> object:
    if isinstance(value, Enum):
        return _safe(value.value, walk)
    if isinstance(value, str):
        return well_formed(str(value))
    if isinstance(value, (int, float)):
        return _safe_number(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return f"[{memoryview(value).nbytes} bytes]"
    if isinstance(value, (FunctionType, BuiltinFunctionType, MethodType, type)):
        return "[function]"
    if isinstance(value, BaseException):
        return _safe_exception(value, walk)
    if hasattr(type(value), "__json__"):
        return _safe(value.__json__(), walk)
    if isinstance(value, Mapping):
        return _safe_entries(((str(key), lambda item=item: item) for key, item in value.items()), walk)
    if isinstance(value, (list, tuple, Set, deque)):
        return _safe_list(value, walk)
    if dataclasses.is_dataclass(value):
        return _safe_entries(_readers(value, (field.name for field in dataclasses.fields(value))), walk)
    dump = getattr(value, "model_dump", None)
    if callable(dump):
        return _safe(dump(), walk)
    # Whoever says how an object of the class is shown knows best; for others it is what they hold.
    if type(value).__repr__ is object.__repr__ and type(value).__str__ is object.__str__ and hasattr(value, "__dict__"):
        return _safe_entries(_readers(value, vars(value)), walk)
    return well_formed(str(value))


def _safe_exception(error: BaseException, walk: _Walk) -> object:
    cause = error.__cause__ if error.__cause__ or error.__suppress_context__ else error.__context__
    readers: dict[str, Callable[[], object]] = {
        "name": lambda: type(error).__name__,
        "message": lambda: str(error),
        "stack": lambda: "".join(traceback.format_exception(error, chain=False)).rstrip(),
    }
    if cause is not None:
        readers["cause"] = lambda: cause
    readers.update(_readers(error, vars(error)))
    return _safe_entries(readers.items(), walk)


def _safe_list(items: Iterable[object], walk: _Walk) -> list[object]:
    safe: list[object] = []
    for item in items:
        walk.left -= 1
        if walk.left < 0:
            return [*safe, "[cut off]"]
        walk.keys.append(str(len(safe)))
        try:
            safe.append(_safe(item, walk))
        finally:
            walk.keys.pop()
    return safe


def _readers(holder: object, names: Iterable[str]) -> list[tuple[str, Callable[[], object]]]:
    return [(name, lambda name=name: getattr(holder, name)) for name in names]


def _safe_entries(readers: Iterable[tuple[str, Callable[[], object]]], walk: _Walk) -> dict[str, object]:
    fields: dict[str, object] = {}
    for key, read in readers:
        walk.left -= 1
        if walk.left < 0:
            break
        if walk.redaction.hides(key, walk.keys):
            fields[well_formed(key)] = REDACTED
            continue
        walk.keys.append(key)
        try:
            item = _safe(read(), walk)
        except Exception:
            item = "[unreadable]"
        finally:
            walk.keys.pop()
        fields[well_formed(key)] = item
    return fields
