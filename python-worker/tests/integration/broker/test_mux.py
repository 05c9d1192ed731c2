"""Requests over one inbox, and the plain way in and out of a connection."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from motia.broker.connect import Broker
from motia.broker.message import Message
from motia.errors import MotiaError
from tests.helpers.nats_server import NatsServer
from tests.helpers.wait_for import wait_for
from tests.integration.broker.conftest import Connect


@pytest.fixture
async def broker(connect: Connect) -> Broker:
    return await connect()


def answer(broker: Broker, *replies: bytes) -> Callable[[Message], None]:
    def respond(message: Message) -> None:
        for reply in replies:
            broker.send(message.reply, reply + message.data)

    return respond


async def code_of(awaitable: Any) -> str:
    with pytest.raises(MotiaError) as caught:
        await awaitable
    return caught.value.code


async def test_a_thousand_requests_at_once_each_get_their_own_answer(broker: Broker, connect: Connect) -> None:
    other = await connect()
    other.subscribe("echo", answer(other, b"re: "))
    await other.flush()
    replies = await asyncio.gather(*[broker.request("echo", b"%d" % i) for i in range(1_000)])
    assert [reply.data for reply in replies] == [b"re: %d" % i for i in range(1_000)]


async def test_headers_go_both_ways(broker: Broker) -> None:
    def respond(message: Message) -> None:
        broker.send(message.reply, b"", headers={"Echo": message.header("Some-Name")})

    broker.subscribe("headers", respond)
    reply = await broker.request("headers", b"", {"Some-Name": "  ünïcode: a  "})
    assert reply.header("Echo") == "ünïcode: a"
    assert (reply.header("echo"), reply.header("None"), reply.status) == ("", "", 0)


async def test_several_replies_up_to_the_last(broker: Broker) -> None:
    broker.subscribe("many", answer(broker, b"1", b"2", b"end", b"late"))
    replies = await broker.request_many("many", b"", lambda reply: reply.data == b"end")
    assert [reply.data for reply in replies] == [b"1", b"2", b"end"]
    never = broker.request_many("many", b"", lambda _: False, timeout=0.15)
    assert await code_of(never) == "BROKER_TIMEOUT"


async def test_replies_that_keep_coming_take_all_the_time_they_need(broker: Broker) -> None:
    def trickle(message: Message) -> None:
        for i in range(5):
            asyncio.get_running_loop().call_later(i * 0.3, broker.send, message.reply, b"%d" % i)

    broker.subscribe("trickle", trickle)
    replies = await broker.request_many("trickle", b"", lambda reply: reply.data == b"4", timeout=1)
    assert len(replies) == 5


async def test_a_request_without_an_answer_ends_in_time_and_others_go_on(broker: Broker) -> None:
    broker.subscribe("silence", lambda _: None)
    asked: list[Message] = []
    broker.subscribe("late", asked.append)
    late = asyncio.ensure_future(broker.request("late"))
    started = time.monotonic()
    assert await code_of(broker.request("silence", timeout=0.2)) == "BROKER_TIMEOUT"
    assert time.monotonic() - started >= 0.19
    assert not late.done()
    broker.send(asked[0].reply, b"here")
    assert (await late).data == b"here"
    assert not broker._mux._waiting


async def test_nobody_listens(broker: Broker) -> None:
    assert await code_of(broker.request("nobody")) == "BROKER_LOST"


async def test_a_caller_that_is_cancelled_leaves_nothing_behind(broker: Broker) -> None:
    broker.subscribe("later", lambda message: broker.send(message.reply, b"too late"))
    waiting = asyncio.ensure_future(asyncio.wait_for(broker.request("later"), 0))
    with pytest.raises(asyncio.TimeoutError):
        await waiting
    await broker.flush()
    await wait_for(lambda: not broker._mux._waiting)


async def test_everything_in_flight_hears_of_a_lost_connection_and_the_next_request_is_served(
    server: NatsServer, connect: Connect
) -> None:
    broker = await connect()
    heard: list[Message] = []
    broker.subscribe("silence", heard.append)
    broker.subscribe("echo", answer(broker, b""))
    calls = [broker.request("silence", timeout=30) for _ in range(200)]
    many = broker.request_many("silence", b"", lambda _: True, timeout=30)
    await wait_for(lambda: len(heard) == 201)
    crash = asyncio.ensure_future(asyncio.to_thread(server.crash, 0.1))
    started = time.monotonic()
    codes = await asyncio.gather(*[code_of(call) for call in [*calls, many]])
    assert set(codes) == {"BROKER_LOST"}
    assert time.monotonic() - started < 10
    await crash
    await broker.when_connected(5)
    assert (await broker.request("echo", b"again")).data == b"again"


async def test_after_the_close_nothing_is_sent_and_every_request_is_refused(connect: Connect) -> None:
    broker, other = await connect(), await connect()
    heard: list[bytes] = []
    other.subscribe("last", lambda message: heard.append(message.data))
    other.subscribe("silence", lambda _: None)
    await other.flush()
    waiting = broker.request("silence")
    broker.send("last", b"words")
    await broker.close()
    assert await code_of(waiting) == "BROKER_LOST"
    assert await code_of(broker.request("last")) == "BROKER_LOST"
    broker.send("last", b"ghost")
    broker.flush_sends()
    await other.flush()
    assert heard == [b"words"]


async def test_messages_keep_their_order_and_come_in_the_turn_in_which_they_are_read(broker: Broker) -> None:
    heard: list[bytes] = []
    subscription = broker.subscribe("order.*", lambda message: heard.append(message.data))
    for i in range(5_000):
        broker.send(f"order.{i % 7}", b"%d" % i)
    await broker.flush()
    assert heard == [b"%d" % i for i in range(5_000)]
    subscription.close()
    broker.send("order.1", b"unheard")
    await broker.flush()
    assert len(heard) == 5_000


async def test_a_callback_that_fails_is_told_and_the_rest_is_served(broker: Broker) -> None:
    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))

    def fail(message: Message) -> None:
        raise ValueError(message.data)

    broker.subscribe("fails", fail)
    broker.send("fails", b"1")
    broker.send("fails", b"2")
    await broker.flush()
    assert [str(context["exception"]) for context in told] == ["b'1'", "b'2'"]


@pytest.mark.parametrize("size", [0, 1, 40_000, 8 * 1024 * 1024])
async def test_bodies_of_any_size(broker: Broker, size: int) -> None:
    broker.subscribe("size", answer(broker, b""))
    body = bytes(range(256)) * (size // 256) + bytes(size % 256)
    assert (await broker.request("size", body)).data == body
