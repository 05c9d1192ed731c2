"""Parses request bodies by their content type."""

from __future__ import annotations

import re
from typing import NamedTuple

from ...json_values import JsonValue, from_json
from ...types import UploadedFile
from .bad_request import BadRequest
from .form import parse_form
from .multipart import parse_multipart

_CHARSET = re.compile(r';\s*charset\s*=\s*"?([^\s;"]+)', re.IGNORECASE)
_CODECS = {"utf-8": "utf-8", "utf8": "utf-8", "us-ascii": "utf-8", "iso-8859-1": "latin-1", "latin1": "latin-1"}
# Whether a key `__proto__` is possible, written out or with escapes.
_PROTO = re.compile(r"__proto__|\\u00[5-7]")


class ParsedBody(NamedTuple):
    """The part of a request that comes from its body; see `ApiRequest`."""

    body: object
    raw_body: str | bytes
    files: list[UploadedFile] | None = None
    """`None` if the body is no form that may hold files."""


def parse_body(content_type: str, data: bytes) -> ParsedBody:
    """Raises `BadRequest`, and nothing else."""
    if not data:
        return ParsedBody({}, "")
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/json" or kind.endswith("+json"):
        text = _decode(content_type, data)
        return ParsedBody(_parse_json(text, data), text)
    if kind == "application/x-www-form-urlencoded":
        text = _decode(content_type, data)
        return ParsedBody(parse_form(text), text)
    if kind.startswith("text/"):
        text = _decode(content_type, data)
        return ParsedBody(text, text)
    if kind == "multipart/form-data":
        fields, files = parse_multipart(content_type, data)
        return ParsedBody(fields, data, files)
    return ParsedBody(data, data)


def _decode(content_type: str, data: bytes) -> str:
    charset = _CHARSET.search(content_type)
    name = charset[1].lower() if charset else "utf-8"
    codec = _CODECS.get(name)
    if codec is None:
        raise BadRequest(415, f"Charset {name} is not supported.")
    return data.decode(codec, "replace").removeprefix("\ufeff")


def _parse_json(text: str, data: bytes) -> JsonValue:
    """Objects and arrays only: handlers count on `req["body"].get(...)` not to raise."""
    try:
        # As long as the text and ASCII, the bytes are its UTF-8.
        value = from_json(data if text.isascii() and len(text) == len(data) else text.encode())
    except ValueError as error:
        raise BadRequest(400, f"Body is not valid JSON: {error}") from error
    if not isinstance(value, (dict, list)):
        raise BadRequest(400, "Body must be a JSON object or array.")
    if _PROTO.search(text):
        _remove_proto(value)
    return value


def _remove_proto(root: JsonValue) -> None:
    """Drops keys `__proto__`, which are dangerous to JavaScript, wherever the body goes from here."""
    pending = [root]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            node.pop("__proto__", None)
            pending.extend(node.values())
        elif isinstance(node, list):
            pending.extend(node)
