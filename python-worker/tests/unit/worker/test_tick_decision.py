"""What becomes of a tick, as both workers decide it."""

from __future__ import annotations

from typing import Any

import pytest

from motia.broker.cron_store import CronRun
from motia.worker.tick_decision import Run, TakenTick, decide_tick
from tests.golden import golden


@pytest.mark.parametrize("example", golden("cron.json")["decisions"], ids=lambda example: example["what"])
def test_decision(example: dict[str, Any]) -> None:
    taken = example["taken"]
    tick = TakenTick(taken["seq"], taken["tick"], taken["manual"], taken["storedAt"], taken["behind"])
    runs = [CronRun(**run) for run in example["runs"]]
    decision = decide_tick(tick, runs, example["step"], example["now"])
    assert (f"run {decision.times}" if isinstance(decision, Run) else decision) == example["is"]
