"""The manifest on the broker: several writers lose nothing of each other's, and everybody learns of every version."""

from __future__ import annotations

import asyncio
import gzip
import signal
import time
from collections.abc import AsyncIterator, Callable
from itertools import count
from typing import Any

import orjson
import pytest

from motia.broker.connect import Broker
from motia.broker.key_value import read_entry, write_entry
from motia.broker.manifest_store import ManifestWatch, read_manifest, replace_steps, version_of, watch_manifest
from motia.broker.newest_version import Publisher
from motia.broker.publish import read_answer
from motia.broker.worker_lease import WorkerLease
from motia.errors import MotiaError
from motia.log import Log
from motia.protocol.subjects import Names, create_names
from motia.steps.manifest import manifest_version
from tests.helpers.nats_server import NatsServer, make_topology
from tests.helpers.wait_for import wait_for
from tests.integration.broker.conftest import Connect

_apps = (f"manifest{i}" for i in count())


@pytest.fixture
async def app(broker: Broker) -> Names:
    """An app with nothing but a manifest bucket, with the settings that matter here of the real one."""
    names = create_names(next(_apps))
    bucket = names.buckets.manifest
    config = {
        "name": f"KV_{bucket}",
        "subjects": [f"$KV.{bucket}.>"],
        "discard": "new",
        "max_msgs_per_subject": 1,
        "allow_rollup_hdrs": True,
        "deny_delete": True,
        "allow_direct": True,
    }
    read_answer(await broker.request(f"$JS.API.STREAM.CREATE.KV_{bucket}", orjson.dumps(config)))
    return names


def step(name: str, language: str = "python", **more: Any) -> dict[str, Any]:
    kind = {"type": "event", "subscribes": [name], "emits": [], "flows": []}
    return {"id": name, "name": name, "language": language, "file": f"src/{name}_step.py", **kind, **more}


def names_of(manifest: dict[str, Any]) -> list[str]:
    return [entry["name"] for entry in manifest["steps"]]


Watch = Callable[..., Any]


@pytest.fixture
async def watch(broker: Broker, app: Names) -> AsyncIterator[Watch]:
    watches: list[ManifestWatch] = []

    async def watch(on: Broker = broker, names: Names = app) -> list[list[str]]:
        seen: list[list[str]] = []
        watches.append(await watch_manifest(on, names, lambda manifest: seen.append(names_of(manifest))))
        return seen

    yield watch
    for each in watches:
        await each.close()


async def test_the_first_one_has_the_default_settings_and_no_later_one_changes_them(broker: Broker, app: Names) -> None:
    assert await read_manifest(broker, app) is None
    first = (await replace_steps(broker, app, "python", [step("a")])).manifest
    assert first == await read_manifest(broker, app) == await read_manifest(broker, app, first["version"])
    assert (first["protocol"], first["app"]) == (1, app.app)
    assert first["settings"] == {
        "bodyLimit": 10_485_760,
        "corsOrigins": "*",
        "timeoutMs": 30_000,
        "validation": "warn",
        "streamAuth": True,
    }
    bucket = app.buckets.manifest
    others = {**first, "settings": {"bodyLimit": 7}, "version": "other", "steps": [step("n", "node")]}
    await write_entry(broker, bucket, "v.other", gzip.compress(orjson.dumps(others)))
    await write_entry(broker, bucket, "current", b"other")
    second = (await replace_steps(broker, app, "python", [step("b")])).manifest
    assert second["settings"] == {"bodyLimit": 7}
    assert names_of(second) == ["b", "n"]


async def test_nothing_is_written_when_nothing_changes(broker: Broker, app: Names) -> None:
    first, *_ = await replace_steps(broker, app, "python", [step("a"), step("b")])
    entry = await read_entry(broker, app.buckets.manifest, "current")
    again, warnings, _ = await replace_steps(broker, app, "python", [step("b"), step("a")])
    later = await read_entry(broker, app.buckets.manifest, "current")
    assert entry and later
    assert (again, warnings, later.revision) == (first, [], entry.revision)


async def test_warnings_of_steps_in_each_other_s_way(broker: Broker, app: Names) -> None:
    await replace_steps(broker, app, "node", [step("a", "node", file="src/a.step.ts")])
    manifest, warnings, _ = await replace_steps(broker, app, "python", [step("a")])
    assert [entry["id"] for entry in manifest["steps"]] == ["a", "a@src/a_step.py"]
    assert len(warnings) == 1


async def test_four_writers_at_a_time_lose_nothing_of_each_other_s(
    broker: Broker, connect: Connect, app: Names, watch: Watch
) -> None:
    languages = ["python", "node", "ruby", "go"]
    brokers = [await connect() for _ in languages]
    seen = await watch()

    async def write(broker: Broker, language: str) -> None:
        for i in range(10):
            manifest, *_ = await replace_steps(broker, app, language, [step(f"{language}{i}", language)])
            assert f"{language}{i}" in names_of(manifest)

    await asyncio.gather(*map(write, brokers, languages))
    manifest = await read_manifest(broker, app)
    assert manifest
    assert sorted(names_of(manifest)) == sorted(f"{language}9" for language in languages)
    version = manifest.pop("version")
    assert version == manifest_version(manifest)
    await wait_for(lambda: seen[-1] == names_of(manifest))


async def test_a_current_that_another_tool_deleted_is_written_anew(broker: Broker, app: Names) -> None:
    await replace_steps(broker, app, "python", [step("a")])
    await broker.request(f"$KV.{app.buckets.manifest}.current", b"", {"KV-Operation": "DEL"})
    assert await read_manifest(broker, app) is None
    await asyncio.wait_for(replace_steps(broker, app, "python", [step("b")]), 5)
    manifest = await read_manifest(broker, app)
    assert manifest and names_of(manifest) == ["b"]


async def test_a_watcher_learns_of_the_version_that_is_there_and_of_every_later_one(
    broker: Broker, connect: Connect, app: Names, watch: Watch
) -> None:
    early = await watch()
    await replace_steps(broker, app, "python", [step("a")])
    await wait_for(lambda: early == [["a"]])
    late = await watch(await connect())
    await wait_for(lambda: late == [["a"]])
    await replace_steps(broker, app, "python", [step("b")])
    await wait_for(lambda: early == late == [["a"], ["b"]])


async def test_a_watch_goes_on_after_crashes_tells_nothing_twice_and_leaves_no_consumer(
    broker: Broker, connect: Connect, server: NatsServer, app: Names
) -> None:
    watcher = await connect()
    seen: list[list[str]] = []
    watch = await watch_manifest(watcher, app, lambda manifest: seen.append(names_of(manifest)))
    await replace_steps(broker, app, "python", [step("0")])
    await wait_for(lambda: seen == [["0"]])
    for i in ("1", "2"):
        await asyncio.to_thread(server.crash, 0.1)
        await replace_steps(broker, app, "python", [step(i)])
        await wait_for(lambda i=i: seen[-1] == [i])
    lost = asyncio.ensure_future(watcher._client.force_reconnect())  # the consumer is still there, its inbox is not
    await replace_steps(broker, app, "python", [step("3")])
    await lost
    await wait_for(lambda: seen[-1] == ["3"])
    assert seen == [["0"], ["1"], ["2"], ["3"]]
    await watch.close()
    subscriptions = len(watcher._client._subs)
    await replace_steps(broker, app, "python", [step("4")])
    await watcher.flush()
    assert (seen[-1], subscriptions) == (["3"], 1)
    # One of a dropped connection is taken away by the broker within half a minute.
    info = read_answer(await broker.request(f"$JS.API.STREAM.INFO.KV_{app.buckets.manifest}"))
    assert info["state"]["consumer_count"] <= 1


async def test_a_manifest_of_5000_steps(broker: Broker, app: Names) -> None:
    await replace_steps(broker, app, "python", [step(f"step {i}") for i in range(5_000)])
    manifest = await read_manifest(broker, app)
    assert manifest and len(manifest["steps"]) == 5_000


async def test_waits_for_the_bucket_that_another_process_makes(connect: Connect, server: NatsServer) -> None:
    broker = await connect()
    names = create_names("late")
    replacing = asyncio.ensure_future(replace_steps(broker, names, "python", [step("a")]))
    watching = asyncio.ensure_future(watch_manifest(broker, names, lambda _: None))
    await asyncio.sleep(0.1)
    assert not replacing.done() and not watching.done()
    await asyncio.to_thread(make_topology, server, "late")
    assert names_of((await replacing)[0]) == ["a"]
    await (await watching).close()


async def test_a_bucket_that_never_comes_is_told(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("motia.broker.consumers._RIDE_OUT_S", 0.2)
    before = len(broker._client._subs)
    with pytest.raises(MotiaError):
        await watch_manifest(broker, create_names("never"), lambda _: None)
    assert len(broker._client._subs) == before


async def test_an_older_version_that_starts_again_gives_way_to_a_newer_one_that_lives(
    broker: Broker, names: Names
) -> None:
    async def publish(name: str, publisher: Publisher) -> tuple[bool, list[str]]:
        gave_way = (await replace_steps(broker, names, "python", [step(name)], None, (), publisher)).gave_way
        current = await read_manifest(broker, names)
        assert current
        return gave_way, names_of(current)

    async def start(name: str) -> WorkerLease:
        lease = WorkerLease(broker, names, Log("error", lambda _: None), lambda: [])
        await lease.name((), version_of([step(name)], ()))
        return lease

    assert await publish("old", "worker") == (False, ["old"])
    newer = await start("new")
    assert await publish("new", "worker") == (False, ["new"])
    assert await publish("old", "worker") == (True, ["new"])
    await newer.stop()  # a rollback: none of its workers is left
    assert await publish("old", "worker") == (False, ["old"])
    assert await publish("new", "provision") == (False, ["new"])
    assert await publish("old", "worker") == (True, ["new"])  # its workers are still to come
    assert await publish("new", "worker") == (False, ["new"])
    assert await publish("old", "worker") == (False, ["old"])
    newer = await start("old")
    assert await publish("new", "editor") == (False, ["new"])
    await newer.stop()


async def test_the_lease_of_a_worker_that_ends_while_the_broker_does_not_answer_is_left_to_run_out(
    broker: Broker, names: Names, server: NatsServer
) -> None:
    lease = WorkerLease(broker, names, Log("error", lambda _: None), lambda: [])
    await lease.name()
    server.signal(signal.SIGSTOP)
    try:
        began = time.monotonic()
        await lease.stop()
        assert time.monotonic() - began < 4  # a request alone is waited for longer
    finally:
        server.signal(signal.SIGCONT)
