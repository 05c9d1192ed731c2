"""Which calls may be had twice."""

from __future__ import annotations

from collections.abc import Mapping

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def is_safe(method: str, headers: Mapping[str, object]) -> bool:
    """Safe by the method (RFC 9110, 9.2.1), or because the caller says so with an `Idempotency-Key`."""
    return method in _SAFE or headers.get("idempotency-key") is not None
