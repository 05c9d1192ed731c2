"""Which realtime streams the project has."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from ..errors import MotiaError


class StreamNames:
    """The names that are known so far.

    `own` are those that this process has loaded. `read_all` gives those of all languages; it is asked for a name that
    is not known: they come with edits.
    """

    def __init__(self, own: Iterable[str], read_all: Callable[[], Awaitable[Iterable[str]]]) -> None:
        self._known = set(own)
        self._read_all = read_all

    async def check(self, name: str) -> None:
        """Raises `MotiaError` `INVALID_VALUE` that tells which streams there are, if there is none of that name."""
        if name in self._known:
            return
        self._known.update(await self._read_all())
        if name not in self._known:
            known = ", ".join(sorted(self._known))
            defined = f"the project has {known}" if known else "no file of the project defines one"
            raise MotiaError("INVALID_VALUE", f'there is no stream "{name}": {defined}')
