"""What may happen so often in a second."""

from __future__ import annotations

import time
from collections.abc import Callable


def first_of_each_second(most: int) -> Callable[[], bool]:
    """Says yes to the first so many of each second."""
    left, until = most, 0.0

    def take() -> bool:
        nonlocal left, until
        if left > 0:
            left -= 1
            return True
        now = time.monotonic()
        if now < until:
            return False
        left, until = most - 1, now + 1
        return True

    return take
