"""Errors as records: whatever is raised can be described, in the shape that the wire protocol gives it."""

from __future__ import annotations

import pickle

import orjson
import pytest

from motia.errors import ErrorRecord, MotiaError, NonRetriableError, RetryAfterError, to_error_record
from motia.longest_wait import LONGEST_WAIT_S


class Hostile(Exception):
    @property
    def code(self) -> str:
        raise SystemExit(3)

    @property
    def non_retriable(self) -> bool:
        raise ValueError("no")

    def __str__(self) -> str:
        raise SystemExit(3)


class Classless:
    def __getattribute__(self, name: str) -> object:
        raise SystemExit(3)

    def __str__(self) -> str:
        raise SystemExit(3)


class Final(Exception):
    non_retriable = True


def caught(error: BaseException) -> BaseException:
    try:
        raise error
    except BaseException as thrown:
        return thrown


def stack_of(record: ErrorRecord) -> str:
    assert "stack" in record
    return record["stack"]


def test_describes_name_message_code_and_where_it_was_raised() -> None:
    record = to_error_record(caught(MotiaError("STORE_FULL", "no room")))
    stack = stack_of(record)
    assert {key: record[key] for key in record if key != "stack"} == {
        "name": "MotiaError",
        "message": "no room",
        "code": "STORE_FULL",
    }
    assert "in caught" in stack
    assert stack.endswith("motia.errors.MotiaError: no room")


def test_the_stack_has_the_causes() -> None:
    error = ValueError("outer")
    error.__cause__ = caught(KeyError("inner"))
    stack = stack_of(to_error_record(caught(error)))
    assert stack.index("KeyError: 'inner'") < stack.index("direct cause") < stack.index("ValueError: outer")


@pytest.mark.parametrize(
    ("error", "non_retriable"),
    [(NonRetriableError("x"), True), (Final(), True), (ValueError("x"), None), (MotiaError("RUN_OVER", "x"), None)],
)
def test_non_retriable(error: Exception, non_retriable: bool | None) -> None:
    assert to_error_record(error).get("nonRetriable") is non_retriable


@pytest.mark.parametrize(
    ("thrown", "name", "message"),
    [
        ("text", "Error", "text"),
        (None, "Error", "None"),
        (KeyError("k"), "KeyError", "'k'"),
        (OSError(2, "gone", "a\udc80"), "FileNotFoundError", "[Errno 2] gone: 'a\\udc80'"),
        (ValueError("a\udc80b"), "ValueError", "a\ufffdb"),
        (SystemExit(1), "SystemExit", "1"),
        (Hostile(), "Hostile", "an error that cannot be shown"),
    ],
)
def test_anything_can_be_described(thrown: object, name: str, message: str) -> None:
    record = to_error_record(caught(thrown) if isinstance(thrown, BaseException) else thrown)
    assert (record["name"], record["message"]) == (name, message)
    assert orjson.loads(orjson.dumps(record)) == record


def test_even_what_refuses_every_question() -> None:
    assert to_error_record(Classless()) == {"name": "Error", "message": "an error that cannot be shown"}


def test_texts_are_cut_but_not_what_the_stack_ends_with() -> None:
    def deep(level: int) -> None:
        if level == 0:
            raise ValueError("the end")
        eval("deep(level - 1)" if level % 2 else "deep(level-1)", {"deep": deep, "level": level})

    with pytest.raises(ValueError) as raised:
        deep(150)
    stack = stack_of(to_error_record(raised.value))
    assert len(stack) == 16_384
    assert stack.endswith("ValueError: the end")
    assert len(to_error_record(ValueError("x" * 20_000))["message"]) == 16_384


def test_a_motia_error_can_be_sent_to_another_process() -> None:
    error = pickle.loads(pickle.dumps(MotiaError("RUN_OVER", "over")))
    assert (error.code, str(error)) == ("RUN_OVER", "over")


@pytest.mark.parametrize("seconds", [0, 0.5, LONGEST_WAIT_S])
def test_a_retry_after_error(seconds: float) -> None:
    error = pickle.loads(pickle.dumps(RetryAfterError(seconds, "busy")))
    record = to_error_record(error)
    assert (record["name"], record["message"], record.get("retryAfterSeconds")) == ("RetryAfterError", "busy", seconds)


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf"), LONGEST_WAIT_S + 1])
def test_no_retry_after_error(seconds: float) -> None:
    with pytest.raises(MotiaError, match="RetryAfterError needs seconds"):
        RetryAfterError(seconds)
    own = RuntimeError("own")
    own.retry_after_seconds = seconds  # type: ignore[attr-defined]
    assert "retryAfterSeconds" not in to_error_record(own)
