"""The events of one subscription that this worker has. They stay its own as long as the broker hears of it in time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass

from ..broker.delivery import Delivery
from ..broker.events import EventEnvelope
from ..errors import MotiaError
from .processes.job import Job


@dataclass(slots=True, eq=False)
class Held:
    """An event that this worker has."""

    delivery: Delivery
    event: EventEnvelope
    lease_until: float
    """Until when the broker gives it to nobody else, ms since 1970."""
    renewed_at: float
    """When the broker was last asked to keep it for us, ms since 1970."""
    job: Job | None = None
    timeout: asyncio.TimerHandle | None = None
    entered: bool = False
    """It counts in the gate of its step."""
    ended: bool = False


class HeldEvents:
    """Holds and renews them."""

    def __init__(self, ack_wait_ms: int) -> None:
        self._ack_wait_ms = ack_wait_ms
        # By sequence in the broker stream.
        self._held: dict[int, Held] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._held)

    def __iter__(self) -> Iterator[Held]:
        return iter([*self._held.values()])

    def hold(self, delivery: Delivery, event: EventEnvelope) -> Held | None:
        """Holds what was delivered. `None` for an event that is here already."""
        lease_until = delivery.received_at + self._ack_wait_ms
        known = self._held.get(delivery.sequence)
        if known:
            # Our renewals had not reached the broker, and it has come back to us.
            known.delivery = delivery
            known.renewed_at = delivery.received_at
            _renew_held(known, lease_until)
            return None
        held = self._held[delivery.sequence] = Held(delivery, event, lease_until, delivery.received_at)
        return held

    def release(self, held: Held) -> None:
        """It is answered, or somebody else's."""
        self._held.pop(held.delivery.sequence, None)

    def renew(self) -> None:
        """Tells the broker that the events are still being worked on. Call it several times per ack wait."""
        now = time.time() * 1000
        for held in self._held.values():
            if now - held.renewed_at >= self._ack_wait_ms / 4:
                held.renewed_at = now
                self._tasks.add(task := asyncio.create_task(self._renew(held, now + self._ack_wait_ms)))
                task.add_done_callback(self._tasks.discard)

    async def _renew(self, held: Held, until: float) -> None:
        try:
            await held.delivery.working()
        except MotiaError:
            return  # without a confirmation the lease runs out, and the run is fenced off
        _renew_held(held, until)


def _renew_held(held: Held, until: float) -> None:
    if held.ended:
        return
    held.lease_until = until
    if held.job:
        held.job.renew_lease(until)
