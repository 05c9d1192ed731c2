"""State: every key and value comes back, whatever its characters and size, also when the server goes away meanwhile."""

from __future__ import annotations

import asyncio
import pickle
from itertools import count
from typing import Any

import orjson
import pytest

from motia.broker.confined_key_value import OWN_GROUPS
from motia.broker.connect import Broker
from motia.broker.key_value import WHOLE_BUCKET, read_entries, read_entry, write_entry
from motia.broker.publish import read_answer
from motia.broker.state import StateStore
from motia.errors import MotiaError, RevisionConflictError
from motia.protocol.subjects import Names
from tests.helpers.nats_server import NatsServer
from tests.helpers.wait_for import wait_for

MB = 1024 * 1024
_group = (f"group {i}" for i in count())


@pytest.fixture(params=[WHOLE_BUCKET, OWN_GROUPS], ids=["whole_bucket", "own_groups"])
def state(broker: Broker, names: Names, request: pytest.FixtureRequest) -> StateStore:
    return StateStore(broker, names, request.param)


@pytest.fixture
def group() -> str:
    """One that no other test uses."""
    return next(_group)


async def blob_count(broker: Broker, names: Names) -> int:
    """How many large values are stored, chunks counted."""
    answer = read_answer(await broker.request(f"$JS.API.STREAM.INFO.OBJ_{names.buckets.values}"))
    metas = read_answer(
        await broker.request(
            f"$JS.API.STREAM.INFO.OBJ_{names.buckets.values}",
            orjson.dumps({"subjects_filter": f"$O.{names.buckets.values}.M.>"}),
        )
    )
    return answer["state"]["messages"] - len(metas["state"].get("subjects") or {})


KEYS = ["a.b", "a", "", "*", ">", "a b", "A", "a.*", "=", "=2E", "ключ", "🤷", "a\nb", "\0", "k" * 300, "k" * 299 + "l"]


async def test_no_two_keys_and_no_two_groups_meet(state: StateStore, group: str) -> None:
    for i, key in enumerate(KEYS):
        await state.set(group, key, i)
        await state.set(group + key, "k", [i])
    assert [await state.get(group, key) for key in KEYS] == list(range(len(KEYS)))
    assert [await state.get(group + key, "k") for key in KEYS if key] == [[i] for i, key in enumerate(KEYS) if key]
    assert await state.get(group, "never") is None


@pytest.mark.parametrize(
    "value",
    [None, False, True, 0, -0.5, "", [], {}, "Zoë 🤷", 2**53, 2**80, {"a": [1, {"b": None}]}, "x" * 100_000],
    ids=lambda value: str(value)[:12],
)
async def test_values(state: StateStore, group: str, value: object) -> None:
    await state.set(group, "k", value)
    got = await state.get(group, "k")
    assert (got, type(got)) == (value, type(value))
    assert await state.get_group(group) == [value]
    assert await state.delete(group, "k") == value
    assert await state.delete(group, "k") is None
    assert await state.get_group(group) == []


async def test_what_json_cannot_say_is_refused_and_stores_nothing(state: StateStore, group: str) -> None:
    with pytest.raises(MotiaError) as caught:
        await state.set(group, "k", {"a": object()})
    assert caught.value.code == "INVALID_VALUE"
    assert await state.get(group, "k") is None


async def test_values_of_many_megabytes(state: StateStore, broker: Broker, names: Names, group: str) -> None:
    large = "é" * (5 * MB)
    await state.set(group, "a", large)
    await state.set(group, "b", "x" * (9 * MB))
    await state.set(group, "c", "small")
    assert await state.get(group, "a") == large
    assert sorted(len(str(value)) for value in await state.get_group(group)) == [5, 5 * MB, 9 * MB]
    assert await blob_count(broker, names) > 0
    assert await state.delete(group, "a") == large
    await state.clear(group)
    assert await state.get_group(group) == []
    assert await blob_count(broker, names) == 0


async def test_1500_keys_come_as_one_list_and_deleted_ones_not_among_them(state: StateStore, group: str) -> None:
    await asyncio.gather(*[state.set(group, f"k{i}", i) for i in range(1_500)])
    await state.set(f"{group}.other", "k", "of another group")
    await asyncio.gather(*[state.delete(group, f"k{i}") for i in range(0, 1_500, 300)])
    values = [value for value in await state.get_group(group) if isinstance(value, int)]
    assert sorted(values) == [i for i in range(1_500) if i % 300]
    await state.clear(group)
    assert await state.get_group(group) == []
    assert await state.get_group(f"{group}.other") == ["of another group"]


@pytest.mark.parametrize("size", [999, 1_000, 1_001, 1_023, 1_024, 1_025])
async def test_no_key_is_missing_around_the_most_that_the_broker_looks_up_at_once(
    state: StateStore, group: str, size: int
) -> None:
    await asyncio.gather(*[state.set(group, f"k{i}", i) for i in range(size)])
    assert len(await state.get_group(group)) == size


async def test_reading_groups_leaves_no_consumer_and_no_subscription_behind(
    state: StateStore, broker: Broker, names: Names, group: str
) -> None:
    await state.set(group, "k", 1)
    subscriptions = len(broker._client._subs)
    for _ in range(20):
        await state.get_group(group)
    assert len(broker._client._subs) == subscriptions

    async def no_consumer_is_left() -> bool:
        info = read_answer(await broker.request(f"$JS.API.STREAM.INFO.KV_{names.buckets.state}"))
        return bool(info["state"]["consumer_count"] == 0)

    await wait_for(no_consumer_is_left)


async def test_an_entry_that_another_tool_deleted_is_no_entry(state: StateStore, broker: Broker, names: Names) -> None:
    await state.set("marked", "k", 1)
    bucket, key = names.buckets.state, names.state_key("marked", "k")
    await broker.request(f"$KV.{bucket}.{key}", b"", {"KV-Operation": "DEL"})
    assert await state.get("marked", "k") is None
    assert await read_entry(broker, bucket, key) is None
    assert await read_entries(broker, bucket, names.state_group("marked")) == []


async def test_operations_that_meet_an_outage_are_late_and_not_failed(
    state: StateStore, broker: Broker, server: NatsServer, group: str
) -> None:
    await asyncio.gather(*[state.set(group, f"k{i}", i) for i in range(50)])
    crash = asyncio.ensure_future(asyncio.to_thread(server.crash, 0.3))
    await wait_for(lambda: not broker.connected())
    _, value, values, removed, _ = await asyncio.gather(
        state.set("during", "k", "written"),
        state.get(group, "k7"),
        state.get_group(group),
        state.delete(group, "k8"),
        state.clear("nothing"),
    )
    await crash
    assert (value, removed) == (7, 8)
    assert len(values) >= 49
    assert await state.get("during", "k") == "written"
    assert len(await state.get_group(group)) == 49


async def test_operations_under_way_at_the_very_moment_are_late_and_not_failed(
    state: StateStore, broker: Broker, server: NatsServer, group: str
) -> None:
    await asyncio.gather(*[state.set(group, f"k{i}", i) for i in range(200)])
    going = True
    reads = 0

    async def read() -> None:
        nonlocal reads
        while going:
            assert len(await state.get_group(group)) == 200
            reads += 1

    async def write() -> None:
        while going:
            await state.set("writer", "large", "x" * (9 * MB))
            await state.set("writer", "k", reads)
            await state.delete("writer", "k")

    tasks = [asyncio.ensure_future(read()), asyncio.ensure_future(write())]
    for _ in range(3):
        before = reads
        await wait_for(lambda before=before: reads > before)
        await asyncio.to_thread(server.crash, 0.05)
        await broker.when_connected(5)
    going = False
    await asyncio.gather(*tasks)


async def test_a_group_of_more_than_a_page_may_have_comes_whole_and_in_pages(state: StateStore, group: str) -> None:
    text = "x" * 900_000
    for n in range(12):
        await state.set(group, f"k{n}", text)
    assert len(await state.get_group(group)) == 12
    first = await state.get_group_page(group)
    rest = await state.get_group_page(group, after=first.get("next"))
    assert 1 <= len(first["items"]) < 12
    assert [item["key"] for item in [*first["items"], *rest["items"]]] == [f"k{n}" for n in range(12)]
    await state.clear(group)


async def test_a_large_value_that_is_replaced_at_its_revision_is_freed(
    broker: Broker, names: Names, state: StateStore, group: str
) -> None:
    text = "x" * 2 * MB
    before = await blob_count(broker, names)
    await state.set(group, "k", text, if_revision=0)
    stored = await state.get_entry(group, "k")
    assert stored is not None and stored["value"] == text
    with pytest.raises(RevisionConflictError) as conflict:
        await state.set(group, "k", text, if_revision=stored["revision"] + 1)
    assert (conflict.value.code, conflict.value.revision) == ("REVISION_CONFLICT", stored["revision"])
    await state.set(group, "k", "small", if_revision=stored["revision"])
    assert await blob_count(broker, names) == before


async def test_an_update_does_not_prolong_what_is_over_and_about_to_go(
    broker: Broker, names: Names, state: StateStore, group: str
) -> None:
    async def increment(value: Any) -> Any:
        return (value or 0) + 1

    over = {"Motia-Expires": "1700000000000", "Nats-TTL": "60s"}
    await write_entry(broker, names.buckets.state, names.state_key(group, "k"), b"7", over)
    assert await state.update(group, "k", increment) == 1
    stored = await state.get_entry(group, "k")
    assert stored is not None and "expiresAt" not in stored


async def test_what_a_conflict_says_survives_a_copy() -> None:
    error = pickle.loads(pickle.dumps(RevisionConflictError(3, 5)))
    assert (error.code, error.revision, str(error)) == (
        "REVISION_CONFLICT",
        5,
        "the value is not at revision 3: it is at revision 5",
    )


async def test_with_replicas_the_leader_is_asked(broker: Broker, names: Names, state: StateStore, group: str) -> None:
    broker.replicas = 3
    asked: list[str] = []
    request = broker.request

    async def watched(subject: str, *args: Any, **options: Any) -> Any:
        asked.append(subject)
        return await request(subject, *args, **options)

    async def text_of(value: Any) -> object:
        return value["text"]

    broker.request = watched  # type: ignore[method-assign]
    assert await state.get(group, "k") is None
    await state.set(group, "k", {"text": "ä€"})
    assert await state.get(group, "k") == {"text": "ä€"}
    assert await state.update(group, "k", text_of) == "ä€"
    assert await state.delete(group, "k") == "ä€"
    assert await state.get(group, "k") is None
    by_body = sum(subject.startswith("$JS.API.STREAM.MSG.GET.KV_") for subject in asked)
    by_write = asked.count(f"$KV.{names.buckets.state}.{names.state_key(group, 'k')}")
    from_anyone = any("DIRECT.GET" in subject for subject in asked)
    if state._values._reach is WHOLE_BUCKET:
        assert (by_body, by_write, from_anyone) == (5, 2, False)
    else:  # delete is a write as well, and each read asks by one
        assert (by_body, by_write, from_anyone) == (0, 3 + 5, True)
