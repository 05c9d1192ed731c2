"""Large payloads: those of this worker and those of the TypeScript one are the same to both."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import orjson
import pytest

from motia.broker.blobs import BlobStore
from motia.broker.connect import Broker
from motia.broker.publish import read_answer
from motia.errors import MotiaError
from motia.protocol.subjects import Names
from tests.helpers.nats_server import NatsServer

CHUNK = 128 * 1024


@pytest.fixture
def blobs(broker: Broker, names: Names) -> BlobStore:
    return BlobStore(broker, names.buckets.payloads)


async def typescript(server: NatsServer, names: Names, *arguments: str, data: bytes = b"") -> bytes:
    """What the TypeScript worker's store gives."""
    script = Path(__file__).parents[2] / "helpers" / "blob.mjs"
    process = await asyncio.create_subprocess_exec(
        "node", script, server.url, names.buckets.payloads, *arguments, stdin=-1, stdout=-1
    )
    output, _ = await process.communicate(data)
    assert process.returncode == 0
    return output


def body(size: int) -> bytes:
    return bytes(range(256)) * (size // 256) + bytes(size % 256)


async def test_what_python_stores_typescript_reads(blobs: BlobStore, server: NatsServer, names: Names) -> None:
    data = body(10 * CHUNK + 7)
    assert await typescript(server, names, "get", await blobs.put(data)) == data


async def test_what_typescript_stores_python_reads(blobs: BlobStore, server: NatsServer, names: Names) -> None:
    data = body(10 * CHUNK + 7)
    assert await blobs.get((await typescript(server, names, "put", data=data)).decode()) == data


@pytest.mark.parametrize("size", [0, 1, CHUNK, CHUNK + 1, 64 * CHUNK, 64 * CHUNK + 1, 130 * CHUNK])
async def test_sizes(blobs: BlobStore, size: int) -> None:
    name = await blobs.put(body(size), "a.b.")
    assert re.fullmatch(r"a\.b\.[0-9a-f-]{36}", name)
    assert await blobs.get(name) == body(size)


async def test_what_is_deleted_or_never_was_is_told(blobs: BlobStore, broker: Broker, names: Names) -> None:
    name = await blobs.put(body(3 * CHUNK))
    await blobs.delete(name)
    for missing in (name, "never"):
        with pytest.raises(MotiaError, match="not in the object store any more") as caught:
            await blobs.get(missing)
        assert caught.value.code == "INVALID_VALUE"
    await blobs.delete("never")


async def test_damage_is_noticed(blobs: BlobStore, broker: Broker, names: Names) -> None:
    name = await blobs.put(body(3 * CHUNK))
    info = await blobs._info(name)
    assert info is not None
    chunks = blobs._chunks(info["nuid"])
    await blobs._write_info(info | {"digest": f"SHA-256={'A' * 43}="})
    with pytest.raises(MotiaError, match="damaged"):
        await blobs.get(name)
    await broker.request(f"$JS.API.STREAM.PURGE.OBJ_{names.buckets.payloads}", orjson.dumps({"filter": chunks}))
    with pytest.raises(MotiaError, match="as a whole"):
        await blobs._read(name)


async def test_a_crash_meanwhile_makes_them_late_and_leaves_no_halves(
    blobs: BlobStore, broker: Broker, server: NatsServer, names: Names
) -> None:
    stream = f"OBJ_{names.buckets.payloads}"
    before = read_answer(await broker.request(f"$JS.API.STREAM.INFO.{stream}"))["state"]["messages"]
    data = body(100 * CHUNK)
    storing = asyncio.ensure_future(blobs.put(data))
    await broker.flush()  # some chunks are there
    await asyncio.to_thread(server.crash, 0.1)
    name = await storing
    assert await blobs.get(name) == data
    after = read_answer(await broker.request(f"$JS.API.STREAM.INFO.{stream}"))["state"]["messages"]
    assert after - before == 101


def test_what_is_too_large_for_a_message(blobs: BlobStore) -> None:
    limit = 8 * 1024 * 1024 - 64 * 1024
    assert (blobs.needed(limit), blobs.needed(limit + 1)) == (False, True)
