"""Parses query strings and urlencoded bodies, with bracket syntax for lists and objects, as the library qs does."""

from __future__ import annotations

import re
from typing import TypeAlias
from urllib.parse import unquote_to_bytes

from .bad_request import BadRequest

MAX_PARAMETERS = 1000
MAX_DEPTH = 10

_SMALLEST_LIST_LIMIT = 100
_BRACKET = re.compile("%5([bd])", re.IGNORECASE)
_MALFORMED_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")
_INDEX = re.compile("0|[1-9][0-9]{0,14}")

_Value: TypeAlias = "str | _List | dict[str, _Value]"


class _List(dict[int, _Value]):
    """A list under construction, by index: it may have holes, which close in the end."""

    def append(self, item: _Value) -> None:
        self[max(self, default=-1) + 1] = item


def parse_form(text: str) -> dict[str, object]:
    """`x=1&x=2` and `x[]=1` are lists, `x[k]=v` an object, `+` a space.

    Values that are not valid percent-encoding stay as they are; `__proto__` keys, which are dangerous to JavaScript,
    are dropped. Raises `BadRequest` when there are too many parameters, or they nest too deeply.
    """
    if text == "":
        return {}
    parameters = text.count("&") + 1
    if parameters > MAX_PARAMETERS:
        raise BadRequest(400, f"More than {MAX_PARAMETERS} parameters.")
    pairs = _read_pairs(_BRACKET.sub(lambda match: "[" if match[1] in "bB" else "]", text))
    if not any("[" in key for key in pairs):
        return {key: _finish(value) for key, value in pairs.items()}
    # Indices above it become keys of an object, so that `x[1000000]=1` is not a list of a million.
    list_limit = max(_SMALLEST_LIST_LIMIT, parameters)
    root: dict[str, _Value] = {}
    for key, value in pairs.items():
        _add_all(root, _nest(_split_key(key), value, list_limit))
    return {name: _finish(value) for name, value in root.items()}


def _read_pairs(text: str) -> dict[str, _Value]:
    """The parameters by their whole name; repeated ones are lists."""
    pairs: dict[str, _Value] = {}
    for part in text.split("&"):
        bracket = part.find("]=")
        at = part.find("=") if bracket < 0 else bracket + 1
        key = _decode(part if at < 0 else part[:at])
        value = "" if at < 0 else _decode(part[at + 1 :])
        if key in ("", "__proto__"):
            continue
        earlier = pairs.get(key)
        if earlier is None:
            pairs[key] = value
        elif isinstance(earlier, _List):
            earlier.append(value)
        else:
            pairs[key] = _List({0: earlier, 1: value})
    return pairs


def _decode(text: str) -> str:
    if "+" in text:
        text = text.replace("+", " ")
    if "%" not in text or _MALFORMED_ESCAPE.search(text):
        return text
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeError:
        return text


def _split_key(key: str) -> list[str]:
    """`a[b][]` is `a`, `[b]` and `[]`. What follows a bracket that is never closed is one segment."""
    start = key.find("[")
    if start < 0:
        return [key]
    segments = [key[:start]] if start > 0 else []
    for _ in range(MAX_DEPTH):
        end = _closing_bracket(key, start)
        if end < 0:
            return [*segments, f"[{key[start:]}]"]
        segments.append(key[start : end + 1])
        start = key.find("[", end + 1)
        if start < 0:
            return segments
    raise BadRequest(400, f"Parameters nest more than {MAX_DEPTH} levels deep.")


def _closing_bracket(key: str, start: int) -> int:
    level = 0
    for at in range(start, len(key)):
        if key[at] == "[":
            level += 1
        elif key[at] == "]":
            level -= 1
            if level == 0:
                return at
    return -1


def _nest(segments: list[str], value: _Value, list_limit: int) -> _List | dict[str, _Value]:
    """`a`, `[b]` and `[]` with the value 1 is `{"a": {"b": [1]}}`."""
    for segment in reversed(segments):
        in_brackets = segment.startswith("[") and segment.endswith("]")
        name = segment[1:-1] if in_brackets else segment
        if segment == "[]":
            value = value if isinstance(value, _List) else _List({0: value})
        elif in_brackets and _INDEX.fullmatch(name) and int(name) < list_limit:
            value = _List({int(name): value})
        else:
            value = {} if name == "__proto__" else {name: value}
    assert not isinstance(value, str)  # there is a segment at least
    return value


def _merge(target: _Value, source: _Value) -> _Value:
    """What one name holds that is used twice, in different ways."""
    if source == "":
        return target
    if isinstance(target, _List) and isinstance(source, str):
        target.append(source)
        return target
    if isinstance(target, str) or isinstance(source, str):
        return _join(target, source)
    if isinstance(target, _List):
        if isinstance(source, _List):
            _add_items(target, source)
            return target
        target = {str(index): item for index, item in target.items()}
    _add_all(target, source)
    return target


def _join(first: _Value, second: _Value) -> _List:
    items = second if isinstance(second, _List) else {0: second}
    return _List({0: first, **{index + 1: item for index, item in items.items()}})


def _add_items(target: _List, source: _List) -> None:
    for index, item in sorted(source.items()):
        earlier = target.get(index)
        if earlier is None:
            target[index] = item
        elif isinstance(earlier, str) or isinstance(item, str):
            target.append(item)
        else:
            target[index] = _merge(earlier, item)


def _add_all(target: dict[str, _Value], source: _List | dict[str, _Value]) -> None:
    for key, item in source.items():
        name = str(key)
        target[name] = _merge(target[name], item) if name in target else item


def _finish(value: _Value) -> object:
    """The value in Python's own types."""
    if isinstance(value, _List):
        return [_finish(item) for _, item in sorted(value.items())]
    if isinstance(value, dict):
        return {key: _finish(item) for key, item in value.items()}
    return value
