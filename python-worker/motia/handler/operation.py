"""Operations of handlers on the world: begun at once, awaited or not, from the event loop or from a thread."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator
from typing import Any, TypeVar

T = TypeVar("T")


class Operation(Coroutine[Any, Any, T]):
    """An operation that is under way.

    To whoever asks it is a coroutine, so that everything takes it that takes the call of an `async def`: `await`,
    `asyncio.gather`, `asyncio.create_task`.
    """

    __slots__ = ("_awaited", "_steps", "_task")

    def __init__(self, task: asyncio.Task[T]) -> None:
        self._task = task
        self._steps: Generator[Any, None, T] | None = None
        self._awaited = False

    @property
    def settled(self) -> bool:
        """Whether nothing is left to be done about it."""
        return self._task.done() and (self._awaited or self._task.cancelled() or self._task.exception() is None)

    async def settle(self) -> None:
        """Waits for its end. Raises its error if nobody else was told."""
        if not self._task.done():
            await asyncio.wait([self._task])
        if not self.settled:
            self._task.result()

    def abandon(self) -> None:
        """Says that nobody wants to know how it ends."""
        self._task.add_done_callback(_look_at)

    def __await__(self) -> Generator[Any, None, T]:
        self._awaited = True
        return self._task.__await__()

    def send(self, value: Any, /) -> Any:
        if self._steps is None:
            self._steps = self.__await__()
        return self._steps.send(value)

    def throw(self, *error: Any) -> Any:
        if self._steps is None:
            self._steps = self.__await__()
        return self._steps.throw(*error)

    def close(self) -> None:
        """Nothing: the operation goes on."""


def _look_at(task: asyncio.Task[Any]) -> None:
    """Keeps asyncio from complaining of an error that nobody has looked at."""
    if not task.cancelled():
        task.exception()


def is_on_loop() -> bool:
    """Whether the calling code may await: it does not, if it is a plain function in a thread."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def finish_from_thread(operation: Coroutine[Any, Any, T], loop: asyncio.AbstractEventLoop) -> Any:
    """Has an operation of `loop` done for another thread.

    Gives its result to a plain function, and something to await to code on a loop of its own.
    """
    future = asyncio.run_coroutine_threadsafe(operation, loop)
    return asyncio.wrap_future(future) if is_on_loop() else future.result()
