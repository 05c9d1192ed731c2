"""How lists of what is stored come in pages."""

from __future__ import annotations

import re
from typing import Final

from ..errors import MotiaError

# How much a page has at most.
_MOST_LISTED: Final = 1_000
_USUALLY_LISTED: Final = 100
_POSITION = re.compile(r"[0-9]{1,15}")


def to_limit(limit: object) -> int:
    """Raises `MotiaError` `INVALID_VALUE` for anything but a whole number that a page may have."""
    if limit is None:
        return _USUALLY_LISTED
    if isinstance(limit, int) and not isinstance(limit, bool) and 1 <= limit <= _MOST_LISTED:
        return limit
    raise MotiaError("INVALID_VALUE", f"a list has a limit from 1 to {_MOST_LISTED}")


def to_position(after: object) -> int:
    """The revision after which a page of entries begins.

    Raises `MotiaError` `INVALID_VALUE` for what no page has as its `next`.
    """
    if after is None:
        return 0
    if isinstance(after, str) and _POSITION.fullmatch(after):
        return int(after)
    raise MotiaError("INVALID_VALUE", "`after` is the `next` of the page before")
