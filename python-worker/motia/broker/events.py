"""Events on the broker: emitted, waiting for another attempt, dead."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import datetime, timezone

import orjson

from ..protocol.headers import PROTOCOL_VERSION, Header, decode_text, encode_text
from ..protocol.subjects import Names
from .blobs import BlobStore
from .connect import Broker
from .delivery import Delivery
from .publish import publish_first, publish_stored

_MOST_SUBJECTS = 1_000
# Room that the error of a dead letter has among its headers: half of what a message has for all of them.
_LONGEST_ERROR = 32 * 1024


@dataclass(slots=True)
class EventEnvelope:
    """An event as a step's worker reads it from a delivery."""

    id: str
    topic: str
    attempt: int
    emitted_at: int
    """Ms since 1970."""
    traceparent: str = ""
    protocol: int | None = None
    """Major version of the protocol that the message speaks, if it says so."""
    group: str | None = None
    blob: str | None = None
    """Name of the payload in the object store, when it is too large for a message."""
    retried_from: int | None = None
    """Of a dead letter that was retried: the sequence that it had among the dead letters."""
    link: str | None = None
    """Of the same: `traceparent` of the emit."""
    only_for: str | None = None
    """Id of the only step that is to run it; every subscription of the topic without."""


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event that is emitted."""

    id: str
    topic: str
    json: bytes
    """JSON of the payload."""
    traceparent: str
    group: str | None = None
    message_id: str | None = None
    """What the broker knows its repetitions by; the id without."""
    at: int | None = None
    """When it is to be delivered, ms since 1970; at once without."""
    emitted_at: int | None = None
    """When it was emitted, ms since 1970; now without."""


@dataclass(frozen=True, slots=True)
class DeadReason:
    """Why an event is dead."""

    step: str
    durable: str
    error: str
    """JSON of an `ErrorRecord`."""


class EventStore:
    """Events of one app."""

    def __init__(self, broker: Broker, names: Names) -> None:
        self._broker = broker
        self._names = names
        self._payloads = BlobStore(broker, names.buckets.payloads)
        # Subjects of the topics seen first; there are not many.
        self._subjects: dict[str, str] = {}

    async def emit(self, event: NewEvent) -> None:
        """Stores an event; returns when the broker has it.

        The same message id within two minutes is stored once; with a delay, also for as long as the first one waits.
        Raises `MotiaError` as `publish_stored`.
        """
        message_id = event.message_id or event.id
        headers = {Header.MESSAGE_ID: message_id, Header.TRACEPARENT: event.traceparent}
        if event.message_id is not None:
            # What comes again after the time that repetitions are known for is another event.
            headers[Header.EVENT_ID] = event.id
        if event.group is not None:
            headers[Header.GROUP] = encode_text(event.group)
        body = event.json
        if self._payloads.needed(len(body)):
            headers[Header.BLOB] = await self._payloads.put(body)
            body = b""
        if event.at is None:
            subject = (
                self._subject_of(event.topic) if event.group is None else self._names.event(event.topic, event.group)
            )
            await publish_stored(self._broker, subject, body, headers)
            return
        headers[Header.EVENT_ID] = event.id  # the message id stays with the schedule
        headers[Header.EMITTED_AT] = str(event.emitted_at or round(time.time() * 1000))
        if self._broker.locked:
            await self._book(self._names.book_event(event.topic, event.group), body, headers, event.at)
            return
        headers |= _schedule(event.at, self._names.fire_event(event.topic, event.group))
        await publish_first(self._broker, self._names.delayed(message_id), body, headers)

    async def _book(self, subject: str, data: bytes, headers: dict[str, str], at: int) -> None:
        """Has a scheduler store what this process may not: see `shared/broker/bookings.ts`."""
        await publish_stored(self._broker, subject, data, headers | {Header.DELIVER_AT: str(at)})

    def _subject_of(self, topic: str) -> str:
        subject = self._subjects.get(topic)
        if subject is None:
            subject = self._names.event(topic)
            if len(self._subjects) < _MOST_SUBJECTS:
                self._subjects[topic] = subject
        return subject

    async def schedule_attempt(self, durable: str, event: EventEnvelope, data: bytes, at: int) -> None:
        """Stores an event for the attempt that it says, in one subscription, to be delivered `at` ms since 1970."""
        id = f"{event.id}:{event.attempt}"
        headers = _to_headers(event) | {Header.MESSAGE_ID: f"{durable}:{_life_of(event)}:{event.attempt}"}
        if self._broker.locked:
            await self._book(self._names.book_retry(durable), data, headers, at)
            return
        headers |= _schedule(at, self._names.fire_retry(durable))
        await publish_stored(self._broker, self._names.schedule(durable, id), data, headers)

    async def schedule_retry(self, durable: str, event: EventEnvelope, data: bytes, at: int) -> None:
        """The same, for the attempt after the one that it says."""
        await self.schedule_attempt(durable, replace(event, attempt=event.attempt + 1), data, at)

    async def bury(self, event: EventEnvelope, data: bytes, reason: DeadReason) -> None:
        """Stores an event with the reason of its end."""
        blob = event.blob
        if blob is not None:  # a payload of its own, since the event's will end a set time after the emit
            blob = await self._payloads.put(await self._payloads.get(blob))
        headers = _to_headers(replace(event, blob=blob)) | {
            Header.MESSAGE_ID: f"{reason.durable}:{_life_of(event)}",
            Header.STEP: encode_text(reason.step),
            Header.ERROR: _encode_error(reason.error),
        }
        await publish_stored(self._broker, self._names.dead(reason.step), data, headers)

    async def payload(self, event: EventEnvelope, data: bytes) -> bytes:
        """The payload of an event as JSON text."""
        return data if event.blob is None else await self._payloads.get(event.blob)


def read_envelope(delivery: Delivery, stream: str, topic: str) -> EventEnvelope:
    """Reads an event's headers; what was left out has a default. `topic` is the one that is subscribed to."""
    headers = delivery.headers
    get = headers.get
    group, protocol, retried_from = get(Header.GROUP), get(Header.PROTOCOL), get(Header.RETRIED_FROM)
    only_for = get(Header.STEP)
    return EventEnvelope(
        id=get(Header.EVENT_ID) or get(Header.MESSAGE_ID) or f"{stream}:{delivery.sequence}",
        topic=topic,
        attempt=max(1, _number(get(Header.ATTEMPT))),
        emitted_at=_number(get(Header.EMITTED_AT)) or delivery.stored_at,
        traceparent=get(Header.TRACEPARENT, ""),
        protocol=None if protocol is None else _number(protocol),
        group=None if group is None else decode_text(group),
        blob=get(Header.BLOB),
        retried_from=None if retried_from is None else _number(retried_from),
        link=get(Header.LINK),
        only_for=None if only_for is None else decode_text(only_for),
    )


def _encode_error(json: str) -> str:
    """The error for a header. A long one is cut: with a large payload, its message would be refused for ever."""
    whole = encode_text(json)
    if len(whole) <= _LONGEST_ERROR:
        return whole
    error = orjson.loads(json)
    cut = {"name": error["name"][:100], "message": error["message"][:1_200]}
    if "stack" in error:
        cut["stack"] = error["stack"][-1_200:]  # each character takes up to twelve
    if "code" in error:
        cut["code"] = error["code"][:100]
    return encode_text(orjson.dumps(cut).decode())


def _life_of(event: EventEnvelope) -> str:
    """Tells the messages of a retried dead letter from those before, which the broker still knows."""
    return event.id if event.retried_from is None else f"{event.id}/{event.retried_from}"


def _schedule(at: int, target: str) -> dict[str, str]:
    """What makes a message wait in the broker until `at`, ms since 1970."""
    return {
        "Nats-Schedule": f"@at {_iso(at)}",
        "Nats-Schedule-Target": target,
        # The fired copy stays this long, taken by the events stream or not: longer than that one may be full or away.
        "Nats-Schedule-TTL": "168h",
    }


def _to_headers(event: EventEnvelope) -> dict[str, str]:
    headers: dict[str, str] = {
        Header.PROTOCOL: str(PROTOCOL_VERSION),
        Header.EVENT_ID: event.id,
        Header.TOPIC: encode_text(event.topic),
        Header.ATTEMPT: str(event.attempt),
        Header.EMITTED_AT: str(event.emitted_at),
    }
    if event.traceparent:
        headers[Header.TRACEPARENT] = event.traceparent
    if event.group is not None:
        headers[Header.GROUP] = encode_text(event.group)
    if event.blob is not None:
        headers[Header.BLOB] = event.blob
    if event.retried_from is not None:
        headers[Header.RETRIED_FROM] = str(event.retried_from)
    if event.link is not None:
        headers[Header.LINK] = event.link
    if event.only_for is not None:
        headers[Header.STEP] = encode_text(event.only_for)
    return headers


def _number(text: str | None) -> int:
    """A header's number, 0 if it is none."""
    try:
        return int(text or 0)
    except ValueError:
        return 0


def _iso(at: int) -> str:
    seconds, ms = divmod(at, 1000)
    return f"{datetime.fromtimestamp(seconds, timezone.utc):%Y-%m-%dT%H:%M:%S}.{ms:03d}Z"
