"""Schemas of users, pydantic models and JSON Schemas: as JSON Schema for display, as validators for values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias

from ..json_values import JsonValue, from_json, to_json
from .json_schema_check import check_json_schema
from .validation import ValidationIssue, to_issues

Validator: TypeAlias = Callable[[object], list[ValidationIssue]]
"""Answers what is wrong with a value, nothing if it fits. Never raises: what it cannot check is an issue."""


def to_json_schema(schema: object, side: Literal["input", "output"] = "input") -> dict[str, JsonValue] | None:
    """The schema as JSON Schema; `None` when there is no telling.

    `side` of a model's defaults and aliases is described: what comes in, or what goes out.
    """
    try:
        # Through JSON: it goes to other processes, so nothing but data may be left in it.
        converted = from_json(to_json(_convert(schema, side)))
    except Exception:
        return None
    if not isinstance(converted, dict):
        return None
    converted.pop("$schema", None)
    return converted


def compile_validator(schema: object) -> Validator:
    """A check of values against the schema."""
    model_validate = None if isinstance(schema, Mapping) else getattr(schema, "model_validate", None)
    check = _model_check(model_validate) if callable(model_validate) else _json_schema_check(schema)

    def validate(value: object) -> list[ValidationIssue]:
        try:
            return check(value)
        except Exception as error:
            return to_issues(error)

    return validate


def _convert(schema: object, side: Literal["input", "output"]) -> object:
    describe = getattr(schema, "model_json_schema", None)
    if not callable(describe):
        return schema
    return describe() if side == "input" else describe(mode="serialization")


def _model_check(model_validate: Callable[[object], object]) -> Validator:
    def check(value: object) -> list[ValidationIssue]:
        model_validate(value)
        return []

    return check


def _json_schema_check(schema: object) -> Validator:
    converted = _convert(schema, "input")

    def check(value: object) -> list[ValidationIssue]:
        try:
            issues = check_json_schema(converted, value)
        except Exception as error:
            return [ValidationIssue("", f"schema is invalid: {error}")]
        return [ValidationIssue(".".join(path), message) for path, message in issues]

    return check
