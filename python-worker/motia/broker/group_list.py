"""Which groups a bucket has. The broker knows its keys: no value is read for it, and no consumer is made."""

from __future__ import annotations

from collections import Counter
from typing import Final, NamedTuple

from .connect import Broker
from .key_value import ASKED, read_keys
from .page import to_limit

# The broker tells so many keys at once, and then goes on by position. Those before may go meanwhile, so pages overlap.
_OVERLAP: Final = 1_000


class GroupPage(NamedTuple):
    """Some of the groups."""

    groups: list[tuple[str, int]]
    """Tokens, with the number of keys of each."""
    next: str | None
    """There are more: `after` of the next page."""


async def list_groups(broker: Broker, bucket: str, limit: object, after: str | None) -> GroupPage:
    """Groups in the order of their tokens, from behind the token `after`.

    Raises `MotiaError` `INVALID_VALUE` for a wrong limit.
    """
    most = to_limit(limit)
    counts: Counter[str] = Counter()
    last, offset = "", 0
    while True:
        keys, total = await read_keys(broker, bucket, ">", offset)
        for key, count in keys.items():
            token = key.partition(".")[0]
            is_told = key <= last or (after is not None and f"{token}." <= f"{after}.")
            if not is_told and token != ASKED:
                counts[token] += count
        last = max(keys, default=last)
        # Keys come in the order of their groups: only the last one may go on.
        if len(counts) > most or offset + len(keys) >= total or len(keys) <= _OVERLAP:
            break
        offset += len(keys) - _OVERLAP
    found = sorted(counts.items(), key=lambda one: f"{one[0]}.")
    groups = found[:most]
    return GroupPage(groups, groups[-1][0] if len(found) > most else None)
