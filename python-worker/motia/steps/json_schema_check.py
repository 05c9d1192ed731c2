"""Checks JSON values against a JSON Schema, draft 7 or 2020-12, with the messages of the TypeScript worker's validator.

Keywords and formats that it does not know are notes to people; references are followed within the schema. That is what
schemas of requests and events use, without a package that every project would have to install.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import unquote

Issue: TypeAlias = tuple[tuple[str, ...], str]
"""Where in the value, and what is wrong there."""


@dataclass(frozen=True, slots=True)
class _Place:
    """A part of the value that meets a part of the schema."""

    root: object
    """The whole schema."""
    schema: object
    value: Any
    path: tuple[str, ...] = ()

    def issues(self) -> Iterator[Issue]:
        if self.schema is False:
            yield self.path, "boolean schema is false"
        if not isinstance(self.schema, Mapping):
            return
        for applies, rules in _RULES:
            if applies(self.value):
                for keyword, rule in rules.items():
                    if keyword in self.schema:
                        yield from rule(self, self.schema[keyword])

    def by(self, schema: object) -> _Place:
        return _Place(self.root, schema, self.value, self.path)

    def member(self, key: object, schema: object) -> Iterator[Issue]:
        return _Place(self.root, schema, self.value[key], (*self.path, str(key))).issues()

    def fits(self, schema: object) -> bool:
        return next(self.by(schema).issues(), None) is None


def check_json_schema(schema: object, value: object) -> list[Issue]:
    """Everything that is wrong with a value. Raises whatever comes of a schema that is none."""
    return list(_Place(schema, schema, value).issues())


Rule: TypeAlias = Callable[[_Place, Any], Iterator[Issue]]


def _fail_if(fails: Callable[[Any, Any], bool], message: str) -> Rule:
    def rule(at: _Place, argument: Any) -> Iterator[Issue]:
        if fails(at.value, argument):
            yield at.path, message.format(argument)

    return rule


def _type(at: _Place, wanted: Any) -> Iterator[Issue]:
    names = [wanted] if isinstance(wanted, str) else wanted
    unknown = [name for name in names if name not in _TYPES]
    if unknown:
        raise ValueError(f"there is no type {', '.join(map(repr, unknown))}")
    nullable = isinstance(at.schema, Mapping) and at.schema.get("nullable") is True and at.value is None
    if not nullable and not any(_TYPES[name](at.value) for name in names):
        yield at.path, f"must be {','.join(names)}"


def _reference(at: _Place, reference: str) -> Iterator[Issue]:
    part: Any = at.root
    try:
        if reference[:1] != "#" or reference[1:2] not in ("", "/"):
            raise LookupError
        for step in reference[1:].split("/")[1:]:
            key = unquote(step).replace("~1", "/").replace("~0", "~")
            part = part[int(key) if isinstance(part, list) else key]
    except (LookupError, TypeError, ValueError):
        raise LookupError(f"can't resolve reference {reference} from id #") from None
    return at.by(part).issues()


def _any_of(at: _Place, schemas: list[object]) -> Iterator[Issue]:
    if not any(at.fits(schema) for schema in schemas):
        for schema in schemas:
            yield from at.by(schema).issues()
        yield at.path, "must match a schema in anyOf"


def _one_of(at: _Place, schemas: list[object]) -> Iterator[Issue]:
    fitting = [at.fits(schema) for schema in schemas].count(True)
    if fitting == 1:
        return
    if fitting == 0:
        for schema in schemas:
            yield from at.by(schema).issues()
    yield at.path, "must match exactly one schema in oneOf"


def _all_of(at: _Place, schemas: list[object]) -> Iterator[Issue]:
    for schema in schemas:
        yield from at.by(schema).issues()


def _not(at: _Place, schema: object) -> Iterator[Issue]:
    if at.fits(schema):
        yield at.path, "must NOT be valid"


def _if(at: _Place, condition: object) -> Iterator[Issue]:
    branch = "then" if at.fits(condition) else "else"
    issues = list(at.by(at.schema.get(branch)).issues()) if isinstance(at.schema, Mapping) else []
    if issues:
        yield from issues
        yield at.path, f'must match "{branch}" schema'


def _unique(at: _Place, wanted: object) -> Iterator[Issue]:
    seen: dict[Hashable, int] = {}
    for index, item in enumerate(at.value if wanted is True else ()):
        first = seen.setdefault(_identity(item), index)
        if first != index:
            yield at.path, f"must NOT have duplicate items (items ## {first} and {index} are identical)"
            return


def _prefix_items(at: _Place, schemas: list[object]) -> Iterator[Issue]:
    for index, schema in enumerate(schemas[: len(at.value)]):
        yield from at.member(index, schema)


def _items(at: _Place, schema: Any) -> Iterator[Issue]:
    others = at.schema if isinstance(at.schema, Mapping) else {}
    if isinstance(schema, list):  # as draft 7 writes what 2020-12 calls `prefixItems`
        yield from _prefix_items(at, schema)
        yield from _further_items(at, len(schema), others.get("additionalItems"))
    else:
        yield from _further_items(at, len(others.get("prefixItems", ())), schema)


def _further_items(at: _Place, first: int, schema: object) -> Iterator[Issue]:
    if schema is False and len(at.value) > first:
        yield at.path, f"must NOT have more than {first} items"
        return
    for index in range(first, len(at.value)):
        yield from at.member(index, schema)


def _contains(at: _Place, schema: object) -> Iterator[Issue]:
    issues = [list(at.member(index, schema)) for index in range(len(at.value))]
    if all(issues):
        for of_item in issues:
            yield from of_item
        yield at.path, "must contain at least 1 valid item(s)"


def _required(at: _Place, names: list[str]) -> Iterator[Issue]:
    for name in names:
        if name not in at.value:
            yield at.path, f"must have required property '{name}'"


def _dependencies(at: _Place, dependencies: Mapping[str, Any]) -> Iterator[Issue]:
    for name, needed in dependencies.items():
        if name not in at.value:
            continue
        if not isinstance(needed, list):
            yield from at.by(needed).issues()
            continue
        for other in needed:
            if other not in at.value:
                yield at.path, f"must have property {other} when property {name} is present"


def _property_names(at: _Place, schema: object) -> Iterator[Issue]:
    for name in at.value:
        issues = list(_Place(at.root, schema, name, at.path).issues())
        if issues:
            yield from issues
            yield at.path, "property name must be valid"


def _properties(at: _Place, schemas: Mapping[str, object]) -> Iterator[Issue]:
    for name, schema in schemas.items():
        if name in at.value:
            yield from at.member(name, schema)


def _pattern_properties(at: _Place, schemas: Mapping[str, object]) -> Iterator[Issue]:
    for pattern, schema in schemas.items():
        for name in at.value:
            if _found(pattern, name):
                yield from at.member(name, schema)


def _additional_properties(at: _Place, schema: object) -> Iterator[Issue]:
    others = at.schema if isinstance(at.schema, Mapping) else {}
    for name in at.value:
        if name in others.get("properties", ()) or any(
            _found(each, name) for each in others.get("patternProperties", ())
        ):
            continue
        if schema is False:
            yield at.path, "must NOT have additional properties"
        else:
            yield from at.member(name, schema)


def _found(pattern: str, text: str) -> bool:
    # In JavaScript `$` is the very end, in Python a line break may follow it.
    strict = re.sub(r"(?<!\\)((?:\\\\)*)\$$", r"\1\\Z", pattern)
    return re.search(strict, text, re.ASCII) is not None


def _identity(value: Any) -> Hashable:
    """The same for values that JSON does not tell apart: 1 and 1.0, but not 1 and true."""
    if isinstance(value, Mapping):
        return "object", frozenset((key, _identity(item)) for key, item in value.items())
    if isinstance(value, list):
        return "array", *map(_identity, value)
    return isinstance(value, bool), value


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_list(value: object) -> bool:
    return isinstance(value, list)


def _is_object(value: object) -> bool:
    return isinstance(value, Mapping)


_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: _is_number(value) and value == value // 1,
    "number": _is_number,
    "string": _is_text,
    "array": _is_list,
    "object": _is_object,
}
_RULES: tuple[tuple[Callable[[object], bool], Mapping[str, Rule]], ...] = (
    (lambda _value: True, {"type": _type, "$ref": _reference}),
    (
        _is_number,
        {
            "minimum": _fail_if(operator.lt, "must be >= {}"),
            "maximum": _fail_if(operator.gt, "must be <= {}"),
            "exclusiveMinimum": _fail_if(operator.le, "must be > {}"),
            "exclusiveMaximum": _fail_if(operator.ge, "must be < {}"),
            "multipleOf": _fail_if(lambda value, step: value / step % 1 != 0, "must be multiple of {}"),
        },
    ),
    (
        _is_text,
        {
            "minLength": _fail_if(lambda text, least: len(text) < least, "must NOT have fewer than {} characters"),
            "maxLength": _fail_if(lambda text, most: len(text) > most, "must NOT have more than {} characters"),
            "pattern": _fail_if(lambda text, pattern: not _found(pattern, text), 'must match pattern "{}"'),
        },
    ),
    (
        lambda _value: True,
        {
            "const": _fail_if(
                lambda value, constant: _identity(value) != _identity(constant), "must be equal to constant"
            ),
            "enum": _fail_if(
                lambda value, allowed: _identity(value) not in map(_identity, allowed),
                "must be equal to one of the allowed values",
            ),
            "not": _not,
            "anyOf": _any_of,
            "oneOf": _one_of,
            "allOf": _all_of,
            "if": _if,
        },
    ),
    (
        _is_list,
        {
            "minItems": _fail_if(lambda items, least: len(items) < least, "must NOT have fewer than {} items"),
            "maxItems": _fail_if(lambda items, most: len(items) > most, "must NOT have more than {} items"),
            "uniqueItems": _unique,
            "prefixItems": _prefix_items,
            "items": _items,
            "contains": _contains,
        },
    ),
    (
        _is_object,
        {
            "minProperties": _fail_if(
                lambda value, least: len(value) < least, "must NOT have fewer than {} properties"
            ),
            "maxProperties": _fail_if(lambda value, most: len(value) > most, "must NOT have more than {} properties"),
            "required": _required,
            "dependentRequired": _dependencies,
            "dependentSchemas": _dependencies,
            "dependencies": _dependencies,
            "propertyNames": _property_names,
            "additionalProperties": _additional_properties,
            "patternProperties": _pattern_properties,
            "properties": _properties,
        },
    ),
)
