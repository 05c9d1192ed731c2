"""The functions that say who may follow a stream, as steps: gateways call them as they do API steps.

No route leads there, and the manifest does not list them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..protocol.access import RESERVED_MARK, can_access_id
from .manifest import StepEntry, StreamEntry, describe_step


def access_config(id: str) -> dict[str, Any]:
    """One of them as a config: its name is its id. It is given no state."""
    return {"type": "api", "name": id, "method": "GET", "path": "", "emits": [], "stateGroups": []}


def access_steps(streams: Iterable[StreamEntry]) -> list[StepEntry]:
    """Those of these manifest entries."""
    return [
        describe_step(stream["file"], access_config(can_access_id(stream["name"])))
        for stream in streams
        if stream.get("canAccess")
    ]


def is_access_step(step: Mapping[str, Any]) -> bool:
    """Whether a manifest entry is one of them."""
    return step["name"].startswith(RESERVED_MARK)
