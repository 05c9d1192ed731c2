"""Turns what a handler returns into an HTTP response."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from ...errors import MotiaError, to_error_record
from ...json_values import to_json
from .chunk_source import ChunkSource, to_chunk_source


class EncodedResponse(NamedTuple):
    """A response as the gateway sends it."""

    status: int
    """200 to 599."""
    headers: list[tuple[str, str]]
    """Lower-cased names; a header with several values appears several times."""
    body: bytes | bytearray | memoryview | ChunkSource


class InvalidResponse(Exception):
    """A handler returned something that is not a response. The message is for the log, not for the client."""


_MISSING = object()

# They describe the connection between client and gateway, which a handler does not see.
_CONNECTION_HEADERS = frozenset(
    {
        "connection",
        "content-length",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
BODILESS_STATUS = frozenset({204, 205, 304})
"""Answers of these statuses have no body."""

_HEADER_NAME = re.compile(r"[\w!#$%&'*+.^`|~-]+", re.ASCII)
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_CHARSET = re.compile(r";\s*charset\s*=[^;]*", re.IGNORECASE)

_Headers = dict[str, list[str]]


def encode_response(value: object) -> EncodedResponse:
    """`value` is a dict with `status`, `headers` and `body`, or an object with those attributes.

    Bytes and text are sent as they are, what can be streamed is, any other body is sent as JSON, a missing one as an
    empty one. Headers of the connection, such as `content-length`, are dropped. Raises `InvalidResponse`, and nothing
    else.
    """
    try:
        return _encode(value)
    except InvalidResponse:
        raise
    except Exception as error:  # a property of the handler's raised
        raise InvalidResponse(f"The response cannot be read: {to_error_record(error)['message']}") from error


def _encode(value: object) -> EncodedResponse:
    if isinstance(value, Mapping):
        status, headers, body = value.get("status"), value.get("headers"), value.get("body", _MISSING)
    elif hasattr(value, "status"):
        status, headers = getattr(value, "status", None), getattr(value, "headers", None)
        body = getattr(value, "body", _MISSING)
    else:
        raise InvalidResponse(f"The handler returned {_describe(value)}, not a response.")
    status = _check_status(status)
    checked = _check_headers(headers)
    if status in BODILESS_STATUS:
        checked.pop("content-type", None)
        encoded = to_chunk_source(body) or b""  # to be closed
    else:
        encoded = _encode_body(body, checked)
    return EncodedResponse(status, [(name, one) for name, values in checked.items() for one in values], encoded)


def _describe(value: object) -> str:
    return "None" if value is None else f"a value of type {type(value).__name__}"


def _check_status(status: object) -> int:
    if isinstance(status, int) and not isinstance(status, bool) and 200 <= status <= 599:
        return int(status)
    found = status if isinstance(status, int) else type(status).__name__
    raise InvalidResponse(f"The response needs a status, an integer from 200 to 599. Found: {found}.")


def _check_headers(headers: object) -> _Headers:
    if headers is None:
        return {}
    if not isinstance(headers, Mapping):
        raise InvalidResponse("The headers of a response must be a dict.")
    checked: _Headers = {}
    for key, value in headers.items():
        name = key.lower() if isinstance(key, str) else ""
        if not _HEADER_NAME.fullmatch(name):
            raise InvalidResponse(f"Invalid header name: {key!r}.")
        if name in _CONNECTION_HEADERS:
            continue
        values = value if isinstance(value, (list, tuple)) else (value,)
        checked[name] = [_check_header_value(name, one) for one in values]
    return checked


def _check_header_value(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, (str, int, float)):
        raise InvalidResponse(f"Header {name} must be a string. Found: {type(value).__name__}.")
    text = str(value)
    if not _HEADER_VALUE.fullmatch(text):
        raise InvalidResponse(f"Header {name} holds characters that HTTP does not allow.")
    return text


def _encode_body(body: object, headers: _Headers) -> bytes | bytearray | memoryview | ChunkSource:
    """Also fills in the content type."""
    if body is _MISSING:
        return b""
    data = _to_bytes(body)
    if data is not None:
        headers.setdefault("content-type", ["application/octet-stream"])
        return data
    chunks = to_chunk_source(body)
    if chunks is not None:
        headers.setdefault("content-type", ["text/plain; charset=utf-8"])
        return chunks
    named = headers.get("content-type")
    kind = named[0] if named else "text/html" if isinstance(body, str) else "application/json"
    if named:  # whatever the handler named: text leaves as UTF-8
        kind = _CHARSET.sub("", kind)
    headers["content-type"] = [f"{kind}; charset=utf-8"]
    return body.encode("utf-8", "replace") if isinstance(body, str) else _write_json(body)


def _to_bytes(body: object) -> bytes | bytearray | memoryview | None:
    """A buffer of a TypeScript step that has been through JSON, as state and events are, counts as bytes."""
    if isinstance(body, (bytes, bytearray)):
        return body
    if isinstance(body, memoryview):
        return body if body.c_contiguous and body.itemsize == 1 else body.tobytes()
    data = body.get("data") if isinstance(body, dict) and body.get("type") == "Buffer" else None
    if isinstance(data, list) and all(type(byte) is int and 0 <= byte <= 255 for byte in data):
        return bytes(data)
    return None


def _write_json(body: object) -> bytes:
    try:
        return to_json(body)
    except MotiaError as error:
        raise InvalidResponse(f"The body cannot be written as JSON: {error}") from error
    except Exception as error:  # a method of a model raised
        raise InvalidResponse(f"The body cannot be written as JSON: {to_error_record(error)['message']}") from error
