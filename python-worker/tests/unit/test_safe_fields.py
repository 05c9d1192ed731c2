"""Whatever user code logs becomes plain JSON, and nothing it does can break the log call."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import math
import pathlib
from typing import Any

import orjson
import pydantic
import pytest

from motia.safe_fields import safe_fields


class Colour(enum.Enum):
    RED = "red"


class Model(pydantic.BaseModel):
    n: int


@dataclasses.dataclass
class Record:
    n: int
    when: datetime.date


class Plain:
    def __init__(self) -> None:
        self.a = 1


class Shown:
    def __repr__(self) -> str:
        return "<shown>"


class Refusing:
    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)

    def __str__(self) -> str:
        raise RuntimeError("no")


class HostileMapping(dict[str, object]):
    def items(self) -> Any:
        raise RuntimeError("no")


def log(value: object) -> dict[str, Any]:
    """The fields; they can be written as JSON."""
    fields = safe_fields(value)
    assert orjson.loads(orjson.dumps(fields)) == fields
    return fields


def test_keeps_plain_data_as_it_is() -> None:
    data = {"a": 1, "b": "x", "c": None, "d": [True, {"e": 0.5}], "f": ""}
    assert log(data) == data


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("text", "text"),
        (0, 0),
        (False, False),
        ((1, 2), [1, 2]),
        (2**64 - 1, 2**64 - 1),
        (2**64, "18446744073709551616"),
        (10**5000, hex(10**5000)),
        (math.nan, "NaN"),
        (-math.inf, "-Infinity"),
        (len, "[function]"),
        (Model, "[function]"),
        (b"abc", "[3 bytes]"),
        (memoryview(b"ab"), "[2 bytes]"),
        (datetime.datetime(2026, 1, 2, 3), "2026-01-02 03:00:00"),
        (decimal.Decimal("1.50"), "1.50"),
        (pathlib.PurePosixPath("/a"), "/a"),
        (Colour.RED, "red"),
        ({1}, [1]),
        (Shown(), "<shown>"),
        ("a\ud800", "a\ufffd"),
        (Refusing(), "[unreadable]"),
        (HostileMapping(), "[unreadable]"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_puts_what_has_no_fields_under_value(value: object, expected: object) -> None:
    assert log(value) == {"value": expected}


def test_has_no_fields_for_nothing() -> None:
    assert log(None) == {}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Model(n=1), {"n": 1}),
        (Record(1, datetime.date(2026, 1, 2)), {"n": 1, "when": "2026-01-02"}),
        (Plain(), {"a": 1}),
        ({1: 2, None: 3, "\ud800": 4}, {"1": 2, "None": 3, "\ufffd": 4}),
    ],
)
def test_shows_what_objects_hold(value: object, expected: dict[str, object]) -> None:
    assert log(value) == expected


def test_keeps_the_rest_beside_what_cannot_be_read() -> None:
    assert log({"good": 1, "bad": Refusing(), "worse": HostileMapping()}) == {
        "good": 1,
        "bad": "[unreadable]",
        "worse": "[unreadable]",
    }


def test_marks_cycles_and_shows_what_merely_occurs_twice() -> None:
    shared = {"x": 1}
    value: dict[str, object] = {"first": shared, "second": shared}
    value["self"] = value
    assert log(value) == {"first": {"x": 1}, "second": {"x": 1}, "self": "[circular]"}


def test_describes_exceptions_with_their_causes_and_own_fields() -> None:
    try:
        try:
            raise KeyError("inner")
        except KeyError as inner:
            outer = TypeError("outer")
            outer.code = "E1"  # type: ignore[attr-defined]
            raise outer from inner
    except TypeError as error:
        err = log({"err": error})["err"]
    assert (err["name"], err["message"], err["code"]) == ("TypeError", "outer", "E1")
    assert err["stack"].startswith("Traceback") and "KeyError" not in err["stack"]
    assert (err["cause"]["name"], err["cause"]["message"]) == ("KeyError", "'inner'")


def test_does_not_let_fields_hide_what_the_logger_writes() -> None:
    assert log({"level": "x", "time": 1, "msg": "m", "step": "s"}) == {
        "_level": "x",
        "_time": 1,
        "_msg": "m",
        "step": "s",
    }


def test_is_bounded_in_depth_and_size() -> None:
    deep: object = "end"
    for _ in range(50_000):
        deep = {"deep": deep}
    assert b"[cut off]" in orjson.dumps(log({"deep": deep}))
    wide = log(list(range(200_000)))["value"]
    assert len(wide) < 10_000
    assert wide[-1] == "[cut off]"


def test_is_bounded_for_what_is_small_and_endless() -> None:
    class Endless:
        def model_dump(self) -> dict[str, object]:
            return {"a": Endless(), "b": Endless()}

    assert len(orjson.dumps(log(Endless()))) < 1_000_000
