"""The rules for the `config` of a step or a stream, strict: an unknown key is a mistake, not a wish.

They are those of the TypeScript worker. `None` at a key that may be left out means that it is left out.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from enum import Enum
from itertools import pairwise

from ..longest_wait import LONGEST_WAIT_S
from ..protocol.access import RESERVED_MARK
from .checks import (
    Check,
    Issues,
    Optional,
    all_of,
    explained,
    fields,
    filled_text,
    flag,
    is_number,
    join,
    list_of,
    number,
    one_of,
    record_of,
    text,
)
from .cron_expression import explain_cron, explain_timezone
from .validation import ValidationIssue

_METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD")
_SCHEMA_KEYS = frozenset({"bodySchema", "responseSchema", "input", "schema"})

# MB of memory to vCPUs; between these points the value is interpolated.
_CPU_OF_RAM = ((128, 0.0625), (1024, 0.5), (2048, 1.0), (4096, 2.0), (10240, 5.0))
_CPU_TOLERANCE = 0.1


def read_config(config: object) -> dict[str, object] | None:
    """A config as dicts and lists, whatever models or dataclasses it was written with; `None` if it is none at all.

    Schemas and whatever can be called stay as they are.
    """
    members = _members(config)
    if members is None:
        return None
    return {str(key): item if key in _SCHEMA_KEYS else _plain(item) for key, item in members.items()}


def validate_config(config: object) -> Issues:
    """What is wrong with what a step file calls `config`; nothing if it is right."""
    data = read_config(config)
    kind = None if data is None else data.get("type")
    check = _CONFIGS.get(kind) if isinstance(kind, str) else None
    if check is None:
        path = "" if data is None else "type"
        return [ValidationIssue(path, "Expected a step config of type api, event, cron or noop")]
    return check(data, "")


def validate_stream_config(config: object) -> Issues:
    """What is wrong with what a stream file calls `config`; nothing if it is right."""
    return _stream_config(read_config(config), "")


def _members(value: object) -> Mapping[object, object] | None:
    if isinstance(value, Mapping):
        return value
    if callable(value):
        return None
    dump = getattr(value, "model_dump", None)
    if callable(dump):
        return _members(dump())
    if dataclasses.is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return None


def _plain(value: object) -> object:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    members = _members(value)
    return value if members is None else {str(key): _plain(item) for key, item in members.items()}


def _method(value: object, path: str) -> Issues:
    if isinstance(value, str) and value.upper() not in _METHODS:
        return [ValidationIssue(path, f"Expected one of {', '.join(_METHODS)}")]
    return text(value, path)


def _step_name(value: object, path: str) -> Issues:
    if isinstance(value, str) and value.startswith(RESERVED_MARK):
        return [ValidationIssue(path, f'Must not begin with "{RESERVED_MARK}"')]
    return filled_text(value, path)


def _function(value: object, path: str) -> Issues:
    return [] if callable(value) else [ValidationIssue(path, "Expected a function")]


def _schema(value: object, path: str) -> Issues:
    if isinstance(value, Mapping) or (isinstance(value, type) and callable(getattr(value, "model_json_schema", None))):
        return []
    return [ValidationIssue(path, "Expected a pydantic model or a JSON Schema object")]


_long_emit = fields({"topic": text, "label": Optional(text), "conditional": Optional(flag)})


def _emit(value: object, path: str) -> Issues:
    return [] if isinstance(value, str) or not _long_emit(value, path) else [ValidationIssue(path, "Invalid input")]


def _cpu_fits_ram(handler: object, path: str) -> Issues:
    ram, cpu = _number_at(handler, "ram"), _number_at(handler, "cpu")
    if ram is None or cpu is None or abs(cpu - _cpu_of(ram)) <= _CPU_TOLERANCE:
        return []
    message = "Does not fit ram: 1 vCPU goes with 2048 MB, other sizes in proportion"
    return [ValidationIssue(join(path, "cpu"), message)]


def _cpu_of(ram: float) -> float:
    for (ram_below, cpu_below), (ram_above, cpu_above) in pairwise(_CPU_OF_RAM):
        if ram <= ram_above:
            return cpu_below + (ram - ram_below) / (ram_above - ram_below) * (cpu_above - cpu_below)
    return _CPU_OF_RAM[-1][1]


def _visible_beyond_timeout(infrastructure: object, path: str) -> Issues:
    visibility = _number_at(infrastructure, "queue", "visibilityTimeout")
    if visibility is None or visibility > (_number_at(infrastructure, "handler", "timeout") or 0):
        return []
    return [ValidationIssue(join(path, "queue.visibilityTimeout"), "Must be greater than handler.timeout")]


def _global_concurrency_fits_type(queue: object, path: str) -> Issues:
    if not isinstance(queue, Mapping) or queue.get("type") != "fifo" or queue.get("globalConcurrency") is None:
        return []
    message = "Not with type fifo, which runs one event of each message group at a time"
    return [ValidationIssue(join(path, "globalConcurrency"), message)]


def _number_at(value: object, *keys: str) -> float | None:
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value if isinstance(value, (int, float)) and is_number(value) else None


_emits = list_of(_emit)

_handler = fields(
    {"ram": Optional(number(128, 10240)), "cpu": Optional(number(above=0)), "timeout": Optional(number(1, 900))}
)
_backoff = fields(
    {
        "initial": Optional(number(0, LONGEST_WAIT_S)),
        "factor": Optional(number(1, 100)),
        "max": Optional(number(0, LONGEST_WAIT_S)),
        "jitter": Optional(number(0, 1)),
    },
    strict=True,
)
_rate_limit = fields({"limit": number(1, 100_000, whole=True), "per": number(0.1, 86_400)}, strict=True)
_queue = fields(
    {
        "type": Optional(one_of("fifo", "standard")),
        "maxRetries": Optional(number(0, whole=True)),
        "visibilityTimeout": Optional(number(1)),
        "delaySeconds": Optional(number(0, 900)),
        "concurrency": Optional(number(1, whole=True)),
        "globalConcurrency": Optional(number(1, 20_000, whole=True)),
        "rateLimit": Optional(_rate_limit),
        "backoff": Optional(_backoff),
        "deadLetter": Optional(flag),
    }
)
_infrastructure = all_of(
    fields(
        {
            "handler": Optional(all_of(_handler, _cpu_fits_ram)),
            "queue": Optional(all_of(_queue, _global_concurrency_fits_type)),
        }
    ),
    _visible_beyond_timeout,
)

_BASE: dict[str, Check | Optional] = {
    "name": _step_name,
    "description": Optional(text),
    "flows": Optional(list_of(text)),
    "virtualEmits": Optional(_emits),
    "virtualSubscribes": Optional(list_of(text)),
    "includeFiles": Optional(list_of(text)),
    "type": text,
}
# Of steps that have a handler.
_RUNNING: dict[str, Check | Optional] = {**_BASE, "stateGroups": Optional(list_of(text))}
_KEYS_OF_KINDS: dict[str, dict[str, Check | Optional]] = {
    "api": {
        "path": filled_text,
        "method": _method,
        "emits": _emits,
        "middleware": Optional(list_of(_function)),
        "bodySchema": Optional(_schema),
        "responseSchema": Optional(record_of(_schema)),
        "queryParams": Optional(list_of(fields({"name": text, "description": text}))),
    },
    "event": {
        "subscribes": list_of(text),
        "emits": _emits,
        "input": Optional(_schema),
        "infrastructure": Optional(_infrastructure),
    },
    "cron": {
        "cron": explained(explain_cron),
        "emits": _emits,
        "timezone": Optional(explained(explain_timezone)),
        "missed": Optional(one_of("skip", "catchUp")),
        "overlap": Optional(flag),
    },
    "noop": {"virtualEmits": _emits, "virtualSubscribes": list_of(text)},
}
_CONFIGS = {
    kind: fields({**(_BASE if kind == "noop" else _RUNNING), **keys}, strict=True)
    for kind, keys in _KEYS_OF_KINDS.items()
}


def _storage_type(value: object, path: str) -> Issues:
    if value == "default":
        return []
    own = 'Storage of the project\'s own ("custom") is not supported: use "default", items are kept by the broker'
    return [ValidationIssue(path, own if value == "custom" else 'Expected "default"')]


_stream_config = fields(
    {
        "name": filled_text,
        "schema": Optional(_schema),
        "baseConfig": fields({"storageType": _storage_type}),
        "canAccess": Optional(_function),
        "can_access": Optional(_function),
    },
    strict=True,
)
