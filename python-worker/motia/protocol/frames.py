"""The frame around an HTTP request or a reply: `[u32 big-endian length of meta][meta as JSON][body bytes]`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, TypeAlias, TypedDict

import orjson

from .encoding import to_utf8


class _RequestBlob(TypedDict, total=False):
    blob: str
    """Object-store name of a body above the broker's message limit."""


class RequestMeta(_RequestBlob):
    """What a worker needs of an HTTP request besides the body."""

    v: int
    """Protocol major version."""
    id: str
    """Request id: identity of the run for deduplication and logs."""
    reply: str
    """Subject the reply frames go to."""
    startBy: int
    """When nobody waits for a worker to begin any more, ms since 1970."""
    deadline: int
    """When nobody waits for the answer any more, ms since 1970."""
    traceparent: str
    method: str
    url: str
    """Path and query as the client sent them."""
    params: dict[str, str]
    headers: dict[str, str | list[str]]


class _SignNumber(TypedDict, total=False):
    n: int
    """Of a `beat` while the answer is streamed: the number that the next chunk will have."""


class SignMeta(_SignNumber):
    """Reply frame: a worker has the call (`started`), and still has it (`beat`)."""

    t: Literal["started", "beat"]


class HeadMeta(TypedDict):
    """First reply frame of an answer that is streamed."""

    t: Literal["head"]
    status: int
    headers: list[tuple[str, str]]


class ChunkMeta(TypedDict):
    """Reply frame with the next bytes of such an answer, numbered from 1; or its last one, numbered like one more."""

    t: Literal["chunk", "end"]
    n: int


class _EndBlob(TypedDict, total=False):
    blob: str


class EndMeta(_EndBlob):
    """Last reply frame of a call that was answered; the frame's body is the response's."""

    t: Literal["end"]
    status: int
    headers: list[tuple[str, str]]


class _ErrorId(TypedDict, total=False):
    id: str
    """The error id in the log."""


class ErrorMeta(_ErrorId):
    """Last reply frame of a call without a response. `message` goes to the client as it is."""

    t: Literal["error"]
    status: int
    message: str


Credit: TypeAlias = int | Literal["gone"]
"""What a gateway says of a streamed answer: bytes of its body that the client has taken so far, or that it is `GONE`:
nobody wants the rest.
"""
GONE: Final = "gone"

STREAM_WINDOW: Final = 512 * 1024
"""Bytes of a streamed body that may be on their way: sent, and not known to be taken."""
LARGEST_CHUNK: Final = 64 * 1024
"""Bytes of the largest chunk."""


def decode_credit(data: bytes) -> Credit | None:
    """Reads what a gateway says of a streamed answer; `None` for anything else."""
    try:
        said = orjson.loads(data)
    except ValueError:
        return None
    if not isinstance(said, dict):
        return None
    if said.get("gone") is True:
        return GONE
    taken = said.get("taken")
    return taken if type(taken) is int else None


def encode_frame(meta: Mapping[str, object], body: bytes | bytearray | memoryview | str = b"") -> bytes:
    """Writes a frame around `RequestMeta` or one of the reply metas. `body` may be text."""
    json = orjson.dumps(meta)
    return b"".join((len(json).to_bytes(4, "big"), json, to_utf8(body) if isinstance(body, str) else body))


def decode_frame(data: bytes | bytearray | memoryview) -> tuple[dict[str, Any], memoryview]:
    """Reads a frame: its meta, and its body as a view on `data`.

    Raises `ValueError` if the bytes are no frame.
    """
    view = memoryview(data)
    end = 4 + int.from_bytes(view[:4], "big")
    if end > len(view):
        raise ValueError("frame is shorter than its meta length says")
    meta = orjson.loads(view[4:end])
    if not isinstance(meta, dict):
        raise ValueError("meta of the frame is no object")
    return meta, view[end:]
