"""What becomes of a tick that a worker was given: the one place that decides it. Pure.

The broker may hand out a tick again, and two schedulers that both take themselves for the leader may store it twice. So
a run is entered in the record of its step before it begins, and again when it has ended:

| the record says of this tick | the message is | the tick |
| --- | --- | --- |
| nothing, and of no later one | new | runs, unless it is too late or another run goes on (below) |
| nothing, but of a later one | new | was dealt with long ago: dropped |
| ended | any | is done: dropped |
| begun once, not ended | the same | was cut off with its worker: runs once more |
| begun twice, not ended | the same | may end its workers: dropped |
| begun, not ended | another | is somebody's: dropped |
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from ..broker.cron_store import LATE_MS, CronRun, Tick

# So long a tick waits for an earlier run to end; and so long for a worker, if a later tick waits, too.
_PATIENCE_MS: Final = 1_000
_MOST_TIMES: Final = 2

Dropped: TypeAlias = Literal["done", "cut off twice", "too late", "still running", "later one waits"]
"""Why a tick does not run. `done` is nothing to speak of."""


@dataclass(frozen=True, slots=True)
class TakenTick(Tick):
    """A tick as it was handed out."""

    stored_at: int
    """When the broker stored it, ms since 1970."""
    behind: int
    """Further ticks of the step that wait."""


@dataclass(frozen=True, slots=True)
class Run:
    """It runs, for the `times`-th time."""

    times: int


def decide_tick(taken: TakenTick, runs: Iterable[CronRun], step: Mapping[str, Any], now: int) -> Run | Dropped:
    """Decides on a tick by the step's earlier runs. `step` is its manifest entry."""
    runs = [*runs]
    tick = taken.tick
    for run in runs:
        if run.seq == taken.seq or (not taken.manual and not run.manual and run.tick == tick):
            if run.endedAt is not None or run.seq != taken.seq:
                return "done"
            return Run(run.times + 1) if run.times < _MOST_TIMES else "cut off twice"
    if taken.manual:
        return Run(1)
    overlap = step.get("overlap", False)
    # Runs that may overlap may also begin in another order.
    newest = max((run.tick for run in runs if not run.manual), default=0)
    if tick < newest - (LATE_MS if overlap else 0):
        return "done"
    # The broker hands out nothing while a run goes on: one that is not known to have ended goes on no more.
    if not overlap and any(run.startedAt <= tick and (run.endedAt or 0) - tick > _PATIENCE_MS for run in runs):
        return "still running"
    if step.get("missed", "skip") == "skip":
        if now - tick > LATE_MS:
            return "too late"
        if taken.behind > 0 and now - taken.stored_at > _PATIENCE_MS:
            return "later one waits"
    return Run(1)
