"""Schemas of users as JSON Schema, and as checks. The messages are those that ajv gives in the TypeScript worker."""

from __future__ import annotations

import enum
from typing import Any

import pydantic
import pytest

from motia.steps.json_schema import compile_validator, to_json_schema
from motia.steps.validation import format_issues


class Kind(enum.Enum):
    BIG = "big"


class Item(pydantic.BaseModel):
    sku: str
    count: int = pydantic.Field(default=1, ge=1)

    @pydantic.computed_field
    def label(self) -> str:
        return f"{self.count} of {self.sku}"


class Order(pydantic.BaseModel):
    items: list[Item]
    kind: Kind | None = None


class Described:
    """Has a JSON Schema and nothing more."""

    @classmethod
    def model_json_schema(cls) -> dict[str, object]:
        return {"type": "object", "required": ["a"]}


class Unwilling:
    @classmethod
    def model_json_schema(cls) -> dict[str, object]:
        raise RuntimeError("no")


@pytest.mark.parametrize(
    ("schema", "value", "issues"),
    [
        ({"type": "string"}, 1, "must be string"),
        ({"type": ["string", "null"]}, 1, "must be string,null"),
        ({"type": "integer"}, 1.5, "must be integer"),
        ({"type": "integer"}, 1, ""),
        ({"type": "number"}, True, "must be number"),
        ({"enum": ["a", 1]}, "b", "must be equal to one of the allowed values"),
        ({"const": 1}, 2, "must be equal to constant"),
        ({"minimum": 1, "maximum": 3}, 0, "must be >= 1"),
        ({"exclusiveMinimum": 1}, 1, "must be > 1"),
        ({"exclusiveMaximum": 1}, 1, "must be < 1"),
        ({"multipleOf": 0.1}, 0.35, "must be multiple of 0.1"),
        ({"multipleOf": 2}, 3, "must be multiple of 2"),
        ({"minLength": 2}, "a", "must NOT have fewer than 2 characters"),
        ({"maxLength": 1}, "ab", "must NOT have more than 1 characters"),
        ({"maxLength": 1}, "👩", ""),
        ({"pattern": "^a"}, "b", 'must match pattern "^a"'),
        ({"minItems": 2}, [1], "must NOT have fewer than 2 items"),
        ({"maxItems": 1}, [1, 2], "must NOT have more than 1 items"),
        (
            {"uniqueItems": True},
            [1, {"a": 1}, {"a": 1}],
            "must NOT have duplicate items (items ## 1 and 2 are identical)",
        ),
        ({"items": {"type": "string"}}, ["a", 1, 2], "1: must be string; 2: must be string"),
        ({"items": [{"type": "string"}], "additionalItems": False}, ["a", 1], "must NOT have more than 1 items"),
        (
            {"items": [{"type": "string"}], "additionalItems": {"type": "string"}},
            [1, 1],
            "0: must be string; 1: must be string",
        ),
        (
            {"prefixItems": [{"type": "string"}], "items": {"type": "number"}},
            [1, "x"],
            "0: must be string; 1: must be number",
        ),
        ({"prefixItems": [{"type": "string"}], "items": False}, ["a", "x"], "must NOT have more than 1 items"),
        ({"contains": {"type": "number"}}, ["a"], "0: must be number; must contain at least 1 valid item(s)"),
        ({"minProperties": 1}, {}, "must NOT have fewer than 1 properties"),
        ({"maxProperties": 1}, {"a": 1, "b": 2}, "must NOT have more than 1 properties"),
        (
            {
                "type": "object",
                "properties": {
                    "a": {"type": "string"},
                    "b": {"type": "object", "properties": {"c/d": {"type": "number"}}},
                },
                "required": ["a", "z"],
                "additionalProperties": False,
            },
            {"a": 1, "b": {"c/d": "x"}, "q": 1},
            "must have required property 'z'; must NOT have additional properties; a: must be string; "
            "b.c/d: must be number",
        ),
        ({"type": "object", "required": ["a"]}, [], "must be object"),
        ({"required": ["a"]}, [], ""),
        (
            {"properties": {"a": {"minLength": 3}}, "required": ["a", "b"]},
            {"a": "x"},
            "must have required property 'b'; a: must NOT have fewer than 3 characters",
        ),
        ({"additionalProperties": {"type": "string"}}, {"a": 1}, "a: must be string"),
        (
            {"patternProperties": {"^a": {"type": "string"}}, "additionalProperties": False},
            {"ab": 1, "b": 2},
            "must NOT have additional properties; ab: must be string",
        ),
        (
            {"propertyNames": {"maxLength": 1}},
            {"ab": 1},
            "must NOT have more than 1 characters; property name must be valid",
        ),
        (
            {"anyOf": [{"type": "string"}, {"type": "null"}]},
            1,
            "must be string; must be null; must match a schema in anyOf",
        ),
        ({"oneOf": [{"type": "string"}, {"minLength": 1}]}, "a", "must match exactly one schema in oneOf"),
        (
            {"oneOf": [{"type": "string"}, {"type": "null"}]},
            1,
            "must be string; must be null; must match exactly one schema in oneOf",
        ),
        ({"allOf": [{"type": "string"}, {"minLength": 2}]}, "a", "must NOT have fewer than 2 characters"),
        ({"not": {"type": "string"}}, "a", "must NOT be valid"),
        (
            {"if": {"type": "string"}, "then": {"minLength": 2}, "else": {"minimum": 2}},
            "a",
            'must NOT have fewer than 2 characters; must match "then" schema',
        ),
        (
            {"if": {"type": "string"}, "then": {"minLength": 2}, "else": {"minimum": 2}},
            1,
            'must be >= 2; must match "else" schema',
        ),
        (
            {
                "$defs": {"T": {"type": "object", "properties": {"c": {"$ref": "#/$defs/T"}, "n": {"type": "number"}}}},
                "$ref": "#/$defs/T",
            },
            {"c": {"n": "x"}},
            "c.n: must be number",
        ),
        (
            {"definitions": {"T": {"type": "number"}}, "properties": {"a": {"$ref": "#/definitions/T"}}},
            {"a": "x"},
            "a: must be number",
        ),
        (False, 1, "boolean schema is false"),
        ({"properties": {"a": False}}, {"a": 1}, "a: boolean schema is false"),
        ({"dependentRequired": {"a": ["b"]}}, {"a": 1}, "must have property b when property a is present"),
        (
            {"dependencies": {"a": ["b"], "c": {"required": ["d"]}}},
            {"a": 1, "c": 1},
            "must have property b when property a is present; must have required property 'd'",
        ),
        ({"type": "string", "minLength": 2, "nullable": True}, None, ""),
        ({"format": "email", "type": "string"}, "x", ""),
        ({"type": "string", "minimum": 3}, "x", ""),
        ({"type": "object", "properties": {"a": {"type": "string"}}}, {"a": None}, "a: must be string"),
        (
            {"$ref": "#/$defs/a", "$defs": {"a": {"type": "string"}}, "minLength": 3},
            "a",
            "must NOT have fewer than 3 characters",
        ),
        ({"enum": [True, 0]}, 1, "must be equal to one of the allowed values"),
        ({"const": {"a": [1]}}, {"a": [1]}, ""),
        ({"uniqueItems": True}, [1, True, 1], "must NOT have duplicate items (items ## 0 and 2 are identical)"),
        (
            {"minLength": 1, "type": "string", "pattern": "a", "maxLength": 0},
            "bb",
            'must NOT have more than 0 characters; must match pattern "a"',
        ),
        (
            {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "required": ["sku"],
                    "properties": {"sku": {"type": "string"}, "n": {"type": "integer", "minimum": 1}},
                },
            },
            [{"n": 0}, "x"],
            "0: must have required property 'sku'; 0.n: must be >= 1; 1: must be object",
        ),
        ({"pattern": "^a$"}, "a\n", 'must match pattern "^a$"'),
        ({"pattern": "a\\$"}, "a$\n", ""),
        ({"pattern": r"^\d$"}, "٣", r'must match pattern "^\d$"'),
        ({"additionalProperties": False}, {}, ""),
    ],
)
def test_check(schema: object, value: object, issues: str) -> None:
    assert format_issues(compile_validator(schema)(value)) == issues


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"$ref": "#/$defs/none"}, "can't resolve reference #/$defs/none"),
        ({"$ref": "https://example.com/x.json"}, "can't resolve reference"),
        ({"$ref": "#"}, "recursion"),
        ({"type": "nonsense"}, "there is no type 'nonsense'"),
        ({"pattern": "("}, "unterminated"),
        ({"minLength": "2"}, "not supported between"),
    ],
)
def test_a_schema_that_is_none_is_an_issue_and_not_an_exception(schema: object, message: str) -> None:
    ((path, text),) = compile_validator(schema)("x")
    assert path == ""
    assert text.startswith("schema is invalid: ")
    assert message in text


@pytest.mark.parametrize(
    ("value", "paths"),
    [
        ({"items": [{"sku": "a"}], "kind": "big"}, []),
        ({"items": [{"sku": "a", "count": 0}, {}]}, ["items.0.count", "items.1.sku"]),
        ("text", [""]),
    ],
)
def test_a_pydantic_model_checks_itself(value: object, paths: list[str]) -> None:
    issues = compile_validator(Order)(value)
    assert [issue.path for issue in issues] == paths
    assert all(issue.message for issue in issues)


def test_a_class_that_only_has_a_schema_is_checked_by_it() -> None:
    assert format_issues(compile_validator(Described)({})) == "must have required property 'a'"


def test_a_model_whose_check_raises_something_else() -> None:
    class Raising:
        @classmethod
        def model_validate(cls, value: object) -> None:
            raise RuntimeError("boom")

    assert compile_validator(Raising)(1) == [("", "boom")]


def test_json_schema_of_a_model_for_what_comes_in_and_what_goes_out() -> None:
    incoming: Any = to_json_schema(Order)
    assert incoming["properties"]["items"]["items"] == {"$ref": "#/$defs/Item"}
    assert incoming["$defs"]["Item"]["required"] == ["sku"]
    outgoing: Any = to_json_schema(Order, "output")
    assert outgoing["$defs"]["Item"]["required"] == ["sku", "label"]


@pytest.mark.parametrize(
    ("schema", "described"),
    [
        (
            {"$schema": "https://json-schema.org/draft/2020-12/schema", "enum": (Kind.BIG, None)},
            {"enum": ["big", None]},
        ),
        (None, None),
        (True, None),
        (Unwilling, None),
        ({"default": object()}, None),
    ],
)
def test_json_schema_is_plain_data_or_nothing(schema: object, described: object) -> None:
    assert to_json_schema(schema) == described
