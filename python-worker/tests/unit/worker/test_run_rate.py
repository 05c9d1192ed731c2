"""When runs of a step with a rate limit may start."""

from __future__ import annotations

import pytest

from motia.broker.run_rate import Starts, plan_starts

NOW = 1_000_000.0


@pytest.mark.parametrize(
    ("next", "wanted", "spacing_ms", "at", "then"),
    [
        (0, 1, 100, [0], 100),
        (0, 3, 100, [0, 100, 200], 300),
        (250, 2, 100, [250, 350], 450),
        (-60_000, 2, 100, [0, 100], 200),  # a pause saves nothing up
        (0, 10, 400, [0, 400, 800], 1_200),  # no more than a second ahead
        (1_001, 5, 100, [], 1_001),
        (2_100, 1, 100, [], 2_100),  # as far away as a worker whose clock is ahead may have left it
        (3_600_000, 2, 100, [0, 100], 200),  # what a stricter limit has left does not count
        (0, 3, 0.25, [0, 0.25, 0.5], 0.75),
    ],
)
def test_starts(next: float, wanted: int, spacing_ms: float, at: list[float], then: float) -> None:
    assert plan_starts(NOW + next, NOW, wanted, spacing_ms) == Starts([NOW + ms for ms in at], NOW + then)
