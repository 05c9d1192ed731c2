"""How long the runs of a step take, as a moving average."""

from __future__ import annotations

import math
from typing import Final

# Share of the newest run in the average.
_WEIGHT: Final = 0.1


class RunTime:
    """Of one step."""

    def __init__(self) -> None:
        self.ms = math.inf
        """Milliseconds; infinite before the first run."""

    def add(self, took_ms: float) -> None:
        """`took_ms` of one run; 0 if it is not known."""
        if took_ms > 0:
            self.ms = took_ms if math.isinf(self.ms) else self.ms + (took_ms - self.ms) * _WEIGHT
