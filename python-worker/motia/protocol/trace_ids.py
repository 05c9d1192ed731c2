"""W3C trace context: ids and the `traceparent` header."""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_TRACE_ID = re.compile(r"[0-9a-f]{32}")
# Digits of a trace id that say when the trace began.
_TIME_DIGITS = 12
_NO_TRACE = "0" * 32
_NO_SPAN = "0" * 16


@dataclass(frozen=True, slots=True)
class TraceContext:
    """Where in which trace something happens."""

    trace_id: str
    """32 hex digits."""
    span_id: str
    """16 hex digits."""
    sampled: bool


def parse_traceparent(header: str | None) -> TraceContext | None:
    """Reads a `traceparent`; anything malformed is `None`."""
    match = _TRACEPARENT.match(header) if header else None
    if match is None:
        return None
    trace_id, span_id, flags = match.groups()
    if trace_id == _NO_TRACE or span_id == _NO_SPAN:
        return None
    return TraceContext(trace_id, span_id, sampled=int(flags, 16) & 1 == 1)


def format_traceparent(context: TraceContext) -> str:
    """The header that `parse_traceparent` reads."""
    return f"00-{context.trace_id}-{context.span_id}-{'01' if context.sampled else '00'}"


# From the system each time and not from a pool: handler processes are forked, and would share what is left of it.
def new_trace_id() -> str:
    """Begins with the time, so that a trace is found where it was stored; 80 random bits follow."""
    return f"{time.time_ns() // 1_000_000:0{_TIME_DIGITS}x}{os.urandom(10).hex()}"


def began_at(trace_id: str) -> int:
    """When a trace of ours began, ms since 1970. Of one that others began it may be anything."""
    return int(trace_id[:_TIME_DIGITS], 16)


def is_trace_id(text: str) -> bool:
    """Whether it has the form of one."""
    return _TRACE_ID.fullmatch(text) is not None


def new_span_id() -> str:
    """A random span id."""
    return os.urandom(8).hex()
