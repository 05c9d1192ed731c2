"""Questions about who may follow a stream: calls whose ids no step has."""

from __future__ import annotations

from typing import Final

RESERVED_MARK: Final = "="
"""Step names do not begin with it."""


def can_access_id(stream: str) -> str:
    """Calls the function of a stream that says who may follow it."""
    return f"=canAccess:{stream}"
