"""Storing messages: once, honestly refused when there is no room, and not lost when the server goes away."""

from __future__ import annotations

import asyncio
import base64

import orjson
import pytest

from motia.broker.connect import Broker
from motia.broker.publish import publish_stored, read_answer
from motia.errors import MotiaError
from motia.protocol.subjects import Names
from tests.helpers.nats_server import NatsServer
from tests.helpers.wait_for import wait_for
from tests.integration.broker.conftest import Connect


async def store(broker: Broker, subject: str, id: str, data: str = "") -> None:
    await publish_stored(broker, subject, (data or id).encode(), {"Nats-Msg-Id": id})


async def api(broker: Broker, call: str, body: object = None) -> dict:
    return read_answer(await broker.request(f"$JS.API.{call}", b"" if body is None else orjson.dumps(body)))


async def contents(broker: Broker, stream: str, subject: str) -> list[str]:
    """What a stream holds of a subject, in its order."""
    found: list[str] = []
    sequence = 1
    while True:
        try:
            answer = await api(broker, f"STREAM.MSG.GET.{stream}", {"seq": sequence, "next_by_subj": subject})
        except MotiaError:
            return found
        found.append(base64.b64decode(answer["message"]["data"]).decode())
        sequence = answer["message"]["seq"] + 1


async def test_the_same_id_is_stored_once(broker: Broker, names: Names) -> None:
    subject = names.dead("once")
    await store(broker, subject, "a", "1")
    await store(broker, subject, "a", "2")
    await asyncio.gather(*[store(broker, subject, "b") for _ in range(100)])
    assert await contents(broker, names.streams.dead, subject) == ["1", "b"]


@pytest.mark.parametrize("limit", [{"max_bytes": 10_000}, {"max_msgs": 5}])
async def test_a_stream_that_is_full_refuses(broker: Broker, limit: dict[str, int]) -> None:
    config = {"name": "FULL", "subjects": ["full"], "discard": "new", **limit}
    await api(broker, "STREAM.CREATE.FULL", config)
    stored: list[str] = []
    with pytest.raises(MotiaError, match="no room") as caught:
        for i in range(200):
            text = f"{i} {'x' * 500}"
            await store(broker, "full", f"id{i}", text)
            stored.append(text)
    assert caught.value.code == "STORE_FULL"
    assert len(stored) > 3
    assert await contents(broker, "FULL", "full") == stored
    await api(broker, "STREAM.DELETE.FULL")


async def test_a_subject_without_a_stream_may_be_a_server_that_is_still_starting(broker: Broker) -> None:
    storing = asyncio.ensure_future(store(broker, "not.yet", "a"))
    await asyncio.sleep(0.3)
    await api(broker, "STREAM.CREATE.LATE", {"name": "LATE", "subjects": ["not.yet"]})
    await asyncio.wait_for(storing, 2)
    await api(broker, "STREAM.DELETE.LATE")


async def test_32_publishers_ride_out_three_crashes(server: NatsServer, connect: Connect, names: Names) -> None:
    reconnects: list[None] = []
    broker = await connect(on_reconnect=lambda: reconnects.append(None))
    subject = names.dead("crashes")
    acked: list[str] = []
    going = True

    async def publish(publisher: int) -> None:
        for i in range(100_000):
            if not going:
                return
            await store(broker, subject, f"{publisher}.{i}")
            acked.append(f"{publisher}.{i}")

    publishers = [asyncio.ensure_future(publish(publisher)) for publisher in range(32)]
    for crash in range(4):
        before = len(acked)
        await wait_for(lambda before=before: len(acked) > before + 200)
        if crash < 3:
            await asyncio.to_thread(server.crash, 0.05)
            await broker.when_connected(5)
    going = False
    await asyncio.gather(*publishers)  # none has failed
    assert len(reconnects) == 3
    info = await api(broker, f"STREAM.INFO.{names.streams.dead}", {"subjects_filter": subject})
    assert info["state"]["subjects"] == {subject: len(acked)}  # what was acknowledged is there, and nothing twice
