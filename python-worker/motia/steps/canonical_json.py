"""JSON that is the same for the same data in every language: sorted keys, and numbers as JavaScript writes them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from decimal import Decimal

_ARRAY_INDEX = re.compile(r"0|[1-9][0-9]{0,9}")
_LAST_ARRAY_INDEX = 2**32 - 2
_LARGEST_EXACT = 2**53


def canonical_json(value: object) -> str:
    """The JSON of plain data, which is what `JSON.stringify` gives for it with the keys of every object sorted.

    Raises `TypeError` for what is no plain data.
    """
    if isinstance(value, str):
        # The error handler writes lone surrogates as `JSON.stringify` does.
        return json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, (int, float)):
        return _number(value)
    if isinstance(value, (list, tuple)):
        return f"[{','.join(map(canonical_json, value))}]"
    if isinstance(value, Mapping):
        members = (f"{canonical_json(key)}:{canonical_json(value[key])}" for key in sorted(value, key=_key_order))
        return f"{{{','.join(members)}}}"
    raise TypeError(f"{type(value).__name__} is no plain data")


def text_order(text: str) -> bytes:
    """What to sort texts by, to have them in JavaScript's order: that of their UTF-16 code units."""
    return text.encode("utf-16-be", "surrogatepass")


def _key_order(key: str) -> tuple[float, bytes]:
    """Objects of JavaScript begin with their array indices, in the order of numbers."""
    is_index = _ARRAY_INDEX.fullmatch(key) and int(key) <= _LAST_ARRAY_INDEX
    return (int(key), b"") if is_index else (math.inf, text_order(key))


def _number(value: float) -> str:
    if isinstance(value, int) and abs(value) <= _LARGEST_EXACT:
        return str(int(value))
    try:
        number = float(value)
    except OverflowError:
        return "null"
    return _double(number) if math.isfinite(number) else "null"


def _double(number: float) -> str:
    """ECMA-262, Number::toString."""
    if number == 0:
        return "0"
    sign, all_digits, exponent = Decimal(repr(abs(number))).as_tuple()
    digits = "".join(map(str, all_digits)).rstrip("0")
    point = len(all_digits) + int(exponent)
    sign = "-" if number < 0 else ""
    if len(digits) <= point <= 21:
        return f"{sign}{digits}{'0' * (point - len(digits))}"
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{fraction}e{point - 1:+d}"
