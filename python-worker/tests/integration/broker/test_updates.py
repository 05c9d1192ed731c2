"""Changes that depend on what is stored: nobody's is lost, whoever else changes the value."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from motia.broker.connect import Broker
from motia.broker.key_value import read_last
from motia.broker.publish import read_answer
from motia.broker.state import StateStore
from motia.broker.streams import StreamStore
from motia.errors import MotiaError
from motia.protocol.subjects import Names
from tests.golden import golden
from tests.helpers.nats_server import NatsServer
from tests.integration.broker.conftest import Connect


async def increment(value: Any) -> int:
    return (value or 0) + 1


async def test_contenders_on_connections_of_their_own_lose_no_change(connect: Connect, names: Names) -> None:
    stores = [StateStore(await connect(), names) for _ in range(4)]

    async def contend(store: StateStore) -> None:
        for _ in range(30):
            await store.update("contended", "n", increment)
        await asyncio.gather(*[store.update("contended", "n", increment) for _ in range(70)])

    await asyncio.gather(*map(contend, stores))
    assert await stores[0].get("contended", "n") == 400


async def test_what_is_asked_for_at_the_same_time_is_stored_together(broker: Broker, names: Names) -> None:
    store, bucket = StateStore(broker, names), names.buckets.state

    async def last_sequence() -> int:
        return read_answer(await broker.request(f"$JS.API.STREAM.INFO.KV_{bucket}"))["state"]["last_seq"]

    before = await last_sequence()
    results = await asyncio.gather(*[store.update("together", "n", increment) for _ in range(100)])
    assert results == [*range(1, 101)]
    assert await last_sequence() < before + 10


async def test_who_raises_or_is_cancelled_does_not_disturb_the_others(broker: Broker, names: Names) -> None:
    store = StateStore(broker, names)

    async def spoil(value: Any) -> None:
        raise KeyError("mine")

    first = asyncio.ensure_future(store.update("raising", "n", increment))
    cancelled = asyncio.ensure_future(store.update("raising", "n", increment))
    others = [asyncio.ensure_future(store.update("raising", "n", change)) for change in (spoil, increment)]
    await asyncio.sleep(0)
    cancelled.cancel()
    results = await asyncio.gather(first, *others, return_exceptions=True)
    assert [results[0], type(results[1]), results[2]] == [1, KeyError, 2]


async def test_a_write_whose_answer_is_lost_counts_once(connect: Connect, names: Names) -> None:
    brokers = [await connect(), await connect()]
    stores = [StateStore(broker, names) for broker in brokers]

    async def lose(broker: Broker) -> None:
        while True:
            await asyncio.sleep(0.004)
            broker._mux.reject_all("the answer is lost")

    async def contend(store: StateStore) -> None:
        for _ in range(150):
            await store.update("lost", "n", increment)

    losing = [asyncio.create_task(lose(broker)) for broker in brokers]
    await asyncio.gather(*map(contend, stores))
    for task in losing:
        task.cancel()
    assert await stores[0].get("lost", "n") == 300


async def test_a_change_that_does_not_end_is_given_up(
    broker: Broker, names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("motia.broker.change_queue._LONGEST_CHANGE_S", 0.1)
    store = StateStore(broker, names)

    async def wait_for_itself(_: object) -> object:
        return await store.update("circle", "n", increment)

    with pytest.raises(MotiaError, match="must not wait for another change of the same key") as caught:
        await store.update("circle", "n", wait_for_itself)
    assert caught.value.code == "INVALID_VALUE"
    assert await store.update("circle", "m", increment) == 1


class TestStreams:
    async def test_what_each_operation_gives_back(self, broker: Broker, names: Names) -> None:
        streams = StreamStore(broker, names)
        assert await streams.get("chat", "g", "a") is None
        item = await streams.set("chat", "g", "a", {"n": 1, "id": "mine"})
        where = {"type": "state-stream", "streamName": "chat", "groupId": "g", "id": "a"}
        assert item == {"n": 1, "id": "a", "_createdAt": item["_createdAt"], "__motia": where}
        again = await streams.set("chat", "g", "a", {**item, "n": 2})
        assert again == {**item, "n": 2}
        assert await streams.get_group("chat", "g") == [again]
        assert await streams.delete("chat", "g", "a") == again
        assert await streams.delete("chat", "g", "a") is None
        with pytest.raises(MotiaError, match="an item of a stream is an object, not null"):
            await streams.set("chat", "g", "a", None)

    async def test_what_is_stored_is_what_the_golden_file_says(self, broker: Broker, names: Names) -> None:
        streams, examples, revision = StreamStore(broker, names), golden("streams.json"), 0
        for case in examples["operations"]:
            perform = getattr(streams, case["operation"])
            assert await perform("chat", "room.1", "a", *case["arguments"]) == case["gives"]
            last = await read_last(broker, names.buckets.streams, examples["key"])
            assert last is not None
            assert (last.revision > revision) == ("entry" in case)
            revision = last.revision
            if "entry" in case:
                headers = {name: last.header(name) for name in ("Motia-Change", "KV-Operation", "Nats-TTL")}
                assert {name: value for name, value in headers.items() if value} == case["entry"]["headers"]
                assert orjson.loads(last.data) == case["entry"]["body"]

    async def test_large_items_are_freed_when_they_are_replaced(self, broker: Broker, names: Names) -> None:
        streams, size = StreamStore(broker, names), broker.max_payload()
        for text in ("x" * size, "y" * size):
            await streams.set("chat", "large", "a", {"text": text})
            item = await streams.get("chat", "large", "a")
            assert item is not None
            assert item["text"] == text
        assert (await streams.delete("chat", "large", "a") or {})["text"][0] == "y"
        await streams.set("chat", "large", "a", {"text": "small"})
        answer = read_answer(await broker.request(f"$JS.API.STREAM.INFO.OBJ_{names.buckets.items}"))
        assert answer["state"]["bytes"] < size

    async def test_an_event_that_is_too_large_is_refused(self, broker: Broker, names: Names) -> None:
        streams = StreamStore(broker, names)
        await streams.send("chat", "g", None, "typing", {"by": "me"})
        with pytest.raises(MotiaError, match='the event "large" is too large'):
            await streams.send("chat", "g", "a", "large", "x" * broker.max_payload())


async def test_a_server_that_crashes_meanwhile_loses_no_change(
    broker: Broker, names: Names, server: NatsServer
) -> None:
    store = StateStore(broker, names)

    async def contend() -> None:
        for _ in range(200):
            await store.update("crash", "n", increment)

    contending = asyncio.ensure_future(contend())
    await asyncio.sleep(0.02)
    await asyncio.to_thread(server.crash)
    await contending
    assert await store.get("crash", "n") == 200
