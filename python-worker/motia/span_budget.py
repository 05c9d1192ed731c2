"""Keeps what is stored of a busy process affordable.

So many spans of each second are described, whichever traces they are of: one trace may have thousands of runs.
"""

from __future__ import annotations

import time
from typing import Final

_MOST_PER_SECOND: Final = 500


class SpanBudget:
    """So many spans in a second."""

    def __init__(self, most: int = _MOST_PER_SECOND) -> None:
        self._most = most
        self._left = most
        self._until = 0.0

    def take(self) -> bool:
        """Whether there is room for one more."""
        if self._left > 0:
            self._left -= 1
            return True
        now = time.monotonic()
        if now < self._until:
            return False
        self._until = now + 1
        self._left = self._most - 1
        return True
