"""What a project asks for that this version does not do: said at start, never passed over in silence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def not_served_yet(streams: list[dict[str, Any]]) -> Iterator[str]:
    """One line for each of these manifest entries."""
    for stream in streams:
        yield f'The items of the stream "{stream["name"]}" are stored; clients cannot subscribe to it yet'


def describe_step_kind(step: dict[str, Any]) -> str:
    """A step's kind and what it listens to, for people."""
    if step["type"] == "api":
        return f"(API) {step['method']} {step['path']}"
    if step["type"] == "event":
        return f"(Event) {', '.join(step['subscribes'])}"
    return f"(Cron) {step['cron']}" if step["type"] == "cron" else "(Noop)"
