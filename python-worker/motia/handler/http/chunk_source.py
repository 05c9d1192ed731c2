"""What a handler may return as a body that is streamed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TypeAlias

ChunkSource: TypeAlias = AsyncIterator[object] | Iterator[object]
"""Gives one piece of a body after the other."""

_NO_SOURCES = (str, dict, list, tuple, type(None))


def to_chunk_source(body: object) -> ChunkSource | None:
    """Any async iterable, or an iterator, such as a generator; `None` for what is neither. Nothing is read from it yet.

    Lists can be iterated over as well, and are JSON: so only what is an iterator itself counts.
    """
    if isinstance(body, _NO_SOURCES):
        return None
    if hasattr(type(body), "__aiter__"):
        source: AsyncIterator[object] = body.__aiter__()  # type: ignore[attr-defined]
        return source
    return body if isinstance(body, Iterator) else None
