"""The manifest: what gateway, scheduler and tools know of the steps, without loading any user code."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from ..json_values import from_json, to_json
from .canonical_json import canonical_json
from .json_schema import to_json_schema

StepEntry: TypeAlias = dict[str, Any]
"""One step, as the manifest carries it: the JSON of `StepEntry` in `shared/steps/manifest.ts`."""


StreamEntry: TypeAlias = dict[str, Any]
"""One realtime stream, as the manifest carries it: the JSON of `StreamEntry` in `shared/steps/manifest.ts`."""


def describe_step(file: str, config: Mapping[str, Any]) -> StepEntry:
    """Describes a step from its valid config, as `read_config` gives it.

    `file` is relative to the project, with `/`. The id is the name until `merge_steps` has seen all steps. Raises
    `MotiaError` `INVALID_VALUE` if the infrastructure has, at a key that no rule knows, what JSON cannot say.
    """
    common: StepEntry = {
        "id": config["name"],
        "name": config["name"],
        "type": config["type"],
        "language": "python",
        "file": file,
        "description": config.get("description"),
        "flows": list(config.get("flows") or ()),
        "emits": [] if config["type"] == "noop" else _emit_entries(config["emits"]),
        "virtualEmits": _emit_entries(config.get("virtualEmits") or ()),
        "virtualSubscribes": list(config.get("virtualSubscribes") or ()),
        "stateGroups": None if config.get("stateGroups") is None else list(config["stateGroups"]),
    }
    return _drop_none({**common, **_describe_kind(config)})


def describe_stream(file: str, config: Mapping[str, Any], *, can_access: bool = False) -> StreamEntry:
    """Describes a stream from its valid config, as `read_config` gives it.

    `can_access`: there is a function that says who may follow it; otherwise everyone may.
    """
    return _drop_none(
        {
            "name": config["name"],
            "language": "python",
            "file": file,
            "schema": to_json_schema(config.get("schema"), "output"),
            "canAccess": can_access or None,
        }
    )


def manifest_version(contents: Mapping[str, object]) -> str:
    """The version of a manifest: 16 hex digits of the SHA-256 of the rest of it. Equal contents, equal versions."""
    return hashlib.sha256(canonical_json(contents).encode()).hexdigest()[:16]


def _describe_kind(config: Mapping[str, Any]) -> dict[str, object]:
    match config["type"]:
        case "api":
            return {
                "method": config["method"].upper(),
                "path": config["path"],
                "bodySchema": to_json_schema(config.get("bodySchema")),
                "responseSchema": _describe_responses(config.get("responseSchema")),
                "queryParams": _describe_params(config.get("queryParams")),
            }
        case "event":
            return {
                "subscribes": list(config["subscribes"]),
                "inputSchema": to_json_schema(config.get("input")),
                "infrastructure": _describe_infrastructure(config.get("infrastructure")),
            }
        case "cron":
            return {key: config.get(key) for key in ("cron", "timezone", "missed", "overlap")}
        case _:
            return {}


def _describe_responses(schemas: Mapping[object, object] | None) -> dict[str, object] | None:
    if schemas is None:
        return None
    return _drop_none({str(status): to_json_schema(schema, "output") for status, schema in schemas.items()})


def _describe_params(params: Iterable[Mapping[str, str]] | None) -> list[dict[str, str]] | None:
    if params is None:
        return None
    return [{"name": param["name"], "description": param["description"]} for param in params]


def _describe_infrastructure(infrastructure: Mapping[str, object] | None) -> dict[str, object] | None:
    if infrastructure is None:
        return None
    return from_json(to_json(_drop_all_none(infrastructure)))  # type: ignore[return-value]


def _emit_entries(emits: Iterable[str | Mapping[str, object]]) -> list[dict[str, object]]:
    return [
        {"topic": emit}
        if isinstance(emit, str)
        else _drop_none({key: emit.get(key) for key in ("topic", "label", "conditional")})
        for emit in emits
    ]


def _drop_all_none(value: object) -> object:
    if not isinstance(value, Mapping):
        return value
    return {key: _drop_all_none(member) for key, member in value.items() if member is not None}


def _drop_none(members: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in members.items() if value is not None}
