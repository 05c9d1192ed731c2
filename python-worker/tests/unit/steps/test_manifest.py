"""Steps as the manifest describes them."""

from __future__ import annotations

from typing import Any

import orjson
import pydantic
import pytest

from motia.errors import MotiaError
from motia.steps.config_schema import read_config
from motia.steps.manifest import describe_step


class Body(pydantic.BaseModel):
    n: int


class Answer(pydantic.BaseModel):
    @pydantic.computed_field
    def sum(self) -> int:
        return 1


def describe(config: dict[str, Any], file: str = "src/a_step.py") -> dict[str, Any]:
    entry = describe_step(file, read_config(config) or {})
    assert orjson.loads(orjson.dumps(entry)) == entry
    return entry


COMMON = {"id": "a", "name": "a", "language": "python", "file": "src/a_step.py"}
NOTHING = {"flows": [], "virtualEmits": [], "virtualSubscribes": []}


def test_describes_an_api_step() -> None:
    entry = describe(
        {
            "type": "api",
            "name": "a",
            "description": "d",
            "flows": ["f"],
            "method": "post",
            "path": "/a/:id",
            "emits": ["x", {"topic": "y", "label": "l", "other": 1}],
            "virtualSubscribes": ["v"],
            "stateGroups": ("g",),
            "middleware": [print],
            "bodySchema": Body,
            "responseSchema": {200: Answer, "404": {"type": "null"}},
            "queryParams": [{"name": "q", "description": "query", "other": 1}],
            "includeFiles": ["x"],
        }
    )
    assert entry == {
        **COMMON,
        "type": "api",
        "description": "d",
        "flows": ["f"],
        "emits": [{"topic": "x"}, {"topic": "y", "label": "l"}],
        "virtualEmits": [],
        "virtualSubscribes": ["v"],
        "stateGroups": ["g"],
        "method": "POST",
        "path": "/a/:id",
        "bodySchema": {
            "title": "Body",
            "type": "object",
            "properties": {"n": {"title": "N", "type": "integer"}},
            "required": ["n"],
        },
        "responseSchema": {
            "200": {
                "title": "Answer",
                "type": "object",
                "properties": {"sum": {"title": "Sum", "type": "integer", "readOnly": True}},
                "required": ["sum"],
            },
            "404": {"type": "null"},
        },
        "queryParams": [{"name": "q", "description": "query"}],
    }


@pytest.mark.parametrize(
    ("config", "described"),
    [
        (
            {
                "type": "event",
                "subscribes": ("t",),
                "emits": [],
                "input": {"const": None},
                "infrastructure": {"queue": {"type": "fifo", "maxRetries": None}, "handler": None, "mine": [None]},
            },
            {
                "subscribes": ["t"],
                "emits": [],
                "inputSchema": {"const": None},
                "infrastructure": {"queue": {"type": "fifo"}, "mine": [None]},
            },
        ),
        (
            {
                "type": "event",
                "subscribes": [],
                "emits": [],
                "input": None,
                "infrastructure": None,
                "description": None,
            },
            {"subscribes": [], "emits": []},
        ),
        ({"type": "cron", "cron": "* * * * *", "emits": ["x"]}, {"cron": "* * * * *", "emits": [{"topic": "x"}]}),
        (
            {"type": "cron", "cron": "@daily", "emits": [], "timezone": "UTC", "missed": "catchUp", "stateGroups": []},
            {"cron": "@daily", "emits": [], "timezone": "UTC", "missed": "catchUp", "stateGroups": []},
        ),
        (
            {"type": "noop", "virtualEmits": ["a"], "virtualSubscribes": ["b"]},
            {"emits": [], "virtualEmits": [{"topic": "a"}], "virtualSubscribes": ["b"]},
        ),
        (
            {"type": "api", "method": "GET", "path": "/", "emits": [], "queryParams": [], "responseSchema": {}},
            {"method": "GET", "path": "/", "emits": [], "queryParams": [], "responseSchema": {}},
        ),
    ],
)
def test_describes_other_steps_and_leaves_out_what_is_not_set(config: dict[str, Any], described: object) -> None:
    assert describe({"name": "a", **config}) == {**COMMON, **NOTHING, "type": config["type"], **described}  # type: ignore[dict-item]


def test_infrastructure_that_is_no_json_is_an_error_of_the_project() -> None:
    config = {"type": "event", "name": "a", "subscribes": [], "emits": [], "infrastructure": {"mine": {1, 2}}}
    with pytest.raises(MotiaError, match="mine: set is not a JSON value"):
        describe_step("src/a_step.py", config)
