"""Events on a real broker: their headers, their retries in time and once, their end as dead letters."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from itertools import count
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from motia.broker.connect import Broker
from motia.broker.consumers import ensure_consumer, subscription_source
from motia.broker.delivery import Delivery
from motia.broker.events import DeadReason, EventEnvelope, EventStore, NewEvent, read_envelope
from motia.broker.publish import read_answer
from motia.broker.pull_consumer import PullConsumer
from motia.protocol.headers import decode_text
from motia.protocol.subjects import Names, create_names
from tests.golden import golden
from tests.helpers.nats_server import NatsServer
from tests.helpers.wait_for import wait_for
from tests.integration.broker.conftest import Connect

GOLDEN = golden("events.json")
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
_topics = (f"user.created.{i}" for i in count())


@dataclass
class Arrival:
    delivery: Delivery
    event: EventEnvelope
    at: float
    """Ms since 1970."""


@dataclass
class Subscription:
    durable: str
    arrivals: list[Arrival]

    async def nth(self, n: int) -> Arrival:
        await wait_for(lambda: len(self.arrivals) > n)
        return self.arrivals[n]


Subscribe = Callable[..., Awaitable[Subscription]]


@pytest.fixture
def topic() -> str:
    return next(_topics)


@pytest.fixture
def events(broker: Broker, names: Names) -> EventStore:
    return EventStore(broker, names)


@pytest.fixture
async def subscribe(broker: Broker, names: Names, topic: str) -> AsyncIterator[Subscribe]:
    """Makes subscriptions that keep everything that arrives, unanswered."""
    pullers: list[PullConsumer] = []

    async def subscribe(step: str = "mail", to: str = topic) -> Subscription:
        source = subscription_source(names, {"id": step}, to)
        await ensure_consumer(broker, source, step)
        found = Subscription(source.durable, [])
        puller = PullConsumer(
            broker,
            stream=source.stream,
            durable=source.durable,
            ack_wait_ms=source.ack_wait_ms,
            room=lambda: 100,
            on_gone=lambda: None,
            on_delivery=lambda delivery: found.arrivals.append(
                Arrival(delivery, read_envelope(delivery, source.stream, to), time.time() * 1000)
            ),
        )
        puller.start()
        pullers.append(puller)
        return found

    remove = broker.add_reconnect_listener(lambda: [puller.restart() for puller in pullers])
    yield subscribe
    remove()
    for puller in pullers:
        puller.close()


def an_event(topic: str, **change: Any) -> NewEvent:
    return replace(NewEvent(f"{topic}:e1", topic, '{"name":"Zoë"}'.encode(), TRACEPARENT), **change)


async def test_every_subscription_has_its_own_copy_with_all_that_the_event_was_emitted_with(
    events: EventStore, subscribe: Subscribe, topic: str
) -> None:
    mail, audit, other = await subscribe("mail"), await subscribe("audit"), await subscribe("mail", f"{topic}.not")
    await events.emit(an_event(topic, group="größe"))
    await events.emit(an_event(topic, group="größe"))  # the same id
    await events.emit(an_event(topic, id="last"))
    first = await mail.nth(0)
    assert first.event == EventEnvelope(
        id=f"{topic}:e1",
        topic=topic,
        attempt=1,
        emitted_at=first.delivery.stored_at,
        traceparent=TRACEPARENT,
        group="größe",
    )
    assert first.delivery.data == '{"name":"Zoë"}'.encode()
    for subscription in (mail, audit):
        assert (await subscription.nth(1)).event.id == "last"
    assert other.arrivals == []


async def test_an_event_larger_than_a_message_comes_as_a_whole_in_every_attempt(
    events: EventStore, subscribe: Subscribe, topic: str
) -> None:
    subscription = await subscribe()
    payload = json.dumps("é" * (5 * 1024 * 1024), ensure_ascii=False).encode()
    await events.emit(an_event(topic, json=payload))
    first = await subscription.nth(0)
    await events.schedule_retry(subscription.durable, first.event, first.delivery.data, int(time.time() * 1000))
    first.delivery.ack()
    second = await subscription.nth(1)
    assert second.event.attempt == 2
    for arrival in (first, second):
        assert await events.payload(arrival.event, arrival.delivery.data) == payload


async def test_what_another_client_published_is_an_event_too(
    broker: Broker, names: Names, subscribe: Subscribe, topic: str
) -> None:
    subscription = await subscribe()
    broker.send(names.event(topic), b"7")
    arrival = await subscription.nth(0)
    assert arrival.event.id == f"{names.streams.events}:{arrival.delivery.sequence}"
    assert (arrival.event.attempt, arrival.event.traceparent, arrival.delivery.data) == (1, "", b"7")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Motia-Attempt": "3", "Motia-Emitted-At": "7"}, {"attempt": 3, "emitted_at": 7}),
        ({"Motia-Attempt": "-1"}, {"attempt": 1}),
        ({"Motia-Attempt": "many", "Motia-Emitted-At": "never"}, {"attempt": 1}),
        ({"Motia-Protocol": "9"}, {"protocol": 9}),
        ({"Motia-Event-Id": "a", "Nats-Msg-Id": "b"}, {"id": "a"}),
        ({"Motia-Group": "%zz"}, {"group": "%zz"}),
    ],
)
async def test_odd_headers_have_a_meaning(
    broker: Broker, names: Names, subscribe: Subscribe, topic: str, headers: dict[str, str], expected: dict[str, object]
) -> None:
    subscription = await subscribe()
    broker.send(names.event(topic), b"null", headers=headers)
    event = (await subscription.nth(0)).event
    assert {name: getattr(event, name) for name in expected} == expected


async def test_a_retry_comes_once_and_not_early_in_the_one_subscription_with_attempt_2(
    events: EventStore, subscribe: Subscribe, topic: str
) -> None:
    mail, audit = await subscribe("mail"), await subscribe("audit")
    await events.emit(an_event(topic, group="g"))
    first = await mail.nth(0)
    due = int(time.time() * 1000) + 700
    # A crash between schedule and ack: the event is handed out again, fails again, and is scheduled again.
    await events.schedule_retry(mail.durable, first.event, first.delivery.data, due)
    await events.schedule_retry(mail.durable, first.event, first.delivery.data, due + 100)
    first.delivery.ack()
    # Of an event that comes after it
    await events.schedule_retry(mail.durable, replace(first.event, attempt=2), first.delivery.data, due + 400)
    second, third = await mail.nth(1), await mail.nth(2)
    assert second.at >= due - 20
    assert second.event == replace(first.event, attempt=2, protocol=1)
    assert second.delivery.data == first.delivery.data
    assert third.event.attempt == 3
    assert (len(mail.arrivals), len(audit.arrivals)) == (3, 1)


async def test_retries_that_wait_survive_a_crash_of_the_server(
    events: EventStore, subscribe: Subscribe, server: NatsServer, topic: str
) -> None:
    subscription = await subscribe()
    due = int(time.time() * 1000) + 300
    for i in range(5):
        event = EventEnvelope(f"{topic}:{i}", topic, attempt=1, emitted_at=1)
        await events.schedule_retry(subscription.durable, event, b"%d" % i, due)
    await asyncio.to_thread(server.crash, 0.4)
    await subscription.nth(4)
    assert sorted(arrival.event.id for arrival in subscription.arrivals) == [f"{topic}:{i}" for i in range(5)]


async def last_on(broker: Broker, stream: str, subject: str) -> tuple[dict[str, str], str]:
    """Headers and body of what is stored on a subject."""
    query = orjson.dumps({"last_by_subj": subject})
    message = read_answer(await broker.request(f"$JS.API.STREAM.MSG.GET.{stream}", query))["message"]
    lines = base64.b64decode(message["hdrs"]).decode().split("\r\n")[1:]
    headers = dict(line.split(": ", 1) for line in lines if line)
    return headers, base64.b64decode(message.get("data", "")).decode()


async def test_a_dead_letter_says_why_and_has_a_payload_of_its_own(
    events: EventStore, broker: Broker, names: Names, subscribe: Subscribe, topic: str
) -> None:
    subscription = await subscribe()
    payload = b'"%s"' % (b"x" * 9 * 1024 * 1024)
    await events.emit(an_event(topic, json=payload))
    first = await subscription.nth(0)
    reason = DeadReason(step="größe", durable=subscription.durable, error='{"name":"Error","message":"größer"}')
    await events.bury(first.event, first.delivery.data, reason)
    await events.bury(first.event, first.delivery.data, reason)  # after a crash between the two lines
    headers, body = await last_on(broker, names.streams.dead, names.dead("größe"))
    assert body == ""
    assert json.loads(decode_text(headers["Motia-Error"])) == {"name": "Error", "message": "größer"}
    assert decode_text(headers["Motia-Step"]) == "größe"
    assert headers["Motia-Blob"] != first.event.blob
    copy = replace(first.event, blob=headers["Motia-Blob"])
    assert await events.payload(copy, b"") == payload
    info = read_answer(
        await broker.request(
            f"$JS.API.STREAM.INFO.{names.streams.dead}", orjson.dumps({"subjects_filter": names.dead("größe")})
        )
    )
    assert info["state"]["subjects"] == {names.dead("größe"): 1}


async def test_a_dead_letter_is_stored_however_long_its_error_is(
    events: EventStore, broker: Broker, names: Names, topic: str
) -> None:
    text = "😀" * 16_384
    error = orjson.dumps({"name": "Error", "message": text, "stack": text, "code": text}).decode()
    payload = b"x" * (broker.max_payload() - 64 * 1024)  # just fits into a message
    event = EventEnvelope("long", topic, 4, 1, group="漢" * 1_024)
    await events.bury(event, payload, DeadReason("long", "long=_x", error))
    headers, body = await last_on(broker, names.streams.dead, names.dead("long"))
    record = json.loads(decode_text(headers["Motia-Error"]))
    assert (len(body), record["message"], sorted(record)) == (
        len(payload),
        text[:1_200],
        ["code", "message", "name", "stack"],
    )


async def test_an_event_with_a_delay_reaches_every_subscription_once_in_time_also_through_a_crash(
    subscribe: Subscribe, events: EventStore, topic: str, server: NatsServer
) -> None:
    mail, audit = await subscribe("mail"), await subscribe("audit")
    due = int(time.time() * 1000) + 2_000
    event = NewEvent(f"d {topic}", topic, b"1", "", at=due)
    await events.emit(event)
    await events.emit(replace(event, json=b"2", at=due + 60_000))  # the same id
    await asyncio.to_thread(server.crash)
    await wait_for(lambda: bool(mail.arrivals and audit.arrivals))
    for arrivals in (mail.arrivals, audit.arrivals):
        (arrival,) = arrivals
        assert arrival.at >= due - 20
        assert (arrival.event.id, arrival.event.attempt, arrival.delivery.data) == (event.id, 1, b"1")


@pytest.fixture(scope="module")
def shop(server: NatsServer) -> Names:
    """The app of the golden file, without its streams: one that takes all its subjects stands for them."""
    return create_names(GOLDEN["app"])


async def recorded(connect: Connect, shop: Names) -> tuple[EventStore, list[tuple[str, dict[str, str], str]]]:
    """A store, and what it publishes: an answerer stands for the streams, since headers of schedules are not kept."""
    broker = await connect()
    seen: list[tuple[str, dict[str, str], str]] = []

    def store(message: Any) -> None:
        seen.append((message.subject, message.headers, message.data.decode()))
        broker.send(message.reply, b'{"stream":"X","seq":1}')

    broker.subscribe(f"{shop.app}.>", store)
    return EventStore(broker, shop), seen


async def test_golden_emits(connect: Connect, shop: Names) -> None:
    events, seen = await recorded(connect, shop)
    for case in GOLDEN["emitted"]:
        given = {re.sub("[A-Z]", lambda one: f"_{one[0].lower()}", key): item for key, item in case["event"].items()}
        await events.emit(NewEvent(**(given | {"json": given["json"].encode()})))
    assert seen == [(case["subject"], case["headers"], case["body"]) for case in GOLDEN["emitted"]]


async def test_golden_retry(connect: Connect, shop: Names) -> None:
    events, seen = await recorded(connect, shop)
    case = GOLDEN["retry"]
    event = EventEnvelope(**case["event"], attempt=case["attempt"], emitted_at=case["emittedAt"])
    await events.schedule_retry(case["durable"], event, b"1", case["at"])
    assert seen == [(case["subject"], case["headers"] | {"Nats-Schedule-TTL": "168h"}, "1")]


async def test_golden_dead_letter(connect: Connect, shop: Names) -> None:
    events, seen = await recorded(connect, shop)
    case = GOLDEN["dead"]
    event = EventEnvelope(**case["event"], attempt=case["attempt"], emitted_at=case["emittedAt"])
    error = json.dumps(case["error"], ensure_ascii=False, separators=(",", ":"))
    await events.bury(event, b"1", DeadReason(case["step"], case["durable"], error))
    assert seen == [(case["subject"], case["headers"], "1")]


async def test_golden_retry_of_a_dead_letter(connect: Connect, shop: Names) -> None:
    events, seen = await recorded(connect, shop)
    case = GOLDEN["retriedDead"]
    delivery = SimpleNamespace(headers=case["headers"], stored_at=0, sequence=1)
    event = read_envelope(delivery, "X", "user:created")  # type: ignore[arg-type]
    given = case["event"]
    assert (event.id, event.attempt, event.retried_from, event.link) == ("k3J", 1, given["retriedFrom"], given["link"])
    assert event.only_for is None
    in_partition = case["inPartition"]
    delivery.headers = case["headers"] | in_partition["headers"]
    assert read_envelope(delivery, "X", "user:created").only_for == in_partition["step"]  # type: ignore[arg-type]
    event = replace(event, attempt=case["attempt"])
    await events.schedule_retry(case["durable"], event, b"1", case["again"]["at"])
    await events.bury(event, b"1", DeadReason("again", case["durable"], "{}"))
    for (_, headers, _), key in zip(seen, ("retry", "dead"), strict=True):
        assert headers["Nats-Msg-Id"] == case["again"][key]
        assert (headers["Motia-Retried-From"], headers["Motia-Link"]) == ("17", given["link"])
