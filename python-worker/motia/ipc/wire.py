"""The form of messages between the broker process and a handler process: `[u32 length][u8 kind][u32 slot][payload]`.

Both write what they have to say in one turn of the event loop together.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, NamedTuple

import orjson

_HEAD: Final = struct.Struct("<IBI")
_KEY: Final = struct.Struct("<H")
_LIMIT: Final = struct.Struct("<I")
_RESULT: Final = struct.Struct("<BdI")
_TAKEN: Final = struct.Struct("<Q")


class Kind(IntEnum):
    """What a message is."""

    # To the handler process
    LOAD = 1
    """The first message: what to load. JSON of a `LoadOrder`."""
    RUN_API = 2
    """A call to be had, if its ticket can be claimed: step key and request frame."""
    RUN_EVENT = 3
    """An event, likewise: step key, limit, JSON of `EventMeta`, payload."""
    WITHDRAWN = 4
    """The run will not be had here; answered by the same kind, from then on its slot is free."""
    ABORT = 5
    """Nobody waits for the run any more. Text with the reason."""
    PING = 6
    SETTINGS = 7
    """JSON of the HTTP settings of the manifest, which have changed."""
    CLOSE = 8
    RUN_CRON = 9
    """A tick, likewise: step key, JSON of `TickMeta`."""
    CREDIT = 10
    """How many bytes of its streamed answer the caller of a run has taken."""
    # From the handler process
    READY = 16
    """JSON of `LoadedApp`."""
    RESULT = 17
    LOG = 18
    """A finished JSON line."""
    PONG = 19
    FRAME = 20
    """A reply frame of a streamed answer, which is not the last one."""
    SPANS = 21
    """Ended spans, to be stored: how many more were dropped, and a JSON line for each."""
    CONSOLE = 22
    """A finished JSON line that is stored, and not printed: the handler has done that."""


class Status(IntEnum):
    """How a run ended in its handler process."""

    REPLIED = 0
    """The detail is a complete reply frame, the last one."""
    SUCCEEDED = 1
    FAILED = 2
    """The detail is the JSON of an `ErrorRecord`."""
    UNKNOWN = 3
    """The process's version of the app has no such step."""
    LOST = 4
    """Not started: the lease was over, so the run's message may be with another worker by now."""


@dataclass(frozen=True, slots=True)
class EventMeta:
    """An event as the handler process needs it."""

    id: str
    topic: str
    attempt: int
    traceparent: str
    link: str | None = None
    """`traceparent` of related work, to be linked to."""


@dataclass(frozen=True, slots=True)
class TickMeta:
    """A tick as the handler process needs it."""

    id: str
    tick: int
    """The time that it stands for, ms since 1970."""


class Result(NamedTuple):
    """How a run ended. `took_ms`: from the start of the handler to its end, 0 if it did not start.

    `emits`: how many events it emitted.
    """

    status: Status
    took_ms: float
    emits: int
    detail: bytes


def pack(kind: Kind, slot: int = 0, payload: bytes = b"") -> bytes:
    """Any message."""
    return _HEAD.pack(_HEAD.size + len(payload), kind, slot) + payload


def step_key(file: str, step_id: str) -> bytes:
    """Names a step in run messages. The id goes along because it may change while the file stays the same."""
    key = f"{file}\0{step_id}".encode()
    return _KEY.pack(len(key)) + key


def parse_step_key(key: bytes) -> tuple[str, str]:
    """File and id of a step."""
    file, _, step_id = key.decode().partition("\0")
    return file, step_id


def pack_call(slot: int, key: bytes, frame: bytes) -> bytes:
    """A `RUN_API` message; `key` as made by `step_key`."""
    return _HEAD.pack(_HEAD.size + len(key) + len(frame), Kind.RUN_API, slot) + key + frame


def pack_event(slot: int, key: bytes, meta: EventMeta, limit: int, payload: bytes) -> bytes:
    """A `RUN_EVENT` message; `key` as made by `step_key`, `limit` is how many of its step may run at a time."""
    json = orjson.dumps(meta)
    rest = b"".join((key, _LIMIT.pack(limit), _KEY.pack(len(json)), json))
    return _HEAD.pack(_HEAD.size + len(rest) + len(payload), Kind.RUN_EVENT, slot) + rest + payload


def pack_tick(slot: int, key: bytes, meta: TickMeta) -> bytes:
    """A `RUN_CRON` message; `key` as made by `step_key`."""
    return pack(Kind.RUN_CRON, slot, key + orjson.dumps(meta))


def unpack_tick(rest: memoryview) -> TickMeta:
    """What follows the key of a `RUN_CRON` message."""
    return TickMeta(**orjson.loads(rest))


def unpack_key(payload: memoryview) -> tuple[bytes, memoryview]:
    """The key of a run message, and what follows it."""
    (length,) = _KEY.unpack_from(payload)
    end = _KEY.size + length
    return bytes(payload[_KEY.size : end]), payload[end:]


def unpack_limit(rest: memoryview) -> tuple[int, memoryview]:
    """The limit that follows the key of a `RUN_EVENT` message, and what follows it."""
    (limit,) = _LIMIT.unpack_from(rest)
    return limit, rest[_LIMIT.size :]


def unpack_event(rest: memoryview) -> tuple[EventMeta, memoryview]:
    """What follows the limit of a `RUN_EVENT` message."""
    json, payload = unpack_key(rest)
    return EventMeta(**orjson.loads(json)), payload


def pack_result(slot: int, status: Status, took_ms: float, emits: int, detail: bytes = b"") -> bytes:
    """A `RESULT` message."""
    size = _HEAD.size + _RESULT.size + len(detail)
    return b"".join((_HEAD.pack(size, Kind.RESULT, slot), _RESULT.pack(status, took_ms, emits), detail))


def unpack_result(payload: memoryview) -> Result:
    """What a `RESULT` message says."""
    status, took_ms, emits = _RESULT.unpack_from(payload)
    return Result(Status(status), took_ms, emits, bytes(payload[_RESULT.size :]))


def pack_credit(slot: int, taken: int) -> bytes:
    """A `CREDIT` message."""
    return pack(Kind.CREDIT, slot, _TAKEN.pack(taken))


def unpack_credit(payload: memoryview) -> int:
    """What a `CREDIT` message says."""
    taken: int = _TAKEN.unpack(payload)[0]
    return taken


def pack_spans(lines: list[bytes], dropped: int) -> bytes:
    """A `SPANS` message."""
    return pack(Kind.SPANS, 0, _LIMIT.pack(dropped) + b"\n".join(lines))


def unpack_spans(payload: memoryview) -> tuple[list[bytes], int]:
    """The lines of a `SPANS` message, and how many spans were dropped."""
    (dropped,) = _LIMIT.unpack_from(payload)
    return bytes(payload[_LIMIT.size :]).split(b"\n"), dropped


class Unpacker:
    """Takes a stream of bytes apart."""

    def __init__(self) -> None:
        # Of the message that is not complete yet: what is here, and how much is surely missing.
        self._chunks: list[bytes] = []
        self._missing = 0

    def feed(self, data: bytes) -> Iterator[tuple[int, int, memoryview]]:
        """Kind, slot and payload of each message that is complete by now."""
        if self._chunks:
            self._chunks.append(data)
            self._missing -= len(data)
            if self._missing > 0:
                return
            data = b"".join(self._chunks)
        view = memoryview(data)
        at, end = 0, len(data)
        needed = _HEAD.size
        while end - at >= _HEAD.size:
            length, kind, slot = _HEAD.unpack_from(view, at)
            if end - at < length:
                needed = length
                break
            yield kind, slot, view[at + _HEAD.size : at + length]
            at += length
        self._chunks = [bytes(view[at:])] if at < end else []
        self._missing = needed - (end - at)


class LoadOrder(NamedTuple):
    """What a handler process is told to load."""

    files: list[str]
    """Step and stream files, relative to the project."""
    settings: dict[str, Any]
    """HTTP settings of the manifest."""


class LoadedApp(NamedTuple):
    """What a handler process found when it loaded the steps."""

    steps: list[dict[str, Any]]
    """Manifest entries."""
    streams: list[dict[str, Any]]
    """Manifest entries."""
    failures: list[dict[str, Any]]
    """`file`, `message`, and `line`, `column` where they are known."""
    warnings: list[str]
