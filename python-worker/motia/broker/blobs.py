"""Claim checks: payloads above the broker's message limit travel through an object store, transparent to handlers.

The format is that of the NATS object stores, as the TypeScript worker and the `nats object` tool read and write it. The
client's own object store stores chunks one after the other and reads with a consumer, which waits for ever when the
connection drops meanwhile; this one takes a few round trips, and an outage is ridden out.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import secrets
import uuid
from contextlib import suppress
from datetime import datetime, timezone
from typing import Any

import orjson

from ..errors import MotiaError
from .connect import Broker
from .key_value import purge_subject
from .message import Message
from .publish import BrokerRefusal, check_stored, read_answer
from .retry import ride_out

# Room that headers and frame meta may take in a message.
_MESSAGE_OVERHEAD = 64 * 1024
_RIDE_OUT_S = 15.0
_CHUNK = 128 * 1024
# Chunks on their way at a time, in either direction: 8 MB. The server cuts off who lets more than 64 MB pile up.
_WINDOW = 64
_DIGEST = "SHA-256="
_ROLLUP = {"Nats-Rollup": "sub"}
_MESSAGE_NOT_FOUND, _STREAM_NOT_FOUND = 10037, 10059
_END_OF_BATCH, _NO_MESSAGES = 204, 404


def fits_message(broker: Broker, size: int) -> bool:
    """Whether a payload of `size` bytes fits into a message, its headers included."""
    return size + _MESSAGE_OVERHEAD <= broker.max_payload()


class BlobStore:
    """One object store."""

    def __init__(self, broker: Broker, bucket: str) -> None:
        self._broker = broker
        self._bucket = bucket
        self._stream = f"OBJ_{bucket}"

    def needed(self, size: int) -> bool:
        """Whether a payload of `size` bytes has to go through the store."""
        return not fits_message(self._broker, size)

    async def put(self, data: bytes, prefix: str = "") -> str:
        """Stores bytes and gives their name: `prefix` and a random part without dots.

        Raises `MotiaError` `STORE_FULL` when the broker has no room.
        """
        digest = _DIGEST + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode()
        unfinished: list[str] = []

        async def attempt() -> str:
            name = f"{prefix}{uuid.uuid4()}"  # what a failed try left under its name is not added to
            unfinished.append(secrets.token_hex(11))  # as long as the client's ids, whose generator a fork would copy
            await self._write(name, unfinished[-1], data, digest)
            unfinished.pop()
            return name

        try:
            return await ride_out(self._broker, _RIDE_OUT_S, attempt)
        finally:
            for nuid in unfinished if self._broker.connected() else ():
                with suppress(MotiaError):  # chunks of a failed try only take room
                    await purge_subject(self._broker, self._stream, self._chunks(nuid))

    async def get(self, name: str) -> bytes:
        """The bytes that were stored under a name.

        Raises `MotiaError` `INVALID_VALUE` if there is nothing (any more).
        """
        return await ride_out(self._broker, _RIDE_OUT_S, lambda: self._read(name))

    async def delete(self, name: str) -> None:
        """Removes what is stored under a name, if anything is."""

        async def attempt() -> None:
            info = await self._info(name)
            if info is not None:
                gone = info | {"deleted": True, "size": 0, "chunks": 0, "digest": ""}
                await self._write_info(gone)
                await purge_subject(self._broker, self._stream, self._chunks(info["nuid"]))

        await ride_out(self._broker, _RIDE_OUT_S, attempt)

    async def _write(self, name: str, nuid: str, data: bytes, digest: str) -> None:
        size = min(_CHUNK, self._broker.max_payload())
        view, subject = memoryview(data), self._chunks(nuid)
        offsets = range(0, len(data), size)
        for first in range(0, len(offsets), _WINDOW):
            window = offsets[first : first + _WINDOW]
            # Sent in their order on one connection, so that is how they are stored.
            stored = await asyncio.gather(
                *[self._broker.request(subject, view[offset : offset + size].tobytes()) for offset in window]
            )
            for reply in stored:
                check_stored(reply)
        await self._write_info(
            {
                "bucket": self._bucket,
                "nuid": nuid,
                "size": len(data),
                "chunks": len(offsets),
                "name": name,
                "description": "",
                "options": {"max_chunk_size": size},
                "mtime": datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                "digest": digest,
                "deleted": False,
            }
        )

    async def _write_info(self, info: dict[str, Any]) -> None:
        check_stored(await self._broker.request(self._meta(info["name"]), orjson.dumps(info), _ROLLUP))

    async def _read(self, name: str) -> bytes:
        info = await self._info(name)
        if info is None or info.get("deleted"):
            raise MotiaError("INVALID_VALUE", "a large payload is not in the object store any more")
        chunks: list[bytes] = []
        sequence = 1
        while len(chunks) < info["chunks"]:
            page = await self._read_chunks(info["nuid"], sequence)
            if not page:
                raise MotiaError("BROKER_TIMEOUT", "a large payload is not in the object store as a whole")
            chunks += [message.data for message in page]
            sequence = int(page[-1].header("Nats-Sequence")) + 1
        data = b"".join(chunks)
        if _decode_digest(info["digest"]) != hashlib.sha256(data).digest():
            raise MotiaError("INVALID_VALUE", "a large payload is damaged in the object store")
        return data

    async def _read_chunks(self, nuid: str, sequence: int) -> list[Message]:
        query = orjson.dumps({"seq": sequence, "next_by_subj": self._chunks(nuid), "batch": _WINDOW})
        replies = await self._broker.request_many(
            f"$JS.API.DIRECT.GET.{self._stream}", query, lambda message: message.status != 0
        )
        status = replies.pop()
        if status.status not in (_END_OF_BATCH, _NO_MESSAGES):
            raise MotiaError("BROKER_REFUSED", f"the broker refused a read: {status.description}")
        return replies

    async def _info(self, name: str) -> dict[str, Any] | None:
        query = orjson.dumps({"last_by_subj": self._meta(name)})
        try:
            answer = read_answer(await self._broker.request(f"$JS.API.STREAM.MSG.GET.{self._stream}", query))
        except BrokerRefusal as refusal:
            if refusal.api_code == _MESSAGE_NOT_FOUND:
                return None
            if refusal.api_code == _STREAM_NOT_FOUND:
                raise MotiaError("BROKER_TIMEOUT", f"the broker has no stream {self._stream} yet") from refusal
            raise
        return orjson.loads(base64.b64decode(answer["message"]["data"]))

    def _chunks(self, nuid: str) -> str:
        return f"$O.{self._bucket}.C.{nuid}"

    def _meta(self, name: str) -> str:
        return f"$O.{self._bucket}.M.{base64.urlsafe_b64encode(name.encode()).decode()}"


def _decode_digest(digest: str) -> bytes:
    text = digest.removeprefix(_DIGEST).rstrip("=")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
