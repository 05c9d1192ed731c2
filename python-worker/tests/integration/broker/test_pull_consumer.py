"""Taking messages: as many as there is room for, each until it is answered, whatever happens to the server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

import pytest

from motia.broker.connect import Broker
from motia.broker.consumers import Source, delete_consumer, ensure_consumer, subscription_source
from motia.broker.delivery import Delivery
from motia.broker.publish import publish_stored, read_answer
from motia.broker.pull_consumer import PullConsumer
from motia.protocol.subjects import Names
from motia.worker.held_messages import HeldMessage, HeldMessages
from tests.helpers.nats_server import NatsServer
from tests.helpers.wait_for import wait_for
from tests.integration.broker.conftest import Connect

_topics = (f"topic.{i}" for i in count())


@dataclass
class Taker:
    """A puller that keeps what it gets."""

    room: int
    held: list[Delivery] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    gone: int = 0
    puller: PullConsumer = field(init=False)
    on_gone: Callable[[], None] = lambda: None

    def open(self, broker: Broker, source: Source) -> Taker:
        self.puller = PullConsumer(
            broker,
            stream=source.stream,
            durable=source.durable,
            ack_wait_ms=source.ack_wait_ms,
            room=lambda: self.room - len(self.held),
            on_delivery=self.take,
            on_gone=self.lose,
        )
        self.puller.start()
        return self

    def take(self, delivery: Delivery) -> None:
        self.held.append(delivery)
        self.taken.append(delivery.data.decode())

    def lose(self) -> None:
        self.gone += 1
        self.on_gone()

    def ack_all(self) -> bool:
        """Acks what is held and asks for more."""
        last = self.held.pop() if self.held else None
        for delivery in self.held:
            delivery.ack()
        self.held.clear()
        if last is None:
            self.puller.pull()
        else:
            self.puller.ack_and_pull(last)
        return True


Take = Callable[..., Taker]


@pytest.fixture
async def take(broker: Broker, source: Source) -> AsyncIterator[Take]:
    takers: list[Taker] = []

    def open(room: int, on: Broker = broker) -> Taker:
        takers.append(Taker(room).open(on, source))
        return takers[-1]

    remove = broker.add_reconnect_listener(lambda: [taker.puller.restart() for taker in takers])
    yield open
    remove()
    for taker in takers:
        taker.puller.close()


@pytest.fixture
def topic() -> str:
    return next(_topics)


@pytest.fixture
async def source(broker: Broker, names: Names, topic: str) -> Source:
    source = subscription_source(names, {"id": "step"}, topic)
    await ensure_consumer(broker, source, "step")
    return source


Emit = Callable[[int, int], Awaitable[None]]


@pytest.fixture
def emit(broker: Broker, names: Names, topic: str) -> Emit:
    async def emit(first: int, end: int) -> None:
        subject = names.event(topic)
        await asyncio.gather(
            *[publish_stored(broker, subject, b"%d" % i, {"Nats-Msg-Id": f"{topic}:{i}"}) for i in range(first, end)]
        )

    return emit


async def info_of(broker: Broker, source: Source) -> dict[str, Any]:
    return read_answer(await broker.request(f"$JS.API.CONSUMER.INFO.{source.stream}.{source.durable}"))


async def unanswered(broker: Broker, source: Source) -> int:
    return (await info_of(broker, source))["num_ack_pending"]


async def test_takes_no_more_than_there_is_room_for_and_leaves_the_rest_to_others(
    broker: Broker, connect: Connect, source: Source, take: Take, emit: Emit
) -> None:
    first = take(5)
    await emit(0, 30)
    await wait_for(lambda: len(first.held) == 5)
    second = take(10, await connect())
    await wait_for(lambda: len(second.held) == 10)
    info = await info_of(broker, source)
    assert (info["num_pending"], info["num_ack_pending"]) == (15, 15)
    assert first.taken == ["0", "1", "2", "3", "4"]
    first.ack_all()
    await wait_for(lambda: len(first.held) == 5)
    assert len({*first.taken, *second.taken}) == 20


async def test_all_the_room_is_used_also_when_it_became_free_bit_by_bit(take: Take, emit: Emit) -> None:
    taker = take(10)
    await emit(0, 4)
    await wait_for(lambda: len(taker.held) == 4)
    for delivery in (taker.held.pop(0), taker.held.pop(0)):
        delivery.ack()
    taker.puller.pull()  # two more are not worth a request while six are still to come
    await emit(4, 20)
    await wait_for(lambda: len(taker.held) == 10, within=4)  # and not when the broker next says that it lives


async def test_600_messages_pass_through_a_room_of_7_each_once(
    broker: Broker, source: Source, take: Take, emit: Emit
) -> None:
    taker = take(7)
    await emit(0, 600)
    await wait_for(lambda: taker.ack_all() and len(taker.taken) >= 600)
    assert taker.taken == [str(i) for i in range(600)]
    await wait_for(lambda: none_left(broker, source))


async def none_left(broker: Broker, source: Source) -> bool:
    info = await info_of(broker, source)
    return info["num_pending"] + info["num_ack_pending"] == 0


async def test_what_arrives_after_the_stop_is_handed_back_and_is_with_another_at_once(
    broker: Broker, connect: Connect, take: Take, emit: Emit
) -> None:
    leaving = take(50)
    await broker.flush()  # its request is with the server
    leaving.puller.stop()
    staying = take(200, await connect())
    await emit(0, 100)
    await wait_for(lambda: len(staying.taken) == 100, within=5)  # the ack wait would be 10 s
    assert leaving.taken == []


async def test_one_that_is_handed_back_waits_and_counts_its_deliveries(
    broker: Broker, source: Source, take: Take, emit: Emit
) -> None:
    taker = take(1)

    async def next_one() -> Delivery:
        await wait_for(lambda: taker.held)
        return taker.held.pop()

    await emit(0, 1)
    first = await next_one()
    at = time.monotonic()
    first.hand_back(400)
    taker.puller.pull()
    second = await next_one()
    assert time.monotonic() - at >= 0.39
    assert (first.delivery_count, second.delivery_count, second.sequence) == (1, 2, first.sequence)
    assert abs(second.stored_at - time.time() * 1000) < 5_000
    second.hand_back()
    taker.puller.pull()
    (await next_one()).terminate()
    await wait_for(lambda: none_left(broker, source))


async def test_working_keeps_a_message_and_silence_gives_it_to_another(
    broker: Broker, connect: Connect, source: Source, take: Take, emit: Emit
) -> None:
    await ensure_consumer(broker, replace(source, ack_wait_ms=1_000), "changed")
    busy = take(2)
    await emit(0, 2)
    await wait_for(lambda: len(busy.held) == 2)
    other = take(5, await connect())
    kept = busy.held[0]
    until = time.monotonic() + 2.5
    while time.monotonic() < until:
        await kept.working()
        await asyncio.sleep(0.2)
    assert set(other.taken) == {"1"}
    kept.ack()
    await wait_for(lambda: one_left(broker, source))


async def one_left(broker: Broker, source: Source) -> bool:
    return await unanswered(broker, source) == 1


async def test_after_a_stall_what_is_read_is_left_to_others(
    broker: Broker, connect: Connect, source: Source, take: Take, emit: Emit, monkeypatch: pytest.MonkeyPatch
) -> None:
    stalled = take(5)
    await broker.flush()
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 60)  # as if the machine had slept
    await emit(0, 3)
    await broker.flush()
    assert stalled.taken == []
    await wait_for(lambda: not broker.may_be_stale(10_000), within=5)
    assert await unanswered(broker, source) == 3  # not handed back either


async def test_a_server_that_is_killed_and_started_again_three_times(
    broker: Broker, source: Source, server: NatsServer, take: Take, emit: Emit
) -> None:
    await ensure_consumer(broker, replace(source, ack_wait_ms=1_000), "step")
    taker = take(10)
    await emit(0, 100)
    await wait_for(lambda: len(taker.held) == 10)
    for round in (1, 2, 3):
        await asyncio.to_thread(server.crash, 0.05)
        await emit(round * 100, round * 100 + 100)
    await wait_for(lambda: taker.ack_all() and len(set(taker.taken)) == 400)
    # An ack that the dying server swallowed is asked for again after the ack wait.
    await wait_for(lambda: taker.ack_all() and none_left(broker, source))


async def test_a_consumer_that_is_deleted_under_way_is_told_and_goes_on_when_it_is_there_again(
    broker: Broker, source: Source, take: Take, emit: Emit
) -> None:
    taker = take(5)
    await emit(0, 3)
    await wait_for(lambda: len(taker.taken) == 3)
    taker.ack_all()
    await broker.flush()
    await delete_consumer(broker, source.stream, source.durable)
    await wait_for(lambda: taker.gone > 0)
    await ensure_consumer(broker, source, "step")
    taker.puller.restart()
    await emit(3, 6)
    await wait_for(lambda: len(taker.taken) == 6)
    assert taker.taken == [str(i) for i in range(6)]


async def test_a_consumer_that_is_not_there_is_asked_again_until_it_answers(
    broker: Broker, names: Names, topic: str, emit: Emit
) -> None:
    source = subscription_source(names, {"id": "late"}, topic)
    taker = Taker(5).open(broker, source)
    await wait_for(lambda: taker.gone > 2)
    await ensure_consumer(broker, source, "late")
    await emit(0, 5)
    await wait_for(lambda: len(taker.taken) == 5)
    taker.puller.close()


async def test_a_lease_that_ran_out_while_the_process_stood_still_is_not_revived(take: Take, emit: Emit) -> None:
    taker = take(1)
    await emit(0, 1)
    await wait_for(lambda: taker.held)
    ack_wait_ms = 400
    holding = HeldMessages[HeldMessage](ack_wait_ms)
    held = HeldMessage(taker.held[0], ack_wait_ms)
    holding.hold(held)
    before = held.lease_until
    await asyncio.sleep(0.2)
    holding.renew()
    await wait_for(lambda: held.lease_until > before)
    time.sleep(0.5)  # noqa: ASYNC251 - no timer and no message comes through
    lapsed = held.lease_until
    holding.renew()
    await asyncio.sleep(0.2)
    assert held.lease_until == lapsed < time.time() * 1000
