"""Checks of plain data, to build rules from. Messages have the words that the TypeScript worker's library uses."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from .validation import ValidationIssue

Issues: TypeAlias = list[ValidationIssue]
Check: TypeAlias = Callable[[object, str], Issues]
"""What is wrong with a value that stands at a path."""

_LARGEST_INTEGER = 2**53 - 1


class _Missing:
    """Stands for the value of a key that is not there."""


_MISSING = _Missing()


@dataclass(frozen=True, slots=True)
class Optional:
    """Marks a key that may be left out, or be `None`."""

    check: Check


def _wrong_kind(expected: str, value: object, path: str) -> Issues:
    return [ValidationIssue(path, f"Invalid input: expected {expected}, received {_kind(value)}")]


def _kind(value: object) -> str:
    """What JSON calls it."""
    match value:
        case _Missing():
            return "undefined"
        case None:
            return "null"
        case bool():
            return "boolean"
        case float() if not math.isfinite(value):
            return "NaN" if math.isnan(value) else "Infinity"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list() | tuple():
            return "array"
        case Mapping():
            return "object"
        case _:
            return "function" if callable(value) else type(value).__name__


def text(value: object, path: str) -> Issues:
    """Any text."""
    return [] if isinstance(value, str) else _wrong_kind("string", value, path)


def filled_text(value: object, path: str) -> Issues:
    """Any text but the empty one."""
    if value == "":
        return [ValidationIssue(path, "Too small: expected string to have >=1 characters")]
    return text(value, path)


def explained(explain: Callable[[str], str | None]) -> Check:
    """A text that a function finds nothing wrong with."""

    def check(value: object, path: str) -> Issues:
        message = explain(value) if isinstance(value, str) else None
        return text(value, path) if message is None else [ValidationIssue(path, message)]

    return check


def flag(value: object, path: str) -> Issues:
    """True or false."""
    return [] if isinstance(value, bool) else _wrong_kind("boolean", value, path)


def one_of(*options: str) -> Check:
    """One of these texts."""
    message = "Invalid option: expected one of " + "|".join(f'"{option}"' for option in options)
    return lambda value, path: [] if value in options else [ValidationIssue(path, message)]


def is_number(value: object) -> bool:
    """Whether JSON would call it a number."""
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


def number(
    at_least: float = -math.inf, at_most: float = math.inf, *, above: float = -math.inf, whole: bool = False
) -> Check:
    """A number in a range."""

    def check(value: object, path: str) -> Issues:
        if not isinstance(value, (int, float)) or not is_number(value):
            return _wrong_kind("number", value, path)
        if whole and value != int(value):
            return _wrong_kind("int", value, path)
        if value < at_least:
            return [ValidationIssue(path, f"Too small: expected number to be >={at_least}")]
        if value <= above:
            return [ValidationIssue(path, f"Too small: expected number to be >{above}")]
        if value > at_most:
            return [ValidationIssue(path, f"Too big: expected number to be <={at_most}")]
        if whole and value > _LARGEST_INTEGER:
            return [ValidationIssue(path, f"Too big: expected int to be <={_LARGEST_INTEGER}")]
        return []

    return check


def list_of(check_item: Check) -> Check:
    """A list of such items."""

    def check(value: object, path: str) -> Issues:
        if not isinstance(value, (list, tuple)):
            return _wrong_kind("array", value, path)
        return [issue for index, item in enumerate(value) for issue in check_item(item, f"{path}.{index}")]

    return check


def record_of(check_item: Check) -> Check:
    """A dict with any keys and such values."""

    def check(value: object, path: str) -> Issues:
        if not isinstance(value, Mapping):
            return _wrong_kind("record", value, path)
        return [issue for key, item in value.items() for issue in check_item(item, join(path, key))]

    return check


def fields(keys: Mapping[str, Check | Optional], *, strict: bool = False) -> Check:
    """A dict with these keys; with others as well unless `strict`."""

    def check(value: object, path: str) -> Issues:
        if not isinstance(value, Mapping):
            return _wrong_kind("object", value, path)
        issues: Issues = []
        for key, check_key in keys.items():
            item = value.get(key, _MISSING)
            if not isinstance(check_key, Optional):
                issues += check_key(item, join(path, key))
            elif item is not None and item is not _MISSING:
                issues += check_key.check(item, join(path, key))
        unknown = [f'"{key}"' for key in value if key not in keys] if strict else []
        if unknown:
            message = f"Unrecognized key{'s' if len(unknown) > 1 else ''}: {', '.join(unknown)}"
            issues.append(ValidationIssue(path, message))
        return issues

    return check


def all_of(*checks: Check) -> Check:
    """Each of these checks, in this order."""
    return lambda value, path: [issue for check in checks for issue in check(value, path)]


def join(path: str, key: object) -> str:
    """The path of a member of what stands at a path."""
    return f"{path}.{key}" if path else str(key)
