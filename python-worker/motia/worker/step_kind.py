"""What a step is, in a few words for the log."""

from __future__ import annotations

from typing import Any


def describe_step_kind(step: dict[str, Any]) -> str:
    """A step's kind and what it listens to, for people."""
    if step["type"] == "api":
        return f"(API) {step['method']} {step['path']}"
    if step["type"] == "event":
        return f"(Event) {', '.join(step['subscribes'])}"
    return f"(Cron) {step['cron']}" if step["type"] == "cron" else "(Noop)"
