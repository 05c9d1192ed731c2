"""Values of user code as JSON: what is taken, how it is written, what is refused and how that is said."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import math
import types
import typing
import uuid

import pydantic
import pytest

from motia.errors import MotiaError
from motia.json_values import from_json, to_json


class Colour(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 2


class Point(typing.NamedTuple):
    x: int
    y: int


class Model(pydantic.BaseModel):
    n: int
    at: datetime.date = datetime.date(2026, 1, 2)


class Unwilling(pydantic.BaseModel):
    any: object


@dataclasses.dataclass
class Record:
    n: int
    inner: Model | None = None


class Fraction(float):
    pass


BIG = 2**70

VALUES = [
    (None, "null"),
    (False, "false"),
    (0, "0"),
    ("Zoë 漢 \u2028", '"Zoë 漢 \u2028"'),
    ([1, (2,), [3.5]], "[1,[2],[3.5]]"),
    ({"a": 1, "b": {}}, '{"a":1,"b":{}}'),
    ([math.nan, math.inf, -math.inf], "[null,null,null]"),
    ({1: "a", 1.5: "b", False: "c", None: "d"}, '{"1":"a","1.5":"b","false":"c","null":"d"}'),
    ([Colour.RED, Level.HIGH], '["red",2]'),
    (Point(1, 2), "[1,2]"),
    (Fraction(0.5), "0.5"),
    (types.MappingProxyType({"a": 1}), '{"a":1}'),
    (Model(n=1), '{"n":1,"at":"2026-01-02"}'),
    (Record(1, Model(n=2)), '{"n":1,"inner":{"n":2,"at":"2026-01-02"}}'),
    (uuid.UUID(int=1), '"00000000-0000-0000-0000-000000000001"'),
    (datetime.datetime(2026, 1, 2, tzinfo=datetime.timezone.utc), '"2026-01-02T00:00:00+00:00"'),
]


@pytest.mark.parametrize(("value", "text"), VALUES)
def test_written(value: object, text: str) -> None:
    assert to_json(value).decode() == text


@pytest.mark.parametrize(("value", "text"), VALUES)
def test_written_the_same_beside_an_integer_beyond_64_bits(value: object, text: str) -> None:
    assert to_json({"big": BIG, "value": value}).decode() == f'{{"big":{BIG},"value":{text}}}'


@pytest.mark.parametrize("value", [BIG, -BIG, 2**64, 2**64 - 1, -(2**63) - 1, [{"a": BIG}], 1.5, "x" * 30, "9" * 30])
def test_comes_back_as_it_was(value: object) -> None:
    back = from_json(to_json(value))
    assert (back, type(back)) == (value, type(value))


@pytest.mark.parametrize(("value", "text"), [("\ud800", r'"\ud800"'), ({"a\udc80": 1}, r'{"a\udc80":1}')])
def test_lone_surrogates_are_written_as_javascript_does_and_come_back(value: object, text: str) -> None:
    assert to_json(value).decode() == text
    assert from_json(text.encode()) == value


def test_a_key_beyond_64_bits_is_text() -> None:
    assert to_json({BIG: Model(n=BIG)}) == f'{{"{BIG}":{{"n":{BIG},"at":"2026-01-02"}}}}'.encode()


def test_400_levels_deep() -> None:
    value: list[object] = []
    for _ in range(400):
        value = [value]
    assert from_json(to_json(value)) == value


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (decimal.Decimal(1), "Decimal is not a JSON value"),
        ({"order": {"tags": ["a", {1}]}}, "order.tags.1: set is not a JSON value"),
        ([b"x"], "0: bytes is not a JSON value"),
        ({"f": len}, "f: builtin_function_or_method is not a JSON value"),
        ({"model": Model}, "model: ModelMetaclass is not a JSON value"),
        ({"model": Unwilling(any=object())}, "model: Unwilling is not a JSON value"),
        ({"a": {(1, 2): 3}}, "a: tuple cannot be a key in JSON"),
        ([BIG, object()], "1: object is not a JSON value"),
    ],
)
def test_refused(value: object, message: str) -> None:
    with pytest.raises(MotiaError) as refused:
        to_json(value)
    assert (refused.value.code, str(refused.value)) == ("INVALID_VALUE", message)


def test_an_integer_of_more_digits_than_python_writes_is_refused() -> None:
    with pytest.raises(MotiaError, match=r"cannot be written as JSON: .*digits"):
        to_json(10**5000)


def test_what_contains_itself_is_refused() -> None:
    value: dict[str, object] = {}
    value["self"] = [value]
    with pytest.raises(MotiaError, match="contains itself") as refused:
        to_json(value)
    assert refused.value.code == "INVALID_VALUE"


@pytest.mark.parametrize("data", [b"", b"{", b"NaN", b"[Infinity]", b"\xff", b"'a'", b"[" * 100_000, b"1" * 30 + b"x"])
def test_what_is_no_json_is_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError):
        from_json(data)


def test_reads_views() -> None:
    assert from_json(memoryview(b'x{"a":1}')[1:]) == {"a": 1}
