"""How many runs of an event step go on at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from ..broker.consumers import queue_settings
from .run_time import RunTime

if TYPE_CHECKING:
    from .event_consumer import EventConsumer, HeldEvent

# With a single handler process, waiting events are sent ahead of their run as far as they will run within this time.
_AHEAD_MS: Final = 10
_MOST_AHEAD: Final = 256


class Gate:
    """How many runs of an event step go on at a time, over all its subscriptions.

    A single handler process keeps the limit itself, so that short runs can be sent to it ahead of time; with several,
    no more are sent than may run.
    """

    def __init__(self, step: Mapping[str, Any], default_limit: int, *, has_one_process: bool) -> None:
        """`default_limit`: that of a step that says nothing about it."""
        queue = queue_settings(step)
        self.limit: int = queue.get("concurrency") or default_limit
        """Runs at a time."""
        self.run_time = RunTime()
        # What it takes must not be what other workers may run.
        self._may_send_ahead = has_one_process and not ("globalConcurrency" in queue or "rateLimit" in queue)
        self._running = 0
        self._waiting: deque[tuple[EventConsumer, HeldEvent, bytes]] = deque()

    @property
    def room(self) -> int:
        """How many events may be on their way to their run, or in it."""
        if not self._may_send_ahead:
            return self.limit
        return self.limit + min(_MOST_AHEAD, int(_AHEAD_MS * self.limit / self.run_time.ms))

    def enter(self, consumer: EventConsumer, held: HeldEvent, payload: bytes) -> None:
        """Has the event dispatched when it may run. Counts it until `leave`."""
        if self._running < self.room:
            self._running += 1
            held.entered = True
            consumer.dispatch(held, payload)
        else:
            self._waiting.append((consumer, held, payload))

    def leave(self) -> None:
        """An event that had entered is done with."""
        self._running -= 1
        if self._waiting:
            self.enter(*self._waiting.popleft())

    def withdraw(self) -> list[tuple[EventConsumer, HeldEvent]]:
        """Takes back what waits."""
        withdrawn = [(consumer, held) for consumer, held, _ in self._waiting]
        self._waiting.clear()
        return withdrawn
