"""The body of an answer on its way from a run to the caller, bit by bit, and no faster than the caller takes it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import Executor
from contextvars import copy_context
from typing import Any, Final

from ..protocol.frames import LARGEST_CHUNK, STREAM_WINDOW, encode_frame
from .active_run import ActiveRun
from .http.chunk_source import ChunkSource
from .http.response import InvalidResponse

# A source that never waits gives way to others this often, and what it has given leaves.
_LONGEST_TURN_S: Final = 0.005


class BodyStream:
    """To be made on the event loop of the run. `send` sends a frame to the caller."""

    def __init__(self, run: ActiveRun, send: Callable[[bytes], None], executor: Executor) -> None:
        self._run = run
        self._send = send
        self._executor = executor
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        # What was given in this turn of the event loop becomes one chunk. It may come from a thread.
        self._given = bytearray()
        self._flush_is_due = False
        self._made = 0
        self._taken = 0
        self._sent = 0
        self._next = 1
        self._credited = asyncio.Event()
        self._stopped = False

    def credit(self, taken: int) -> None:
        """The caller has taken so many bytes of the body by now."""
        self._taken = max(self._taken, taken)
        self._flush()
        self._credited.set()

    async def pass_on(
        self, head: dict[str, object], source: ChunkSource, settle: Callable[[], Awaitable[None]]
    ) -> bytes:
        """Sends the head, and all that the source gives. Gives the last frame.

        `settle` has to be done before the end is sent. Raises what the source raises, and `InvalidResponse` if it gives
        anything but text and bytes. The source is closed then, and nothing more is sent.
        """
        self._send(encode_frame(head))
        try:
            if isinstance(source, AsyncIterator):
                await self._pass_async(source)
            else:
                await self._pass_plain(source)
            await settle()
            self._flush()
            while self._given:
                await self._wait_for_credit()
            return encode_frame({"t": "end", "n": self._next})
        finally:
            if not self._run.is_fenced:
                self._flush()
            self._stopped = True

    async def _pass_async(self, source: AsyncIterator[object]) -> None:
        turn_began = self._loop.time()
        try:
            while True:
                try:
                    piece = await source.__anext__()
                except StopAsyncIteration:
                    return
                if self._run.is_fenced:
                    raise asyncio.CancelledError  # which the source has kept to itself
                self._give(_to_bytes(piece))
                while not self._has_room:
                    await self._wait_for_credit()
                if self._loop.time() - turn_began > _LONGEST_TURN_S:
                    self._flush()
                    await asyncio.sleep(0)
                    turn_began = self._loop.time()
        finally:
            await close_source(source, self._executor)

    async def _pass_plain(self, source: Iterator[object]) -> None:
        """In a thread, which is free for others while the caller has to take something first."""
        context = copy_context()
        try:
            while True:
                filling = self._loop.run_in_executor(self._executor, lambda: context.run(self._fill, source))
                try:
                    if await asyncio.shield(filling):
                        return
                except asyncio.CancelledError:
                    self._stopped = True
                    await asyncio.wait([filling])  # it ends with the next piece
                    raise
                while not self._has_room:
                    await self._wait_for_credit()
        finally:
            await close_source(source, self._executor)

    def _fill(self, source: Iterator[object]) -> bool:
        """Takes what there is room for. Tells whether that was all. Runs in a thread."""
        while not self._stopped and self._has_room:
            self._run.enter()
            try:
                piece = next(source)
            except StopIteration:
                return True
            self._give(_to_bytes(piece), in_thread=True)
        return False

    @property
    def _has_room(self) -> bool:
        return self._made - self._taken < STREAM_WINDOW

    def _give(self, data: bytes, in_thread: bool = False) -> None:
        with self._lock:
            self._given += data
            self._made += len(data)
            is_due, self._flush_is_due = self._flush_is_due, True
        if not is_due:
            (self._loop.call_soon_threadsafe if in_thread else self._loop.call_soon)(self._flush)

    def _flush(self) -> None:
        """Sends what is here and may be on its way."""
        self._flush_is_due = False
        while not self._stopped:
            with self._lock:
                size = min(len(self._given), LARGEST_CHUNK, STREAM_WINDOW - (self._sent - self._taken))
                if size <= 0:
                    return
                chunk = bytes(self._given[:size])
                del self._given[:size]
            self._send(encode_frame({"t": "chunk", "n": self._next}, chunk))
            self._next += 1
            self._sent += size

    async def _wait_for_credit(self) -> None:
        self._credited.clear()
        await self._credited.wait()


async def close_source(source: ChunkSource, executor: Executor) -> None:
    """Nobody wants the rest: what the source holds open is closed. Does nothing for one that has ended."""
    if isinstance(source, AsyncIterator):
        aclose: Callable[[], Awaitable[Any]] | None = getattr(source, "aclose", None)
        if aclose:
            await aclose()
        return
    close: Callable[[], object] | None = getattr(source, "close", None)
    if close:
        await asyncio.get_running_loop().run_in_executor(executor, copy_context().run, close)


def _to_bytes(piece: object) -> bytes:
    if isinstance(piece, str):
        return piece.encode("utf-8", "replace")
    if isinstance(piece, (bytes, bytearray, memoryview)):
        return bytes(piece)
    found = "None" if piece is None else f"a value of type {type(piece).__name__}"
    raise InvalidResponse(f"A body that is streamed consists of text and bytes. Found: {found}.")
