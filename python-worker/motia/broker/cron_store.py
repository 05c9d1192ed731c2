"""Cron steps on the broker: their ticks, and what has run."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

import orjson

from ..errors import MotiaError
from ..protocol.headers import Header
from ..protocol.subjects import Names
from .connect import Broker
from .delivery import Delivery
from .key_value import read_last, replace_entry

LATE_MS: Final = 60_000
"""A tick that is late by no more than this runs: a failover loses none."""
# Ended runs that a record keeps; those that go on are all there.
_KEPT_RUNS: Final = 16


@dataclass(frozen=True, slots=True)
class Tick:
    """A tick as a worker takes it."""

    seq: int
    """Its sequence in the broker stream: the identity of the message."""
    tick: int
    """The time that it stands for, ms since 1970."""
    manual: bool
    """A person asked for it, outside of the schedule."""


@dataclass(frozen=True, slots=True)
class CronRun(Tick):
    """One run of a cron step, as the record of the step has it. Times are ms since 1970."""

    claim: str
    """Identity of the attempt that has it: whoever finds another one there has lost the run."""
    times: int
    """How often it was begun: a second time if it was cut off."""
    startedAt: int  # named as on the broker
    endedAt: int | None = None
    """Absent while it runs, or if it was cut off."""
    outcome: Literal["succeeded", "failed"] | None = None


@dataclass(frozen=True, slots=True)
class CronRecord:
    """The runs of a step, in the order of their messages, and the revision that has them."""

    runs: list[CronRun]
    revision: int


class CronStore:
    """What workers need of it."""

    def __init__(self, broker: Broker, names: Names) -> None:
        self._broker = broker
        self._names = names
        self._bucket = names.buckets.leases

    async def read_record(self, step_id: str) -> CronRecord:
        entry = await read_last(self._broker, self._bucket, self._names.cron_runs(step_id))
        if entry is None:
            return CronRecord([], 0)
        runs: list[dict[str, Any]] = [] if entry.removed else orjson.loads(entry.data)["runs"]
        return CronRecord([CronRun(**run) for run in runs], entry.revision)

    async def replace_record(self, step_id: str, record: CronRecord) -> bool:
        """Stores the runs of a step if the record still has this revision. Gives whether it had."""
        runs = record.runs
        kept = [run for n, run in enumerate(runs) if run.endedAt is None or n >= len(runs) - _KEPT_RUNS]
        data = orjson.dumps({"runs": [_drop_none(asdict(run)) for run in kept]})
        return await replace_entry(self._broker, self._bucket, self._names.cron_runs(step_id), data, record.revision)


def read_tick(delivery: Delivery) -> Tick:
    """Reads a tick. Raises `MotiaError` `INVALID_VALUE` for a message that is none."""
    text = delivery.headers.get(Header.TICK, "")
    # 14 digits last for 3,000 years, and are a date in every language.
    if not (text.isascii() and text.isdigit() and len(text) <= 14):
        raise MotiaError("INVALID_VALUE", "the message is not a tick")
    return Tick(delivery.sequence, int(text), delivery.headers.get(Header.TRIGGER) == "manual")


def _drop_none(members: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in members.items() if value is not None}
