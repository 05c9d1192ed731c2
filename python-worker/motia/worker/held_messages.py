"""The messages of one consumer that this worker has. They stay its own as long as the broker hears of it in time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Generic, TypeVar

from ..broker.delivery import Delivery
from ..errors import MotiaError
from .processes.job import Job


class HeldMessage:
    """A message that this worker has."""

    __slots__ = ("delivery", "ended", "job", "lease_until", "renewed_at")

    def __init__(self, delivery: Delivery, ack_wait_ms: int) -> None:
        self.delivery = delivery
        # Until when the broker gives it to nobody else, ms since 1970.
        self.lease_until: float = delivery.received_at + ack_wait_ms
        # When the broker was last asked to keep it for us, ms since 1970.
        self.renewed_at: float = delivery.received_at
        self.job: Job | None = None
        self.ended = False

    @property
    def is_ours(self) -> bool:
        """The broker gives it to nobody else."""
        return self.lease_until > time.time() * 1000

    def renew(self, until: float) -> None:
        """It is ours for longer: the broker has confirmed that, or handed it to us again."""
        if self.ended:
            return
        self.lease_until = until
        if self.job:
            self.job.renew_lease(until)


H = TypeVar("H", bound=HeldMessage)


class HeldMessages(Generic[H]):
    """Holds and renews them."""

    def __init__(self, ack_wait_ms: int) -> None:
        self._ack_wait_ms = ack_wait_ms
        # By sequence in the broker stream.
        self._held: dict[int, H] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._held)

    def __iter__(self) -> Iterator[H]:
        return iter([*self._held.values()])

    def hold(self, held: H) -> bool:
        """Holds what was delivered. False if it is here already: then that one is ours for longer."""
        delivery = held.delivery
        known = self._held.setdefault(delivery.sequence, held)
        if known is held:
            return True
        # Our renewals had not reached the broker, and it has come back to us.
        known.delivery = delivery
        known.renewed_at = delivery.received_at
        known.renew(held.lease_until)
        return False

    def release(self, held: H) -> None:
        """It is answered, or somebody else's."""
        self._held.pop(held.delivery.sequence, None)

    def renew(self) -> None:
        """Tells the broker that the messages are still being worked on. Call it several times per ack wait.

        A lease that has run out (the process stood still, the broker was away) stays so until the message comes to us
        again: the broker confirms whatever it is told, also of a message that another worker has by now.
        """
        now = time.time() * 1000
        for held in self._held.values():
            if now - held.renewed_at >= self._ack_wait_ms / 4 and held.is_ours:
                held.renewed_at = now
                self._tasks.add(task := asyncio.create_task(self._renew(held, now + self._ack_wait_ms)))
                task.add_done_callback(self._tasks.discard)

    async def _renew(self, held: H, until: float) -> None:
        try:
            await held.delivery.working()
        except MotiaError:
            return  # without a confirmation the lease runs out, and the run is fenced off
        if held.is_ours:
            held.renew(until)
