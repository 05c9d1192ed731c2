"""Whether the process can do its work, and whether it would help to start it anew: the twin of `shared/health.ts`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

Check: TypeAlias = Callable[[], str | None]
"""Gives what is wrong, for a person to read and without anything secret; `None` if nothing is."""


class Health:
    """Both answers give the reasons against it: none if all is well."""

    def __init__(self) -> None:
        self._ready: list[Check] = []
        self._live: list[Check] = []
        self._draining = False

    def ready_if(self, check: Check) -> None:
        """Adds what must hold for the process to be given work."""
        self._ready.append(check)

    def live_if(self, check: Check) -> None:
        """Adds what, if it does not hold, only a new process can mend."""
        self._live.append(check)

    def drain(self) -> None:
        """It is to end: from now on it is not ready, and whatever breaks on the way is no reason to end it sooner."""
        self._draining = True

    def ready(self) -> list[str]:
        return ["it is shutting down"] if self._draining else _reasons([*self._live, *self._ready])

    def live(self) -> list[str]:
        return [] if self._draining else _reasons(self._live)


def _reasons(checks: Sequence[Check]) -> list[str]:
    return [reason for check in checks if (reason := check()) is not None]
