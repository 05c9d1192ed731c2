"""What a step's config may say, and what is said about it when it is wrong: as the TypeScript worker does."""

from __future__ import annotations

import dataclasses
import math
from enum import Enum
from typing import Any

import pydantic
import pytest

from motia.steps.config_schema import read_config, validate_config, validate_stream_config
from motia.steps.validation import format_issues

API: dict[str, Any] = {"type": "api", "name": "a", "method": "GET", "path": "/a", "emits": []}
EVENT: dict[str, Any] = {"type": "event", "name": "e", "subscribes": ["t"], "emits": []}
CRON: dict[str, Any] = {"type": "cron", "name": "c", "cron": "* * * * *", "emits": []}
NOOP: dict[str, Any] = {"type": "noop", "name": "n", "virtualEmits": [], "virtualSubscribes": []}
COMMON: dict[str, Any] = {
    "description": "d",
    "flows": ["f"],
    "virtualEmits": ["v", {"topic": "t", "label": "l", "conditional": True}],
    "virtualSubscribes": ["s"],
    "includeFiles": ["x"],
}


class Body(pydantic.BaseModel):
    n: int = 1


class Method(Enum):
    POST = "POST"


class EmitModel(pydantic.BaseModel):
    topic: str
    label: str | None = None


class EventModel(pydantic.BaseModel):
    type: str = "event"
    name: str = "m"
    subscribes: list[str] = ["t"]
    emits: list[EmitModel] = [EmitModel(topic="x")]
    input: object = Body
    infrastructure: dict[str, Any] | None = None


@dataclasses.dataclass
class Guard:
    """Middleware with settings: a dataclass that can be called."""

    limit: int

    async def __call__(self, req: object, context: object, next_fn: object) -> None: ...


@dataclasses.dataclass
class ApiRecord:
    path: str = "/r"
    method: Method = Method.POST
    type: str = "api"
    name: str = "r"
    emits: tuple[str, ...] = ("x",)
    middleware: tuple[Guard, ...] = (Guard(1),)


def without(config: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in config.items() if name != key}


def infrastructure(**parts: Any) -> dict[str, Any]:
    return {**EVENT, "infrastructure": parts}


def handler(**settings: Any) -> dict[str, Any]:
    return infrastructure(handler=settings)


def queue(**settings: Any) -> dict[str, Any]:
    return infrastructure(queue=settings)


@pytest.mark.parametrize(
    "config",
    [
        API,
        EVENT,
        CRON,
        NOOP,
        {
            **API,
            **COMMON,
            "middleware": [print, Guard(1)],
            "bodySchema": Body,
            "responseSchema": {200: Body, "404": {"type": "null"}},
            "queryParams": [{"name": "q", "description": "d"}],
        },
        {**EVENT, **COMMON, "input": {"type": "object"}, "infrastructure": {}},
        {**CRON, **COMMON, "stateGroups": []},
        {**API, "stateGroups": ("", "a.b", "*")},
        {**EVENT, "input": None, "infrastructure": None, "description": None, "flows": None},
        {**API, "method": "post", "emits": ("a", {"topic": "b", "label": "x", "conditional": False})},
        handler(ram=2048, cpu=1, timeout=30),
        handler(ram=3072, cpu=1.55),
        handler(ram=128, cpu=0.0625),
        handler(ram=10240, cpu=5),
        infrastructure(
            queue={"type": "fifo", "maxRetries": 0, "delaySeconds": 900, "visibilityTimeout": 31, "concurrency": 1},
            handler={"timeout": 30},
        ),
        queue(maxRetries=3.0),
        queue(
            globalConcurrency=1,
            rateLimit={"limit": 1, "per": 0.1},
            backoff={"initial": 0, "factor": 1, "max": 0, "jitter": 1},
            deadLetter=False,
        ),
        infrastructure(queue={"later": 1}, other=True),
        EventModel(),
        ApiRecord(),
    ],
)
def test_accepts(config: object) -> None:
    assert validate_config(config) == []


TEXT = "Invalid input: expected string, received"
LIST = "Invalid input: expected array, received"
SCHEMA = "Expected a pydantic model or a JSON Schema object"
METHODS = "Expected one of GET, POST, PUT, DELETE, PATCH, OPTIONS, HEAD"
QUEUE = "infrastructure.queue"
CPU = "Does not fit ram: 1 vCPU goes with 2048 MB, other sizes in proportion"


@pytest.mark.parametrize(
    ("config", "issues"),
    [
        ({**API, "pathh": "/"}, 'Unrecognized key: "pathh"'),
        ({**API, "x": 1, "y": 2}, 'Unrecognized keys: "x", "y"'),
        ({**API, "infrastructure": {}}, 'Unrecognized key: "infrastructure"'),
        ({**CRON, "infrastructure": {}}, 'Unrecognized key: "infrastructure"'),
        ({**NOOP, "emits": []}, 'Unrecognized key: "emits"'),
        ({**NOOP, "stateGroups": ["a"]}, 'Unrecognized key: "stateGroups"'),
        ({**CRON, "stateGroups": ["a", 1]}, f"stateGroups.1: {TEXT} number"),
        (without(API, "name"), f"name: {TEXT} undefined"),
        ({**API, "name": None}, f"name: {TEXT} null"),
        ({**API, "name": True}, f"name: {TEXT} boolean"),
        ({**API, "name": ""}, "name: Too small: expected string to have >=1 characters"),
        ({**API, "name": "=canAccess:chat"}, 'name: Must not begin with "="'),
        ({**API, "description": 1}, f"description: {TEXT} number"),
        ({**API, "flows": "x"}, f"flows: {LIST} string"),
        ({**API, "flows": [1]}, f"flows.0: {TEXT} number"),
        (without(EVENT, "emits"), f"emits: {LIST} undefined"),
        ({**EVENT, "emits": {}}, f"emits: {LIST} object"),
        ({**EVENT, "subscribes": ["t", None]}, f"subscribes.1: {TEXT} null"),
        ({**NOOP, "virtualEmits": None}, f"virtualEmits: {LIST} null"),
        ({**API, "method": "FETCH"}, f"method: {METHODS}"),
        ({**API, "method": 1}, f"method: {TEXT} number"),
        ({**API, "emits": ["a", 1]}, "emits.1: Invalid input"),
        ({**API, "emits": [{}]}, "emits.0: Invalid input"),
        ({**API, "emits": [{"topic": "a", "label": 1}]}, "emits.0: Invalid input"),
        ({**API, "middleware": ["auth"]}, "middleware.0: Expected a function"),
        ({**API, "middleware": print}, f"middleware: {LIST} function"),
        ({**EVENT, "input": "string"}, f"input: {SCHEMA}"),
        ({**EVENT, "input": Body(n=1)}, f"input: {SCHEMA}"),
        ({**API, "bodySchema": int}, f"bodySchema: {SCHEMA}"),
        ({**API, "responseSchema": []}, "responseSchema: Invalid input: expected record, received array"),
        ({**API, "responseSchema": {200: 1}}, f"responseSchema.200: {SCHEMA}"),
        ({**API, "queryParams": ["x"]}, "queryParams.0: Invalid input: expected object, received string"),
        ({**API, "queryParams": [{"name": "x"}]}, f"queryParams.0.description: {TEXT} undefined"),
        (infrastructure(handler=1), "infrastructure.handler: Invalid input: expected object, received number"),
        (handler(ram=64), "infrastructure.handler.ram: Too small: expected number to be >=128"),
        (handler(ram="64"), "infrastructure.handler.ram: Invalid input: expected number, received string"),
        (handler(ram=math.nan), "infrastructure.handler.ram: Invalid input: expected number, received NaN"),
        (handler(ram=20480), "infrastructure.handler.ram: Too big: expected number to be <=10240"),
        (handler(cpu=0), "infrastructure.handler.cpu: Too small: expected number to be >0"),
        (handler(timeout=901), "infrastructure.handler.timeout: Too big: expected number to be <=900"),
        (handler(ram=2048, cpu=1.2), f"infrastructure.handler.cpu: {CPU}"),
        (handler(ram=128, cpu=0.2), f"infrastructure.handler.cpu: {CPU}"),
        (handler(ram=10240, cpu=4.8), f"infrastructure.handler.cpu: {CPU}"),
        (queue(maxRetries=-1), "infrastructure.queue.maxRetries: Too small: expected number to be >=0"),
        (queue(maxRetries=1.5), "infrastructure.queue.maxRetries: Invalid input: expected int, received number"),
        (queue(maxRetries=True), "infrastructure.queue.maxRetries: Invalid input: expected number, received boolean"),
        (
            queue(maxRetries=10**400),
            "infrastructure.queue.maxRetries: Too big: expected int to be <=9007199254740991",
        ),
        (queue(delaySeconds=901), "infrastructure.queue.delaySeconds: Too big: expected number to be <=900"),
        (queue(concurrency=0), "infrastructure.queue.concurrency: Too small: expected number to be >=1"),
        (
            queue(type="fifo", globalConcurrency=2),
            f"{QUEUE}.globalConcurrency: Not with type fifo, which runs one event of each message group at a time",
        ),
        (queue(globalConcurrency=0), f"{QUEUE}.globalConcurrency: Too small: expected number to be >=1"),
        (
            queue(rateLimit={"limit": 0, "per": 1}),
            f"{QUEUE}.rateLimit.limit: Too small: expected number to be >=1",
        ),
        (
            queue(rateLimit={"limit": 1}),
            f"{QUEUE}.rateLimit.per: Invalid input: expected number, received undefined",
        ),
        (queue(backoff={"factor": 0.5}), f"{QUEUE}.backoff.factor: Too small: expected number to be >=1"),
        (queue(backoff={"jitter": 1.1}), f"{QUEUE}.backoff.jitter: Too big: expected number to be <=1"),
        (queue(backoff={"initialMs": 5}), f'{QUEUE}.backoff: Unrecognized key: "initialMs"'),
        (queue(deadLetter="no"), f"{QUEUE}.deadLetter: Invalid input: expected boolean, received string"),
        (queue(type="lifo"), 'infrastructure.queue.type: Invalid option: expected one of "fifo"|"standard"'),
        (
            infrastructure(queue={"visibilityTimeout": 30}, handler={"timeout": 30}),
            "infrastructure.queue.visibilityTimeout: Must be greater than handler.timeout",
        ),
        (
            {**API, "name": 1, "x": 1, "path": ""},
            f'name: {TEXT} number; path: Too small: expected string to have >=1 characters; Unrecognized key: "x"',
        ),
    ],
)
def test_refuses(config: object, issues: str) -> None:
    assert format_issues(validate_config(config)) == issues


@pytest.mark.parametrize("config", [None, "api", [], {}, {"type": "http"}, {"type": None}, {"type": []}, Body, print])
def test_what_is_no_config_at_all(config: object) -> None:
    (issue,) = validate_config(config)
    assert issue.message == "Expected a step config of type api, event, cron or noop"
    assert issue.path == ("type" if isinstance(config, dict) else "")


def test_models_and_dataclasses_are_read_as_data() -> None:
    model = read_config(EventModel())
    assert model is not None
    assert model["emits"] == [{"topic": "x", "label": None}]
    assert model["input"] is Body
    guard = Guard(1)
    record = read_config(ApiRecord(middleware=(guard,)))
    assert record is not None
    assert (record["method"], record["emits"]) == ("POST", ["x"])
    assert record["middleware"] == [guard]


class Message(pydantic.BaseModel):
    text: str


_STREAM = {"name": "chat", "schema": Message, "baseConfig": {"storageType": "default"}}


@pytest.mark.parametrize(
    "config",
    [
        _STREAM,
        {**_STREAM, "schema": {"type": "object"}, "canAccess": lambda subscription, auth: True},
        {**_STREAM, "schema": None, "canAccess": None},  # the schema is not enforced
    ],
)
def test_accepts_of_a_stream(config: object) -> None:
    assert validate_stream_config(config) == []


@pytest.mark.parametrize(
    ("config", "issues"),
    [
        ({**_STREAM, "name": ""}, "name: Too small: expected string to have >=1 characters"),
        ({**_STREAM, "schema": "x"}, "schema: Expected a pydantic model or a JSON Schema object"),
        ({"name": "chat"}, "baseConfig: Invalid input: expected object, received undefined"),
        ({**_STREAM, "baseConfig": {"storageType": "redis"}}, 'baseConfig.storageType: Expected "default"'),
        (
            {**_STREAM, "baseConfig": {"storageType": "custom", "factory": object}},
            'baseConfig.storageType: Storage of the project\'s own ("custom") is not supported: '
            'use "default", items are kept by the broker',
        ),
        ({**_STREAM, "onJoined": print}, 'Unrecognized key: "onJoined"'),
        ({**_STREAM, "canAccess": True}, "canAccess: Expected a function"),
        (7, "Invalid input: expected object, received null"),
    ],
)
def test_refuses_of_a_stream(config: object, issues: str) -> None:
    assert format_issues(validate_stream_config(config)) == issues
