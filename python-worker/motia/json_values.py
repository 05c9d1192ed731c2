"""Values of user code as JSON and back: what is stored, emitted and answered goes through here."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from enum import Enum
from typing import Any, NoReturn, TypeAlias

import orjson

from .errors import MotiaError

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"
"""What JSON can say."""

# Numpy's own types are native to orjson, which looks for them only if numpy is loaded.
_LENIENT = orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY
_DIGITS = bytes.maketrans(b"123456789", b"000000000")
_LONG_INTEGER = b"0" * 19


def to_json(value: object) -> bytes:
    """The value's JSON, as UTF-8.

    Besides JSON's own types it takes tuples, dataclasses, enums, dates, UUIDs, mappings, numpy's types, pydantic's
    models, and objects whose `__json__()` gives what is written in their place. Integers may be of any size; NaN and
    infinity become `null`. Keys may be numbers, `None` and the like, and become text.

    Raises `MotiaError` `INVALID_VALUE`, which says where in the value the trouble is.
    """
    for option in (None, _LENIENT):
        try:
            return orjson.dumps(value, _substitute, option)
        except TypeError:  # another option, or another way, may help
            pass
    try:
        text = json.dumps(_plain(value, ""), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except RecursionError:
        raise MotiaError("INVALID_VALUE", "the value contains itself, or is nested too deep for JSON") from None
    except ValueError as error:  # Python refuses to write integers of thousands of digits
        raise MotiaError("INVALID_VALUE", f"the value cannot be written as JSON: {error}") from None
    # What has no UTF-8 form is a lone surrogate: JSON writes `\ud800`, which is just what that error handler does.
    return text.encode("utf-8", "backslashreplace")


def from_json(data: bytes | bytearray | memoryview) -> JsonValue:
    """Reads JSON, integers of any size included. Raises `ValueError` if it is none."""
    data = bytes(data)
    if _LONG_INTEGER not in data.translate(_DIGITS):  # orjson makes a float of an integer beyond 64 bits
        try:
            return orjson.loads(data)
        except orjson.JSONDecodeError:  # of a lone surrogate, say, which JavaScript lets through
            pass
    try:
        return json.loads(data.decode(), parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("JSON is nested too deep") from None


def kind_of(value: object) -> str:
    """What a value is, for people: `a text`, `a list`."""
    match value:
        case None:
            return "null"
        case str():
            return "a text"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case list() | tuple():
            return "a list"
        case Mapping():
            return "an object"
        case _:
            return f"a {type(value).__name__}"


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _substitute(value: Any) -> object:
    """What stands for a value that orjson does not know. Raises `TypeError` for what nothing stands for."""
    if _says_its_json(value):
        return value.__json__()
    dump = getattr(value, "model_dump", None)
    if callable(dump) and not isinstance(value, type):
        return dump(mode="json")
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, tuple):  # with names
        return list(value)
    if isinstance(value, float):
        return float(value)
    raise TypeError(f"{type(value).__name__} is not a JSON value")


def _says_its_json(value: Any) -> bool:
    return hasattr(type(value), "__json__")


def _plain(value: Any, path: str) -> object:
    """The value in the types that the json module writes. Raises `MotiaError` that says where it cannot be."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        return _plain(value.value, path)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if _says_its_json(value):
        return _plain(value.__json__(), path)
    if isinstance(value, Mapping):
        return {_key(key, path): _plain(item, _join(path, key)) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, _join(path, index)) for index, item in enumerate(value)]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = (field.name for field in dataclasses.fields(value) if not field.name.startswith("_"))
        return {name: _plain(getattr(value, name), _join(path, name)) for name in fields}
    try:
        if callable(getattr(value, "model_dump", None)):
            return _plain(_substitute(value), path)
        return orjson.loads(orjson.dumps(value, option=_LENIENT))  # a date, say
    except (MotiaError, RecursionError):
        raise
    except Exception as error:
        raise MotiaError("INVALID_VALUE", f"{_at(path)}{type(value).__name__} is not a JSON value") from error


def _key(key: object, path: str) -> str:
    if isinstance(key, str):
        return str(key)
    if isinstance(key, int) and not isinstance(key, bool):
        return str(int(key))
    try:
        (text,) = orjson.loads(orjson.dumps({key: None}, option=_LENIENT))
    except TypeError:
        raise MotiaError("INVALID_VALUE", f"{_at(path)}{type(key).__name__} cannot be a key in JSON") from None
    return text


def _at(path: str) -> str:
    return f"{path}: " if path else ""


def _join(path: str, key: object) -> str:
    return f"{path}.{key}" if path else str(key)
