"""Entries of a KV bucket over the reply mux: one round trip for each call, rejected at once on a disconnect."""

from __future__ import annotations

import asyncio
import base64
import re
import time
import uuid
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import orjson

from ..errors import MotiaError
from .connect import Broker
from .message import Message
from .publish import OVERTAKEN, WRONG_LAST_SEQUENCE, BrokerRefusal, check_stored, read_answer
from .retry import ride_out

RIDE_OUT_S: Final = 15.0
# While a bucket has no leader nobody answers: a read that is repeated often is there soon after the next one.
_LEADER_ANSWERS_S = 2.0
CATCHES_UP_S: Final = 0.01
"""A server that is behind the leader of a bucket is so for a moment."""
MOST_ENTRIES: Final = 5_000
MOST_BYTES: Final = 8 * 1024**2
"""What one request tells: so many entries, and no more when they have this size."""
_END_OF_BATCH, _NOT_FOUND, _TOO_MANY = 204, 404, 413
_SUBJECT: Final = "Nats-Subject"
_SEQUENCE: Final = "Nats-Sequence"
_CUT: Final = "Message Not Found"
_NO_MESSAGE = 10037
_NO_STREAM = 10059
ASKED: Final = "=asked"
"""First token of the keys that ask for the fate of a write; no encoded name is like it."""


class Entry:
    """A stored entry as the broker gives it back."""

    __slots__ = ("_message", "key", "revision")

    def __init__(self, key: str, message: Message, revision: int) -> None:
        self.key = key
        """The key within the bucket."""
        self.revision = revision
        """Its sequence in the bucket."""
        self._message = message

    @property
    def data(self) -> bytes:
        """Its value."""
        return self._message.data

    @property
    def removed(self) -> bool:
        """Whether it only marks a removal."""
        return self.header("KV-Operation") in ("DEL", "PURGE")

    def header(self, name: str) -> str:
        """A header of the entry, or `""`."""
        return self._message.header(name)


async def read_entry(broker: Broker, bucket: str, key: str) -> Entry | None:
    """The entry of a key, if there is one."""
    entry = await read_last(broker, bucket, key)
    return None if entry is None or entry.removed else entry


async def read_last(broker: Broker, bucket: str, key: str) -> Entry | None:
    """What was stored last under a key, which may be the mark of its removal."""
    return await (_ask_leader if broker.replicas > 1 else ask_anyone)(broker, bucket, key)


async def ask_anyone(broker: Broker, bucket: str, key: str) -> Entry | None:
    """What was stored last under a key, by direct get, which any server answers that has the bucket.

    One that is not its leader may be behind.
    """
    subject = f"$JS.API.DIRECT.GET.KV_{bucket}.$KV.{bucket}.{key}"
    message = await ride_out(broker, RIDE_OUT_S, lambda: broker.request(subject))
    if message.status == _NOT_FOUND:
        return None
    if message.status != 0:
        raise _refused(message)
    return _to_entry(key, message)


async def _ask_leader(broker: Broker, bucket: str, key: str) -> Entry | None:
    """What was stored last under a key, from the leader of the bucket, who has whatever was acknowledged."""
    subject = f"$KV.{bucket}.{key}"
    query = orjson.dumps({"last_by_subj": subject})

    async def attempt() -> Entry | None:
        try:
            reply = await broker.request(f"$JS.API.STREAM.MSG.GET.KV_{bucket}", query, timeout=_LEADER_ANSWERS_S)
            answer = read_answer(reply)
        except BrokerRefusal as refusal:
            if refusal.api_code == _NO_MESSAGE:
                return None
            if refusal.api_code == _NO_STREAM:
                raise MotiaError("BROKER_TIMEOUT", f"the broker has no bucket {bucket} yet") from refusal
            raise
        found = answer["message"]
        head = base64.b64decode(found.get("hdrs") or "") or None
        return Entry(key, Message(subject, "", base64.b64decode(found.get("data") or ""), head), found["seq"])

    return await ride_out(broker, RIDE_OUT_S, attempt)


async def ask_caught_up(broker: Broker, bucket: str, key: str) -> Entry | None:
    """What was stored last under a key, by subjects that name it: from anyone who is not behind the leader any more."""
    give_up = time.monotonic() + RIDE_OUT_S
    while revision := await _revision_at_leader(broker, bucket, key):
        entry = await ask_anyone(broker, bucket, key)
        if entry and entry.revision >= revision:
            return entry
        if time.monotonic() > give_up:
            raise MotiaError("BROKER_TIMEOUT", f"a server is behind the leader of {bucket}")
        await asyncio.sleep(CATCHES_UP_S)
    return None


# No sequence comes so far.
_NEVER: Final = str(2**53 - 1)
_NUMBER_AT_END: Final = re.compile(r"\d+$")


async def _revision_at_leader(broker: Broker, bucket: str, key: str) -> int:
    """The revision of what is stored last under a key, 0 for nothing.

    A write that expects another one is refused with it.
    """
    subject, headers = f"$KV.{bucket}.{key}", {"Nats-Expected-Last-Subject-Sequence": _NEVER}

    async def attempt() -> int:
        try:
            read_answer(await broker.request(subject, b"", headers))
        except BrokerRefusal as refusal:
            if refusal.api_code == WRONG_LAST_SEQUENCE and (found := _NUMBER_AT_END.search(refusal.message)):
                return int(found[0])
            raise
        raise MotiaError("BROKER_REFUSED", f"the broker has taken a write to {key} that it had to refuse")

    return await ride_out(broker, RIDE_OUT_S, attempt)


async def write_entry(
    broker: Broker, bucket: str, key: str, data: bytes, headers: Mapping[str, str] | None = None
) -> int:
    """Stores an entry, and gives its revision."""

    async def attempt() -> int:
        return int(read_answer(await broker.request(f"$KV.{bucket}.{key}", data, headers))["seq"])

    return await ride_out(broker, RIDE_OUT_S, attempt)


async def replace_entry(
    broker: Broker, bucket: str, key: str, data: bytes, revision: int, headers: Mapping[str, str] | None = None
) -> bool:
    """Stores an entry if the present one has just that revision, 0 for none.

    Tells whether it had. A write whose answer was lost with the connection is not taken for another's.
    """
    write = str(uuid.uuid4())
    expected = {"Nats-Msg-Id": write, "Nats-Expected-Last-Subject-Sequence": str(revision)}
    tries = 0

    async def attempt() -> bool:
        nonlocal tries
        tries += 1
        try:
            check_stored(await broker.request(f"$KV.{bucket}.{key}", data, {**expected, **(headers or {})}))
        except BrokerRefusal as refusal:
            if refusal.api_code not in (WRONG_LAST_SEQUENCE, OVERTAKEN):
                raise
            return False
        return True

    stored = await ride_out(broker, RIDE_OUT_S, attempt)
    return stored or (tries > 1 and await _was_stored(broker, bucket, write))


async def _was_stored(broker: Broker, bucket: str, write: str) -> bool:
    """Whether a write was stored, though another one may have replaced it since.

    The broker remembers for a while which message ids it has had: a message of the same id is stored only if the write
    was not. That one is of no other use, and goes soon.
    """
    question = f"{ASKED}.{write}"
    headers = {"Nats-Msg-Id": write, "KV-Operation": "DEL", "Nats-TTL": "60s"}

    async def ask() -> bool:
        return bool(read_answer(await broker.request(f"$KV.{bucket}.{question}", b"", headers)).get("duplicate"))

    if not await ride_out(broker, RIDE_OUT_S, ask):
        return False
    # The id may be known from the question itself, if that had to be asked again.
    return await _revision_at_leader(broker, bucket, question) == 0


async def read_entries(broker: Broker, bucket: str, filter: str) -> list[Entry]:
    """All entries whose key matches `filter` (a key, or a pattern such as `group.*`), in no promised order."""
    query = {"multi_last": [f"$KV.{bucket}.{filter}"], "max_bytes": MOST_BYTES}
    found = await _read_batch(broker, bucket, query)
    if found is not None and found.left == 0:
        return without_marks(found.entries)
    return await read_batches(lambda sequence: _read_from(broker, bucket, filter, sequence, MOST_ENTRIES))


class Batch(NamedTuple):
    """What the broker has told at once, marks of removals included."""

    entries: list[Entry]
    left: int
    """How many there are besides, since the broker ends at some size."""


async def read_batches(read: Callable[[int], Awaitable[Batch]]) -> list[Entry]:
    """All entries, by sequence. A key that is written meanwhile comes again, further on: its last value counts."""
    latest: dict[str, Entry] = {}
    sequence = 1
    while True:
        entries, left = await read(sequence)
        latest.update((entry.key, entry) for entry in entries)
        if left == 0:
            return without_marks(latest.values())
        sequence = entries[-1].revision + 1


class EntryPage(NamedTuple):
    """Some of the entries whose key matches, in the order of their revisions."""

    entries: list[Entry]
    next: int | None
    """There are more: after this revision."""


async def read_page(broker: Broker, bucket: str, filter: str, after: int, most: int) -> EntryPage:
    """Entries from the first one that has a higher revision than `after`.

    There are fewer than `most` when they are large, or when some of them are marks of removals.
    """
    return to_page(await _read_from(broker, bucket, filter, after + 1, most))


def to_page(batch: Batch) -> EntryPage:
    """The page that a batch is: without the marks in it."""
    return EntryPage(without_marks(batch.entries), batch.entries[-1].revision if batch.left > 0 else None)


async def read_keys(broker: Broker, bucket: str, filter: str, offset: int) -> tuple[dict[str, int], int]:
    """Some of the keys that match, those of marks too, without their values, and how many there are in all.

    With each key comes how many messages there are. `offset` is how many to leave out, in the order of their subjects.
    """
    subject, prefix = f"$JS.API.STREAM.INFO.KV_{bucket}", len(f"$KV.{bucket}.")
    query = orjson.dumps({"subjects_filter": f"$KV.{bucket}.{filter}", "offset": offset})

    async def attempt() -> dict[str, Any]:
        return read_answer(await broker.request(subject, query))

    answer = await ride_out(broker, RIDE_OUT_S, attempt)
    subjects: dict[str, int] = answer["state"].get("subjects") or {}
    return {key[prefix:]: count for key, count in subjects.items()}, answer.get("total", 0)


async def _read_from(broker: Broker, bucket: str, filter: str, sequence: int, most: int) -> Batch:
    subject = f"$KV.{bucket}.{filter}"
    query = {"seq": sequence, "next_by_subj": subject, "batch": most, "max_bytes": MOST_BYTES}
    batch = await _read_batch(broker, bucket, query)
    return batch if batch and batch.entries else Batch([], 0)


async def _read_batch(broker: Broker, bucket: str, query: Mapping[str, object]) -> Batch | None:
    """One direct get for several messages, which come one by one, and then a status. `None` if they are too many."""
    subject, body = f"$JS.API.DIRECT.GET.KV_{bucket}", orjson.dumps(query)
    replies = await ride_out(
        broker, RIDE_OUT_S, lambda: broker.request_many(subject, body, lambda message: message.status != 0)
    )
    status = replies.pop()
    if status.status == _TOO_MANY:
        return None
    if status.status not in (_END_OF_BATCH, _NOT_FOUND):
        raise _refused(status)
    # One that was removed in the middle of a `multi_last` ends it, with another description than when there are none.
    is_cut = status.status == _NOT_FOUND and status.description == _CUT
    prefix = len(f"$KV.{bucket}.")
    entries = [_to_entry(message.header(_SUBJECT)[prefix:], message) for message in replies]
    return Batch(entries, 1 if is_cut else int(status.header("Nats-Num-Pending") or 0))


def _to_entry(key: str, message: Message) -> Entry:
    return Entry(key, message, int(message.header(_SEQUENCE)))


def without_marks(entries: Iterable[Entry]) -> list[Entry]:
    """The entries that are no marks of removals."""
    return [entry for entry in entries if not entry.removed]


async def purge_entries(broker: Broker, bucket: str, filter: str) -> None:
    """Removes every entry whose key matches, without leaving markers."""
    await purge_subject(broker, f"KV_{bucket}", f"$KV.{bucket}.{filter}")


async def mark_removed(broker: Broker, bucket: str, key: str, ttl: int = 1) -> int:
    """Removes the entry of a key by a mark that goes by itself, and gives the revision of the mark.

    For who may write that key only: to purge a bucket is a permission for all that is in it.
    """
    return await write_entry(broker, bucket, key, b"", {"KV-Operation": "DEL", "Nats-TTL": f"{ttl}s"})


async def purge_subject(broker: Broker, stream: str, filter: str) -> None:
    """Removes every message of a stream whose subject matches."""
    body = orjson.dumps({"filter": filter})

    async def attempt() -> None:
        read_answer(await broker.request(f"$JS.API.STREAM.PURGE.{stream}", body))

    await ride_out(broker, RIDE_OUT_S, attempt)


def _refused(message: Message) -> MotiaError:
    return MotiaError("BROKER_REFUSED", f"the broker refused a read: {message.description}")


async def _remove_group(broker: Broker, bucket: str, filter: str) -> list[Entry]:
    entries = await read_entries(broker, bucket, filter)
    await purge_entries(broker, bucket, filter)
    return entries


@dataclass(frozen=True, slots=True)
class Reach:
    """How a bucket is read, and how what is in it is removed: that depends on what the broker lets this user do."""

    read_last: Callable[[Broker, str, str], Awaitable[Entry | None]]
    """As `read_last`."""
    read_entries: Callable[[Broker, str, str], Awaitable[list[Entry]]]
    """As `read_entries`."""
    read_page: Callable[[Broker, str, str, int, int], Awaitable[EntryPage]]
    """As `read_page`."""
    remove: Callable[[Broker, str, str], Awaitable[object]]
    """Removes the entry of a key."""
    remove_group: Callable[[Broker, str, str], Awaitable[list[Entry]]]
    """Removes the entries of a group, whose pattern it is given, and gives those that were there."""


WHOLE_BUCKET: Final = Reach(read_last, read_entries, read_page, purge_entries, _remove_group)
"""For who may do all with the bucket: by requests that say in their body what they ask, and leave no marks."""
