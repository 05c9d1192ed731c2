"""Changes that depend on what is stored: read, changed, and stored if nobody else was faster.

In one process a key has one round trip at a time: changes that are asked for meanwhile wait, and are applied together
in the next one. Otherwise a key that many want to change would see little but lost races.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple, TypeAlias

from ..errors import MotiaError
from .json_bucket import EntryFields, JsonBucket, expiry_of

Change: TypeAlias = Callable[[bytes | None], Awaitable[bytes | None]]
"""Makes the next value from the present one, as JSON; `None` for nothing.

May be called several times, and raise: then what is stored stays as it was.
"""

# A change that takes longer holds up all others of its key, or waits for one of them.
_LONGEST_CHANGE_S: Final = 10.0
_LONGEST_PAUSE_S: Final = 0.1


class _Waiting(NamedTuple):
    change: Change
    names: str | None
    stored: asyncio.Future[None]


class ChangeQueue:
    """The changes of one bucket in this process."""

    def __init__(self, bucket: JsonBucket) -> None:
        self._bucket = bucket
        # By key; a key is here as long as somebody works on it.
        self._waiting: dict[str, list[_Waiting]] = {}
        self._workers: set[asyncio.Task[None]] = set()

    async def apply(self, key: str, change: Change, names: str | None = None) -> None:
        """Returns when a change is stored. Raises what the change raised. When the entry goes stays as it is.

        `names` are those of the entry, as in `EntryFields`.
        """
        one = _Waiting(change, names, asyncio.get_running_loop().create_future())
        waiting = self._waiting.get(key)
        if waiting is None:
            queue = self._waiting[key] = [one]
            worker = asyncio.create_task(self._work(key, queue))
            self._workers.add(worker)
            worker.add_done_callback(self._workers.discard)
        else:
            waiting.append(one)
        await one.stored

    async def _work(self, key: str, queue: list[_Waiting]) -> None:
        while queue:
            await self._store(key, queue)
        del self._waiting[key]

    async def _store(self, key: str, queue: list[_Waiting]) -> None:
        """Stores what waits, and what comes until it has won the race for it. Never raises."""
        open_: list[_Waiting] = []
        races = 0
        try:
            while True:
                before = await self._bucket.load(key)
                taken, open_ = [*open_, *queue], []
                queue.clear()
                expires_at = None if before.json is None else expiry_of(before.last)
                if expires_at is not None and expires_at <= time.time() * 1000:
                    json = expires_at = None  # the broker takes it away within a second
                else:
                    json = before.json
                for one in taken:
                    if one.stored.done():  # whoever waited was cancelled
                        continue
                    try:
                        json = await _within_time(one.change(json))
                        open_.append(one)
                    except BaseException as error:
                        _reject(one, error)
                fields = EntryFields(open_[0].names if open_ else None, expires_at)
                if not open_ or await self._bucket.replace(key, before, json, fields):
                    break
                await asyncio.sleep(random.random() * min(_LONGEST_PAUSE_S, 2 ** min(races, 16) / 1000))
                races += 1
            for one in open_:
                if not one.stored.done():
                    one.stored.set_result(None)
        except Exception as error:
            failed = open_ or [*queue]
            if not open_:
                queue.clear()
            for one in failed:
                _reject(one, error)


def _reject(one: _Waiting, error: BaseException) -> None:
    if not one.stored.done():
        one.stored.set_exception(error)


async def _within_time(change: Awaitable[bytes | None]) -> bytes | None:
    """Raises `MotiaError` `INVALID_VALUE` if a change is not made in time."""
    task = asyncio.ensure_future(change)
    await asyncio.wait([task], timeout=_LONGEST_CHANGE_S)
    if task.done():
        return task.result()
    task.cancel()
    raise MotiaError(
        "INVALID_VALUE",
        f"the function that makes the new value took over {_LONGEST_CHANGE_S:g} s: it has to be quick, "
        "and must not wait for another change of the same key",
    )
