"""Records of handlers: whatever is logged, one line of JSON that names the run."""

# ruff: noqa: PLE1205  # fields may follow the message

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from motia.handler.logger import RunLogger
from motia.log import Log, LogLevel

IDENTITY = {"step": "Ship", "traceId": "0af7651916cd43dd8448eb211c80319c"}


def logged(write: Callable[[RunLogger], None], lowest: LogLevel = "debug") -> list[dict[str, Any]]:
    lines: list[bytes] = []
    write(RunLogger(Log(lowest, lines.append), IDENTITY))
    assert all(line.startswith(b'{"level":') and b"\n" not in line for line in lines)
    return [orjson.loads(line) for line in lines]


def fields_of(write: Callable[[RunLogger], None]) -> dict[str, Any]:
    (record,) = logged(write)
    frame = {"level", "time", "msg", "action", *IDENTITY}
    return {key: value for key, value in record.items() if key not in frame}


def test_a_record_names_the_run() -> None:
    (record,) = logged(lambda logger: logger.info("line\nbreak", {"id": 7}))
    time = record.pop("time")
    assert record == {"level": "info", "action": "log", "id": 7, "msg": "line\nbreak", **IDENTITY}
    assert len(time) == len("2026-01-01T00:00:00.000Z")
    assert time.endswith("Z")


def test_levels_and_their_threshold() -> None:
    def write(logger: RunLogger) -> None:
        for name in ("debug", "info", "warn", "warning", "error", "exception"):
            getattr(logger, name)(name)

    assert [record["level"] for record in logged(write)] == ["debug", "info", "warn", "warn", "error", "error"]
    assert [record["msg"] for record in logged(write, "warn")] == ["warn", "warning", "error", "exception"]


class Odd:
    def __str__(self) -> str:
        raise ValueError("no text")


@pytest.mark.parametrize(
    ("write", "expected"),
    [
        (lambda log: log.info("m"), {}),
        (lambda log: log.info("m", None), {}),
        (lambda log: log.info("m", {"a": 1}, b=2), {"a": 1, "b": 2}),
        (lambda log: log.info("m", args={"a": 1}), {"a": 1}),
        (lambda log: log.info("m", a=1, level="mine", msg="mine"), {"a": 1, "_level": "mine", "_msg": "mine"}),
        (lambda log: log.info("m", "text"), {"value": "text"}),
        (lambda log: log.info("m", [1, 2]), {"value": [1, 2]}),
        (lambda log: log.info("m %s %s", 1, 2), {"value": [1, 2]}),
        (lambda log: log.info("m", {"odd": Odd(), "big": 2**70}), {"odd": "[unreadable]", "big": str(2**70)}),
        (lambda log: log.info("m", {"traceId": "mine"}), {}),
        (lambda log: log.child({"a": 1}).info("m", {"b": 2}), {"a": 1, "b": 2}),
    ],
)
def test_fields(write: Callable[[RunLogger], None], expected: dict[str, Any]) -> None:
    assert fields_of(write) == expected


def test_a_step_of_the_callers_own_replaces_the_steps_name() -> None:
    (record,) = logged(lambda logger: logger.info("m", step="mine", traceId="mine"))
    assert record["step"] == "mine"
    assert record["traceId"] == IDENTITY["traceId"]


@pytest.mark.parametrize("message", [7, None, {"a": 1}, ValueError("x")])
def test_a_message_that_is_no_text_is_shown(message: Any) -> None:
    (record,) = logged(lambda logger: logger.info(message))
    assert isinstance(record["msg"], str)


@pytest.mark.parametrize("exc_info", [True, "error", "triple"])
def test_an_exception_is_logged_with_its_traceback(exc_info: Any) -> None:
    def write(logger: RunLogger) -> None:
        try:
            raise ValueError("down")
        except ValueError as error:
            given = {"error": error, "triple": sys.exc_info()}.get(exc_info, exc_info)
            logger.error("failed", {"id": 7}, exc_info=given)

    fields = fields_of(write)
    assert fields["id"] == 7
    assert (fields["err"]["name"], fields["err"]["message"]) == ("ValueError", "down")
    assert "test_logger.py" in fields["err"]["stack"]


def test_without_an_exception_there_is_none() -> None:
    assert fields_of(lambda logger: logger.exception("m")) == {}
    assert fields_of(lambda logger: logger.error("m", exc_info=(None, None, None))) == {}
